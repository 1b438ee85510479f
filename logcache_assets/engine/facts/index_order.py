"""The order in which Datomic's index holds the values of one attribute, for every value type.

A database that holds several values where its schema now says one shows the first of them. Only such values are ordered
here: they are few, so their texts are compared one by one.
"""

from collections.abc import Callable, Mapping

import polars as pl

from logcache_assets.engine.facts.edn_tuples import tuple_key
from logcache_assets.engine.facts.java_uris import uri_key
from logcache_assets.engine.facts.value_keys import Key, bytes_key, name_key, number_key, text_key, uuid_key
from logcache_assets.engine.facts.values import INTEGER_TYPES, parse_integers


def index_places(facts: pl.DataFrame, value_type: str) -> pl.Series:
    """The place of each fact's value: values of one attribute follow one another in the index as their places do.

    Texts that are no values of their type come last, in the order of texts.

    Args:
        facts: columns `n` and `v`, the value in one of them.
        value_type: the type that the attribute has in the schema.
    """
    known = facts["n"]
    if value_type in INTEGER_TYPES:
        known = known.fill_null(parse_integers(facts["v"], value_type))
    if not known.null_count():
        return known
    ranks = known.rank("dense").cast(pl.Int64)
    texts = facts["v"].filter(known.is_null()).unique().to_list()
    ordered = sorted(texts, key=lambda text: _sort_key(text, _KEYS.get(value_type, text_key)))
    places = {text: place for place, text in enumerate(ordered, start=ranks.n_unique() + 1)}
    return ranks.fill_null(facts["v"].replace_strict(places, default=None, return_dtype=pl.Int64))


def _sort_key(text: str, key_of: Callable[[str], Key]) -> Key:
    """The key of a text; between two texts of one value, the text decides."""
    try:
        return (False, key_of(text), text_key(text))
    except (ValueError, ArithmeticError):
        return (True, text_key(text))


def _keyword_key(text: str) -> Key:
    return name_key(text.removeprefix(":"))


_KEYS: Mapping[str, Callable[[str], Key]] = {
    "keyword": _keyword_key,
    "symbol": name_key,
    "uuid": uuid_key,
    "uri": uri_key,
    "bytes": bytes_key,
    "tuple": tuple_key,
    **dict.fromkeys(("double", "float", "bigdec", "bigint"), number_key),
}
"""Value type → the key of its texts; texts of other types compare as texts."""
