"""Tells rows apart that have one key, because the log gives the key to several entities.

The rows of such a key are compared as a multiset, and by entity as far as their cells tell whose they are: each gets a
number, and rows of both days and of the log with one number are then one row. Which keys may repeat is the log's to
say; any other repetition is a fault that domain/rules/sound_table.py refuses.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from logcache_assets.engine.compare.digests import ComparedColumns, content_hash
from logcache_assets.engine.explain.joined_columns import ENTITY, HELD, PRESENT, WHY_BITS

WHICH = "\x00which"
"""The column that tells rows of one key apart, from 1; 0 where a key has one row."""

NOT_IN_LOG = 1 << 20
"""The first number of rows that the log does not give; they are numbered alike on both days."""

BEYOND = "\x00beyond"
"""The column of how many rows beyond one a key has."""

_CONTENT, _ON_BOTH_DAYS = "\x00content", "\x00on both days"
_PLACE, _SHARED, _ROWS, _DUE = "\x00place", "\x00shared", "\x00rows", "\x00due"
_ALONE = pl.lit(0, pl.Int64).alias(WHICH)


@dataclass(frozen=True, slots=True)
class Sides:
    """The rows of both days and of the log."""

    yesterday: pl.DataFrame
    today: pl.DataFrame
    recorded: pl.DataFrame


def number_rows(sides: Sides, columns: ComparedColumns, *, unchecked: frozenset[str]) -> Sides:
    """All rows, with WHICH.

    Args:
        sides: rows in common types; the log's with the columns of joined_columns.WHY.
        columns: the compared columns.
        unchecked: columns whose cells the log cannot tell.
    """
    key = list(columns.key)
    repeated = find_repeated([sides.yesterday, sides.today, sides.recorded.filter(PRESENT)], key)
    frames = (sides.yesterday, sides.today, sides.recorded)
    if repeated.is_empty():
        return Sides(*(frame.with_columns(_ALONE) for frame in frames))
    parts = [frame.join(repeated, on=key, how="semi") for frame in frames]
    yesterday, *others = (_with_common_content(part, columns, unchecked) for part in parts)
    numbered = _number(yesterday, *(_with_content(part, columns, unchecked) for part in others), key=key)
    alone = [frame.join(repeated, on=key, how="anti").with_columns(_ALONE) for frame in frames]
    return Sides(*(pl.concat([one, more.select(one.columns)]) for one, more in zip(alone, numbered, strict=True)))


def _with_common_content(rows: pl.DataFrame, columns: ComparedColumns, unchecked: frozenset[str]) -> pl.DataFrame:
    """The rows with hashes, in _ON_BOTH_DAYS, of what yesterday's types tell of their cells, too."""
    return rows.with_columns(content_hash(rows, columns, unchecked, on_both_days=True).alias(_ON_BOTH_DAYS))


def _with_content(rows: pl.DataFrame, columns: ComparedColumns, unchecked: frozenset[str]) -> pl.DataFrame:
    """Rows of today's types with hashes of their cells in _CONTENT."""
    return rows.with_columns(content_hash(rows, columns, unchecked, on_both_days=False).alias(_CONTENT))


def _number(
    yesterday: pl.DataFrame, today: pl.DataFrame, recorded: pl.DataFrame, *, key: list[str]
) -> list[pl.DataFrame]:
    """Number the rows of repeated keys, whose cells are hashed."""
    recorded = _number_entities(recorded, key)
    if recorded.is_empty():
        today = today.sort(_CONTENT).with_columns((_position(key) + 1).alias(WHICH))
        yesterday = _assign(yesterday, today, key, by=_ON_BOTH_DAYS)
    else:
        today = _assign(today, recorded.filter(PRESENT), key, by=_CONTENT)
        # A row that nothing touched is the first choice of yesterday's equal rows.
        held = recorded.filter(HELD).sort(pl.col(WHY_BITS) > 0, WHICH)
        yesterday = _assign(yesterday, held, key, by=_ON_BOTH_DAYS)
    return [yesterday, today, recorded]


def find_repeated(frames: Sequence[pl.DataFrame], key: Sequence[str]) -> pl.DataFrame:
    """The keys that occur more than once in one of the frames; keys with a null are none."""
    each = (frame.select(key).drop_nulls() for frame in frames)
    return pl.concat([keys.filter(keys.is_duplicated()) for keys in each]).unique()


def _number_entities(recorded: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """One row per entity that has or had a key, numbered; a cause of one is a cause of all, as cells may be alike."""
    ordered = recorded.sort(PRESENT, ENTITY, descending=[True, False], nulls_last=True)
    by_entity = ordered.unique([*key, ENTITY], keep="first", maintain_order=True).sort(ENTITY)
    causes = by_entity.filter(pl.col(WHY_BITS) > 0).group_by(key).agg(pl.col(WHY_BITS).bitwise_or().alias(_SHARED))
    merged = by_entity.join(causes, on=key, how="left", maintain_order="left")
    why = pl.when(pl.col(WHY_BITS) > 0).then(_SHARED).otherwise(WHY_BITS)
    return merged.with_columns(why.alias(WHY_BITS), (_position(key) + 1).alias(WHICH)).drop(_SHARED)


def _position(columns: Sequence[str]) -> pl.Expr:
    """The number of each row among those that are equal in these columns, in the order of the frame."""
    return pl.int_range(pl.len(), dtype=pl.Int64).over(columns)


def _assign(rows: pl.DataFrame, slots: pl.DataFrame, key: list[str], *, by: str) -> pl.DataFrame:
    """Give rows the numbers of slots: of one with equal cells if there is one, otherwise of any that is left.

    Args:
        rows: rows with hashes of their cells.
        slots: rows with numbers, likewise.
        key: the columns of the key.
        by: the column of the hash by which cells are equal.
    """
    rows, slots = rows.sort(by, maintain_order=True), slots.select(*key, by, WHICH)
    equal = [*key, by, _PLACE]
    placed = rows.with_columns(_position(equal[:-1]).alias(_PLACE))
    places = slots.with_columns(_position(equal[:-1]).alias(_PLACE))
    found = placed.join(places, on=equal, how="left", maintain_order="left")
    matched = found.filter(pl.col(WHICH).is_not_null())
    free = slots.join(matched, on=[*key, WHICH], how="anti", maintain_order="left").drop(by)
    rest = found.filter(pl.col(WHICH).is_null()).drop(WHICH).with_columns(_position(key).alias(_PLACE))
    free = free.with_columns(_position(key).alias(_PLACE))
    others = rest.join(free, on=[*key, _PLACE], how="left", maintain_order="left")
    numbered = others.with_columns(pl.col(WHICH).fill_null(pl.col(_PLACE) + NOT_IN_LOG))
    return pl.concat([matched, numbered.select(matched.columns)]).drop(_PLACE)


def find_shared(
    repeated: pl.DataFrame, recorded: pl.DataFrame, given: str, key: Sequence[str], *, trusted: Collection[str] = ()
) -> pl.DataFrame:
    """The keys that repeat in a table because the log gives each to as many entities.

    Args:
        repeated: the keys that repeat, as often as they occur in the table.
        recorded: the keys of the log's rows, with the columns of joined_columns.WHY.
        given: which of these the day has: PRESENT today, HELD yesterday.
        key: the columns of the key.
        trusted: prototypes of which the log cannot tell any more what it gave.

    Returns:
        The key, and BEYOND of the table.
    """
    counts = repeated.group_by(key).agg(pl.len().alias(_ROWS))
    due = recorded.filter(given).select(*key, ENTITY).unique().group_by(key).agg(pl.len().alias(_DUE))
    told = pl.col(_ROWS) <= pl.col(_DUE).fill_null(0)
    shared = counts.join(due, on=list(key), how="left").filter(told | pl.col("prototype").is_in(list(trusted)))
    return shared.select(*key, (pl.col(_ROWS).cast(pl.Int64) - 1).alias(BEYOND))


def find_suspects(yesterday: pl.DataFrame, recorded: pl.DataFrame, columns: ComparedColumns) -> pl.DataFrame:
    """Keys that an entity got since yesterday while another one had them, which nothing touched: both may have them."""
    key = list(columns.key)
    got = recorded.filter(pl.col(PRESENT) & ~pl.col(HELD)).select(key)
    held = recorded.filter(HELD).select(key)
    return got.join(yesterday.select(key), on=key, how="semi").join(held, on=key, how="anti").unique()
