"""Which texts of a raw log are not the canonical text of their attribute's type, counted by type; no text is told.

Works on what the files have, also where that is not what LogOp reads: it is for the first look at a platform.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.facts.datomic_schema import NAMING, read_schema
from logcache_assets.engine.facts.values import parse_values
from logcache_assets.engine.storage.parquet import read_each
from logcache_assets.ports import ObjectStore

NEEDED: Mapping[str, pl.DataType] = {
    "e": pl.Int64(),
    "a": pl.Int64(),
    "v": pl.String(),
    "t": pl.Int64(),
    "added": pl.Boolean(),
}
"""The columns without which texts have no type."""
CANONICAL: Mapping[str, str] = {
    "long": r"^(?:0|-?[1-9][0-9]*)$",
    "ref": r"^[1-9][0-9]*$|^0$",
    "boolean": r"^(?:true|false)$",
    "uuid": r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$",
    "keyword": r"^:\S+$",
    "instant": r"^[+-]?[0-9]{4,9}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
    "double": r"^(?:-?[0-9]+\.[0-9]+(?:E-?[0-9]+)?|NaN|-?Infinity)$",
    "float": r"^(?:-?[0-9]+\.[0-9]+(?:E-?[0-9]+)?|NaN|-?Infinity)$",
    "bigdec": r"^-?[0-9]+(?:\.[0-9]+)?$",
    "bigint": r"^(?:0|-?[1-9][0-9]*)$",
    "bytes": r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    "tuple": r"^\[.*\]$",
}
"""Value type → what its canonical texts look like; the texts of other types may be any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedType:
    """The texts of one value type."""

    value_type: str
    """Without its namespace; `unknown` for attributes that the log gives no type."""
    texts: int
    other_form: int
    """Not the canonical text of this type."""
    unreadable: int
    """Texts that a contract's column cannot hold."""


def survey_values(uris: Sequence[str], store: ObjectStore) -> tuple[SurveyedType, ...]:
    """Count the texts of a log by value type.

    Args:
        uris: the log's files.
        store: where they lie.

    Raises:
        EngineError: a file cannot be read, or the log lacks a column that is needed.
        ObjectStoreUnavailable: the store could not answer.
    """
    if not uris:
        raise EngineError("the log has no Parquet file, so it has no texts; use a night whose files are still there")
    types = _types_of(uris, store)
    total: dict[str, SurveyedType] = {}
    for frame in _frames(uris, store):
        typed = frame.select(
            "v", value_type=pl.col("a").replace_strict(types, default="unknown", return_dtype=pl.String)
        )
        for (value_type,), rows in typed.group_by("value_type"):
            found = _survey(str(value_type), rows["v"])
            before = total.get(found.value_type)
            total[found.value_type] = _sum(before, found) if before else found
    return tuple(total[name] for name in sorted(total))


def _frames(uris: Sequence[str], store: ObjectStore) -> Iterator[pl.DataFrame]:
    for frame in read_each(uris, store):
        if wrong := [name for name, dtype in NEEDED.items() if frame.schema.get(name) != dtype]:
            raise EngineError(
                f"the log has no column {wrong[0]} of type {NEEDED[wrong[0]]}, so its texts have no types; compare its "
                "columns with docs/formats.md"
            )
        yield frame.select(list(NEEDED))


def _types_of(uris: Sequence[str], store: ObjectStore) -> Mapping[int, str]:
    """Attribute id → value type, as the log's last datoms say."""
    naming = pl.concat([frame.filter(pl.col("a").is_in(NAMING)) for frame in _frames(uris, store)])
    last = naming.sort("t", maintain_order=True).filter("added").unique(["e", "a"], keep="last", maintain_order=True)
    return read_schema({a: last.filter(pl.col("a") == a).select("e", "v") for a in NAMING}).types


def _survey(value_type: str, texts: pl.Series) -> SurveyedType:
    pattern = CANONICAL.get(value_type)
    other = int((~texts.str.contains(pattern)).fill_null(value=True).sum()) if pattern else texts.null_count()
    unreadable = parse_values(texts, value_type).null_count()
    return SurveyedType(value_type=value_type, texts=len(texts), other_form=other, unreadable=unreadable)


def _sum(one: SurveyedType, other: SurveyedType) -> SurveyedType:
    return SurveyedType(
        value_type=one.value_type,
        texts=one.texts + other.texts,
        other_form=one.other_form + other.other_form,
        unreadable=one.unreadable + other.unreadable,
    )
