"""Compares the materialized entities of an instance with the log beside them.

Every datom of a log is in exactly one fact (facts/fold.py): as its t_from if it asserts, as its t_to if it retracts. So
both datasets give the same sum of datoms, for every attribute.
"""

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from logcache_assets.domain.log_documents import DifferingAttribute
from logcache_assets.domain.log_ranges import DatomSum, datom_sum
from logcache_assets.engine.facts.datomic_schema import NAMING, read_schema
from logcache_assets.engine.facts.values import INTEGER_TYPES, parse_integers
from logcache_assets.engine.raw.datom_hash import datom_hash, sum_datoms
from logcache_assets.engine.storage.parquet import read_each
from logcache_assets.engine.storage.schemas import DATOM_COLUMNS
from logcache_assets.ports import ObjectStore

_ToDatoms = Callable[[pl.DataFrame], pl.DataFrame]


def facts_to_datoms(facts: pl.DataFrame) -> pl.DataFrame:
    """The datoms that these facts were folded from; columns of DATOM_COLUMNS, unordered."""
    is_asserted = pl.col("t_from").is_not_null()
    is_retracted = pl.col("t_to").is_not_null() & (pl.col("t_from").ne_missing(pl.col("t_to")))
    begins = facts.filter(is_asserted).select("e", "a", "v", t="t_from", added=pl.lit(value=True))
    ends = facts.filter(is_retracted).select("e", "a", "v", t="t_to", added=pl.lit(value=False))
    return pl.concat([begins, ends])


def sum_facts(facts: pl.DataFrame) -> DatomSum:
    """The sum of the datoms that these facts were folded from."""
    return sum_datoms(facts_to_datoms(facts))


def find_differing_attributes(
    log: Sequence[str], facts: Sequence[str], store: ObjectStore
) -> tuple[DifferingAttribute, ...]:
    """Find the attributes whose facts are not those of the log's datoms, ascending by id.

    The hashes of these attributes' datoms are in memory at once.

    Args:
        log: the log's files.
        facts: the files of the materialized entities.
        store: where they lie.
    """
    in_log, in_facts = _sums(log, store, _as_they_are), _sums(facts, store, facts_to_datoms)
    suspects = [a for a in in_log.keys() | in_facts.keys() if in_log.get(a) != in_facts.get(a)]
    counts = count_unmatched(
        _hashes(log, store, _as_they_are, of=suspects), _hashes(facts, store, facts_to_datoms, of=suspects)
    )
    return tuple(
        DifferingAttribute(attribute=a, missing=missing, extra=extra)
        for a, missing, extra in counts.group_by("a").agg(pl.col("missing", "extra").sum()).sort("a").iter_rows()
    )


def _as_they_are(datoms: pl.DataFrame) -> pl.DataFrame:
    return datoms.select(DATOM_COLUMNS)


def _sums(uris: Sequence[str], store: ObjectStore, to_datoms: _ToDatoms) -> dict[int, DatomSum]:
    """Attribute → the sum of its datoms."""
    sums: dict[int, DatomSum] = {}
    for frame in read_each(uris, store):
        found = to_datoms(frame).group_by("a").agg(pl.len(), datom_hash().sum().alias("hash"))
        for a, rows, total in found.iter_rows():
            sums[a] = sums.get(a, DatomSum()) + datom_sum(rows, total)
    return sums


def _hashes(uris: Sequence[str], store: ObjectStore, to_datoms: _ToDatoms, *, of: Sequence[int]) -> pl.DataFrame:
    """Columns a, hash: the datoms of some attributes."""
    wanted = pl.col("a").is_in(list(of))
    parts = [to_datoms(frame.filter(wanted)).select("a", hash=datom_hash()) for frame in read_each(uris, store)]
    return pl.concat(parts)


def count_unmatched(wanted: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Count rows of two frames of the same columns that the other one does not have, as multisets.

    Returns:
        Those columns of each differing row, `missing` (how often it is only in wanted) and `extra` (only in found).
    """
    columns = wanted.columns
    sides = [wanted.with_columns(surplus=pl.lit(1)), found.with_columns(surplus=pl.lit(-1))]
    surplus = pl.concat(sides).group_by(columns).agg(pl.col("surplus").sum()).filter(pl.col("surplus") != 0)
    return surplus.select(
        *columns, missing=pl.max_horizontal("surplus", 0), extra=pl.max_horizontal(-pl.col("surplus"), 0)
    )


def naming_facts(facts: pl.DataFrame) -> pl.DataFrame:
    """The current facts that tell names and types of attributes."""
    return facts.filter(pl.col("a").is_in(NAMING), pl.col("t_to").is_null())


def count_wrong_integers(facts: Sequence[str], store: ObjectStore, *, naming: pl.DataFrame) -> int:
    """Count the facts whose `n` is not the integer that `v` names.

    Args:
        facts: the files of the materialized entities.
        store: where they lie.
        naming: the naming_facts of all files; the types are those that they tell.
    """
    types = read_schema({a: naming.filter(pl.col("a") == a) for a in NAMING}).types
    return sum(_count_wrong_integers(frame, types) for frame in read_each(facts, store))


def _count_wrong_integers(frame: pl.DataFrame, types: Mapping[int, str]) -> int:
    wrong = 0
    for value_type in INTEGER_TYPES:
        of_type = frame.filter(pl.col("a").is_in([a for a, found in types.items() if found == value_type]))
        wrong += int(of_type["n"].ne_missing(parse_integers(of_type["v"], value_type)).sum())
    others = frame.filter(~pl.col("a").is_in([a for a, found in types.items() if found in INTEGER_TYPES]))
    return wrong + others["n"].count()
