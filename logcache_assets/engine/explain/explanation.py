"""Explains rows: holds both days' rows of each key against what the log says, finds a reason, and counts.

    the log says of the row     today's row must be      and may differ from yesterday's because of
    nothing                     yesterday's              -
    a recorded row              the recorded one         its causes
    a history row after t       a recorded one           its tx

Any other row is `unexplained`, or `missed` if it still shows what the log has replaced. Figures leave this module,
values do not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import polars as pl

from logcache_assets.domain.figures import EXPLANATIONS
from logcache_assets.engine.compare.digests import DayRows, exact
from logcache_assets.engine.compare.repeated_keys import WHICH, Sides, find_suspects, number_rows
from logcache_assets.engine.explain.causes import BITS
from logcache_assets.engine.explain.counting import Explained, count_rows
from logcache_assets.engine.explain.joined_columns import (
    CHANGE,
    DIFFERS,
    DUE,
    EARLIER,
    IN_BOTH,
    IN_LOG,
    IN_ONE,
    IN_TODAY,
    IN_YESTERDAY,
    LOG_CELL,
    MOVED,
    PRESENT,
    REASON,
    STALE,
    TODAY_CELL,
    VALUE_SEED,
    WHY,
    WRONG,
    YESTERDAY_CELL,
    no_recorded,
)
from logcache_assets.engine.explain.placing import place_rows
from logcache_assets.engine.explain.reach import Reach, find_reach
from logcache_assets.engine.explain.row_comparison import RowComparison, any_cell
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.shards import Shard, read_shards


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainTask:
    """Explains the rows of one bucket of a comparison."""

    comparison: RowComparison
    yesterday: DayRows
    today: DayRows
    recorded: tuple[Shard, ...]
    bucket: Bucket

    def run(self) -> Explained:
        """Figures and patterns of the bucket."""
        columns = self.comparison.columns
        empty = columns.no_rows()
        recorded = read_shards(self.recorded, no_recorded(columns))
        yesterday, today = self.yesterday.rows(empty), self.today.rows(empty)
        explained = explain_rows(yesterday, today, recorded, self.comparison)
        return replace(explained, bucket=self.bucket, suspects=find_suspects(yesterday, recorded, columns))


def explain_rows(
    yesterday: pl.DataFrame, today: pl.DataFrame, recorded: pl.DataFrame, comparison: RowComparison
) -> Explained:
    """Find the reason of every row, and count.

    Args:
        yesterday: yesterday's rows in common types; keys are not null, and unique unless the log says that several
            entities have one.
        today: today's, likewise.
        recorded: the rows that the log gives, with the columns of joined_columns.WHY; a key that several entities have
            or had has a row of each.
        comparison: how rows are compared.
    """
    joined = _join_days_and_log(yesterday, today, recorded, comparison)
    placed = place_rows(joined, comparison)
    narrow = replace(comparison, looked_at=tuple(_find_looked_at(placed, comparison)))
    return count_rows(_add_reasons(_only_looked_at(placed, narrow), narrow), narrow)


def _join_days_and_log(
    yesterday: pl.DataFrame, today: pl.DataFrame, recorded: pl.DataFrame, comparison: RowComparison
) -> pl.DataFrame:
    """One row per key, with the cells of both days and of the log side by side."""
    numbered = number_rows(Sides(yesterday, today, recorded), comparison.columns, unchecked=comparison.unchecked)
    key, sides, recorded = [*comparison.columns.key, WHICH], [], _merge_recorded(numbered.recorded, comparison)
    extra = tuple(name for name in recorded.columns if name in WHY or name.startswith((EARLIER, MOVED)))
    for prefix, is_in, frame, more in (
        (YESTERDAY_CELL, IN_YESTERDAY, numbered.yesterday, ()),
        (TODAY_CELL, IN_TODAY, numbered.today, ()),
        (LOG_CELL, IN_LOG, recorded, extra),
    ):
        cells = [pl.col(c).alias(prefix + c) for c in comparison.columns.cells]
        sides.append(frame.select(*key, *cells, *more, pl.lit(True).alias(is_in)))
    both = sides[0].join(sides[1], on=key, how="full", coalesce=True)
    joined = both.join(sides[2], on=key, how="full", coalesce=True)
    absent: dict[str, pl.DataType] = {EARLIER + name: pl.List(pl.UInt64) for name in comparison.columns.cells}
    absent |= {MOVED + name: pl.Boolean() for name in comparison.unchecked}
    given = frozenset(joined.columns)
    filled = joined.with_columns(
        *(pl.col(is_in).fill_null(value=False) for is_in in (IN_YESTERDAY, IN_TODAY, IN_LOG)),
        *(pl.lit(None, dtype).alias(name) for name, dtype in absent.items() if name not in given),
    )
    # If an entity only had the key in between, its record says nothing of yesterday's row with that key.
    of_another = pl.col(PRESENT).is_null() & pl.col(IN_YESTERDAY)
    return filled.with_columns((pl.col(IN_LOG) & ~of_another).alias(IN_LOG))


def _merge_recorded(recorded: pl.DataFrame, comparison: RowComparison) -> pl.DataFrame:
    """One recorded row per key, though several entities had it: that of the entity that has the key now, if any."""
    key = [*comparison.columns.key, WHICH]
    shown = recorded.filter(pl.col(PRESENT))
    gone = recorded.filter(~pl.col(PRESENT).fill_null(value=False)).join(shown, on=key, how="anti")
    return pl.concat([shown, gone.sort(PRESENT, nulls_last=True).unique(key, keep="first", maintain_order=True)])


def _find_looked_at(rows: pl.DataFrame, comparison: RowComparison) -> Iterator[str]:
    """The cells of which some row differs between the days, or from the log."""
    if not comparison.columns.cells:
        return
    alike = _compared_alike(comparison)
    flags = (_differs_or_wrong(names, comparison).any(ignore_nulls=False) for names in alike)
    found = dict(zip(chain(*alike), rows.select(flags).row(0), strict=True))
    yield from (name for name in comparison.columns.cells if found[name] is not False)


def _compared_alike(comparison: RowComparison) -> list[list[str]]:
    """The cells, in groups that one expression compares, so that a wide table is described by its types."""
    columns, found = comparison.columns, dict[object, list[str]]()
    for name in columns.cells:
        dtype = columns.types.get(name)
        alone = dtype is None or dtype.is_float()
        found.setdefault(name if alone else (dtype, name in comparison.unchecked), []).append(name)
    return list(found.values())


def _differs_or_wrong(names: Sequence[str], comparison: RowComparison) -> pl.Expr:
    """Whether a cell differs or is wrong, for each of some columns that are compared alike."""
    differs, wrong = _differs_and_wrong(names, comparison)
    return (differs | wrong) if len(names) > 1 else (differs | wrong).alias(YESTERDAY_CELL + names[0])


def _only_looked_at(rows: pl.DataFrame, comparison: RowComparison) -> pl.DataFrame:
    """The rows without the cells that nothing looks at."""
    unseen = set(comparison.columns.cells) - {*comparison.cells, *comparison.row_columns}
    prefixes = (YESTERDAY_CELL, TODAY_CELL, LOG_CELL, EARLIER, MOVED)
    return rows.drop((prefix + name for name in unseen for prefix in prefixes), strict=False)


def _add_reasons(rows: pl.DataFrame, comparison: RowComparison) -> pl.DataFrame:
    """Add the REASON and CHANGE of each row, and the flags of its cells."""
    reach = find_reach(comparison)
    celled = rows.with_columns(*_cell_flags(comparison), *reach.flags()).with_columns(
        *_stale(comparison), *reach.causeless()
    )
    return celled.with_columns(_reason(comparison, reach), _change(comparison))


def _differs_and_wrong(names: Sequence[str], comparison: RowComparison) -> tuple[pl.Expr, pl.Expr]:
    """Whether a cell differs between the days, and whether it is not what the log says.

    Args:
        names: columns that are compared alike; each flag has the name of yesterday's, or the log's, cell.
        comparison: how they are compared.
    """
    same_days = _same_value(YESTERDAY_CELL, TODAY_CELL, names, comparison)
    same_log = pl.when(IN_LOG).then(_equals_recorded(names, comparison)).otherwise(same_days)
    return ~same_days & pl.col(IN_BOTH), ~same_log & pl.col(IN_TODAY) & pl.col(DUE)


def _cell_flags(comparison: RowComparison) -> Iterator[pl.Expr]:
    """The flags DIFFERS and WRONG of every cell."""
    for name in comparison.cells:
        differs, wrong = _differs_and_wrong([name], comparison)
        yield from (differs.alias(DIFFERS + name), wrong.alias(WRONG + name))


def _stale(comparison: RowComparison) -> Iterator[pl.Expr]:
    """The flag STALE of every cell."""
    for name in comparison.cells:
        same_days = pl.col(IN_BOTH) & ~pl.col(DIFFERS + name)
        before = same_days | _showed_before(name, comparison) | _has_former_name(name, comparison)
        yield (pl.col(WRONG + name) & before).alias(STALE + name)


def _showed_before(name: str, comparison: RowComparison) -> pl.Expr:
    """Whether today's cell is what the log gave at an earlier t since yesterday: a reader stopped there."""
    if comparison.has_t or name not in comparison.columns.types:
        return pl.lit(False)
    shown = exact(pl.col(TODAY_CELL + name), comparison.columns.types[name]).hash(VALUE_SEED)
    return pl.col(EARLIER + name).list.contains(shown).fill_null(value=False)


def _has_former_name(name: str, comparison: RowComparison) -> pl.Expr:
    """Whether today's cell shows a name that no ident has now: a reader has not seen the renaming."""
    found = pl.lit(False)
    for prototype, scope in comparison.scopes.items():
        if names := sorted(scope.former_names.get(name, ())):
            found |= (pl.col("prototype") == prototype) & _shows(name, names, comparison)
    return found.fill_null(value=False)


def _shows(name: str, names: Sequence[str], comparison: RowComparison) -> pl.Expr:
    """Whether today's cell shows one of these names; `""` stands for null."""
    shown, dtype = pl.col(TODAY_CELL + name), comparison.columns.types.get(name)
    found = shown.is_null() if "" in names else pl.lit(False)
    if dtype == pl.String():
        return found | shown.is_in(names)
    return found | shown.list.eval(pl.element().is_in(names)).list.any() if dtype == pl.List(pl.String) else found


def _cells(prefix: str, names: Sequence[str]) -> pl.Expr:
    """The cells of some columns."""
    return pl.col([prefix + name for name in names])


def _equals_recorded(names: Sequence[str], comparison: RowComparison) -> pl.Expr:
    if names[0] in comparison.unchecked:
        return _same_shape(names, comparison)
    return _same_value(LOG_CELL, TODAY_CELL, names, comparison)


def _same_shape(names: Sequence[str], comparison: RowComparison) -> pl.Expr:
    """What can be verified of a hash under an unknown key: null or not, how many, changed or not."""
    log, today, moved = (_cells(prefix, names) for prefix in (LOG_CELL, TODAY_CELL, MOVED))
    shape = log.is_null() == today.is_null()
    if isinstance(comparison.columns.types.get(names[0]), pl.List):
        shape &= log.list.len().eq_missing(today.list.len())
    changed = ~_same_value(YESTERDAY_CELL, TODAY_CELL, names, comparison)
    # Of several entities with one key, only the hash would tell whose row it is.
    return shape & (moved.is_null() | ~pl.col(IN_BOTH) | (moved == changed) | (pl.col(WHICH) > 0))


def _same_value(one: str, other: str, names: Sequence[str], comparison: RowComparison) -> pl.Expr:
    """Whether two cells hold the same value, for each of some columns that are compared alike."""
    name, left, right = names[0], _cells(one, names), _cells(other, names)
    if name in comparison.columns.retyped and YESTERDAY_CELL in {one, other}:
        return left.is_null() & right.is_null()
    dtype = comparison.columns.types.get(name) or comparison.columns.retyped[name]
    same = exact(left, dtype).eq_missing(exact(right, dtype))
    tolerance = comparison.tolerances.get(name, 0) if dtype.is_float() else 0
    return same | ((left - right).abs() <= tolerance).fill_null(value=False) if tolerance else same


def _reason(comparison: RowComparison, reach: Reach) -> pl.Expr:
    """The one reason of a row; null if it is the same on both days and the log says so."""
    in_yesterday, in_today, due = pl.col(IN_YESTERDAY), pl.col(IN_TODAY), pl.col(DUE)
    lost, extra = due & ~in_today, ~due & in_today
    fresh_wrong = pl.any_horizontal(
        pl.lit(False), *(pl.col(WRONG + name) & ~pl.col(STALE + name) for name in comparison.cells)
    )
    gone_since = pl.col(IN_LOG)
    unexplained = (lost & in_yesterday) | (extra & ~in_yesterday & ~gone_since) | fresh_wrong
    missed = (lost & ~in_yesterday) | (extra & (in_yesterday | gone_since)) | any_cell(STALE, comparison)
    reason = pl.when(unexplained).then(pl.lit("unexplained")).when(missed).then(pl.lit("missed"))
    reason = reason.when(~(pl.col(IN_ONE) | any_cell(DIFFERS, comparison))).then(None)
    reason = reason.when(~reach.can_change_all()).then(pl.lit("unexplained"))
    for name in EXPLANATIONS:
        reason = reason.when(reach.can_change_some(BITS[name])).then(pl.lit(name))
    return reason.otherwise(pl.lit("unexplained")).alias(REASON)


def _change(comparison: RowComparison) -> pl.Expr:
    """What happened to the row: a figures.Change."""
    nulls = [(name, pl.col(DIFFERS + name)) for name in comparison.cells]
    to_null = pl.all_horizontal(pl.lit(True), *(~d | pl.col(TODAY_CELL + n).is_null() for n, d in nulls))
    from_null = pl.all_horizontal(pl.lit(True), *(~d | pl.col(YESTERDAY_CELL + n).is_null() for n, d in nulls))
    in_yesterday, in_today = pl.col(IN_YESTERDAY), pl.col(IN_TODAY)
    return (
        pl.when(~in_today)
        .then(pl.lit("row missing"))
        .when(~in_yesterday)
        .then(pl.lit("row added"))
        .when(~any_cell(DIFFERS, comparison))
        .then(pl.lit("not changed"))
        .when(to_null)
        .then(pl.lit("value to null"))
        .when(from_null)
        .then(pl.lit("null to value"))
        .otherwise(pl.lit("value changed"))
        .alias(CHANGE)
    )
