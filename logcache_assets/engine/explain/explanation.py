"""Every row of some keys, yesterday's and today's, against what the log says: its reason, and counts of all of them.

    the log says of the row     today's row must be      and may differ from yesterday's because
    nothing                     yesterday's              -
    a recorded row              the recorded one         of its causes
    a history row after t       a recorded one           of its tx

What is neither is `unexplained`, or `missed` where it still is yesterday's. Figures leave this module, values do not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from logcache_assets.domain.figures import EXPLANATIONS
from logcache_assets.engine.compare.digests import exact
from logcache_assets.engine.explain.causes import BITS, EARLIER, EXCISED, MOVED, REFERRED, TOUCHED, VALUE_SEED, WHY
from logcache_assets.engine.explain.comparison_terms import A, B, ComparisonTerms, X, any_cell
from logcache_assets.engine.explain.counting import Explained, count_rows
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.shards import Shard, read_shards


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainTask:
    """Explains the rows of one bucket."""

    terms: ComparisonTerms
    yesterday: tuple[Shard, ...]
    today: tuple[Shard, ...]
    recorded: tuple[Shard, ...]
    bucket: Bucket

    def run(self) -> Explained:
        """The figures."""
        empty = self.terms.layout.common(pl.DataFrame({"": []})).clear()
        nothing = empty.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in WHY.items())
        tables = (read_shards(self.yesterday, empty), read_shards(self.today, empty))
        return replace(explain_rows(*tables, read_shards(self.recorded, nothing), self.terms), bucket=self.bucket)


def explain_rows(
    yesterday: pl.DataFrame, today: pl.DataFrame, recorded: pl.DataFrame, terms: ComparisonTerms
) -> Explained:
    """Explain every row.

    Args:
        yesterday: rows in common types; keys are unique and not null.
        today: likewise.
        recorded: what the log says of rows, with the columns of causes.WHY; of a key that several entities had, each
            tells what it knows.
        terms: of the comparison.
    """
    return count_rows(_judged(_joined(yesterday, today, recorded, terms), terms), terms)


def _joined(
    yesterday: pl.DataFrame, today: pl.DataFrame, recorded: pl.DataFrame, terms: ComparisonTerms
) -> pl.DataFrame:
    """One row per key, the cells of the three tables beside each other."""
    key, sides, recorded = list(terms.layout.key), [], _settled(recorded, terms)
    extra = tuple(name for name in recorded.columns if name in WHY or name.startswith((EARLIER, MOVED)))
    for prefix, frame, more in ((A, yesterday, ()), (B, today, ()), (X, recorded, extra)):
        cells = [pl.col(c).alias(prefix + c) for c in terms.layout.cells]
        sides.append(frame.select(*key, *cells, *more, pl.lit(True).alias(f"in:{prefix}")))
    both = sides[0].join(sides[1], on=key, how="full", coalesce=True)
    joined = both.join(sides[2], on=key, how="full", coalesce=True)
    absent: dict[str, pl.DataType] = {EARLIER + name: pl.List(pl.UInt64) for name in terms.layout.cells}
    absent |= {MOVED + name: pl.Boolean() for name in terms.unchecked}
    filled = joined.with_columns(
        *(pl.col(f"in:{prefix}").fill_null(value=False) for prefix in (A, B, X)),
        *(pl.lit(None, dtype).alias(name) for name, dtype in absent.items() if name not in joined.columns),
    )
    # A row of yesterday whose key another entity only had in between is that row's still.
    of_another = pl.col("present").is_null() & pl.col(f"in:{A}")
    return filled.with_columns((pl.col(f"in:{X}") & ~of_another).alias(f"in:{X}"))


def _settled(recorded: pl.DataFrame, terms: ComparisonTerms) -> pl.DataFrame:
    """What several entities say of one key: that one of them has it now is what counts."""
    key = list(terms.layout.key)
    shown = recorded.filter(pl.col("present"))
    gone = recorded.filter(~pl.col("present").fill_null(value=False)).join(shown, on=key, how="anti")
    return pl.concat([shown, gone.sort("present", nulls_last=True).unique(key, keep="first", maintain_order=True)])


def _judged(rows: pl.DataFrame, terms: ComparisonTerms) -> pl.DataFrame:
    """With the `reason` of each row, its `change`, and per column whether it differs and whether it is wrong."""
    in_a, in_b, recorded = (pl.col(f"in:{prefix}") for prefix in (A, B, X))
    scoped = rows.with_columns(_scope(terms), complete=_complete(terms))
    new = (pl.col("db__t") > pl.col("after_t")) if terms.has_t else pl.lit(False)
    unrecorded = pl.when(new | (pl.col("complete") > 0)).then(pl.lit(False)).otherwise(in_a)
    placed = scoped.with_columns(
        due=pl.when(recorded).then(pl.col("present")).otherwise(unrecorded).fill_null(value=False),
        why=_causes(terms),
        differs=in_a != in_b,
        both=in_a & in_b,
    )
    celled = placed.with_columns(_cell_flags(terms)).with_columns(_causeless(terms))
    return celled.with_columns(_reason(terms), _change(terms))


def _scope(terms: ComparisonTerms) -> pl.Expr:
    after = {prototype: scope.after_t for prototype, scope in terms.scopes.items()}
    return pl.col("prototype").replace_strict(after, default=None, return_dtype=pl.Int64).alias("after_t")


def _complete(terms: ComparisonTerms) -> pl.Expr:
    complete = {prototype: scope.complete for prototype, scope in terms.scopes.items()}
    return pl.col("prototype").replace_strict(complete, default=0, return_dtype=pl.UInt8)


def _causes(terms: ComparisonTerms) -> pl.Expr:
    """The bits of a row: a tx changes no row of a history that is older than it."""
    why = pl.when("in:log:").then(pl.col("why")).otherwise(pl.col("complete"))
    if not terms.has_t:
        return why
    older = ~pl.lit(TOUCHED | REFERRED, pl.UInt8)
    return pl.when(pl.col("db__t") > pl.col("after_t")).then(pl.lit(TOUCHED, pl.UInt8)).otherwise(why & older)


def _cell_flags(terms: ComparisonTerms) -> Iterator[pl.Expr]:
    """Per column: `differs:` between the days, `wrong:` against the log, `stale:` wrong and still yesterday's."""
    for name in terms.layout.cells:
        same_days = _same(A, B, name, terms)
        same_log = pl.when("in:log:").then(_as_recorded(name, terms)).otherwise(same_days)
        wrong = pl.col("in:today:") & pl.col("due") & ~same_log
        yield (pl.col("both") & ~same_days).alias(f"differs:{name}")
        yield wrong.alias(f"wrong:{name}")
        before = (pl.col("both") & same_days) | _showed_before(name, terms) | _has_former_name(name, terms)
        yield (wrong & before).alias(f"stale:{name}")


def _causeless(terms: ComparisonTerms) -> Iterator[pl.Expr]:
    """Per column: whether it differs between the days though no cause of the row may change it."""
    for name in terms.layout.cells:
        yield (pl.col(f"differs:{name}") & ~_some_may_change(name, terms)).alias(f"causeless:{name}")


def _showed_before(name: str, terms: ComparisonTerms) -> pl.Expr:
    """Whether the log gave today's cell to the row at an earlier t since yesterday: a reader stopped there."""
    if terms.has_t or name not in terms.layout.types:
        return pl.lit(False)
    shown = exact(pl.col(B + name), terms.layout.types[name]).hash(VALUE_SEED)
    return pl.col(EARLIER + name).list.contains(shown).fill_null(value=False)


def _has_former_name(name: str, terms: ComparisonTerms) -> pl.Expr:
    """Whether today's cell shows a name that nothing has any more: a reader has not seen the renaming."""
    found = pl.lit(False)
    for prototype, scope in terms.scopes.items():
        names = sorted(scope.former_names.get(name, ()))
        found |= (pl.col("prototype") == prototype) & _shows(name, names, terms)
    return found.fill_null(value=False)


def _shows(name: str, names: Sequence[str], terms: ComparisonTerms) -> pl.Expr:
    """Whether today's cell shows one of some names; `""` is null."""
    shown, dtype = pl.col(B + name), terms.layout.types.get(name)
    found = shown.is_null() if "" in names else pl.lit(False)
    if dtype == pl.String():
        return found | shown.is_in(names)
    return found | shown.list.eval(pl.element().is_in(names)).list.any() if dtype == pl.List(pl.String) else found


def _as_recorded(name: str, terms: ComparisonTerms) -> pl.Expr:
    return _same_but_for_the_key(name, terms) if name in terms.unchecked else _same(X, B, name, terms)


def _same_but_for_the_key(name: str, terms: ComparisonTerms) -> pl.Expr:
    """What can be told of a cell that is hashed under an unknown key: null or not, how many, changed or not."""
    log, today, moved = pl.col(X + name), pl.col(B + name), pl.col(MOVED + name)
    shape = log.is_null() == today.is_null()
    if isinstance(terms.layout.types.get(name), pl.List):
        shape &= log.list.len().eq_missing(today.list.len())
    changed = ~_same(A, B, name, terms)
    return shape & (moved.is_null() | ~pl.col("both") | (moved == changed))


def _same(one: str, other: str, name: str, terms: ComparisonTerms) -> pl.Expr:
    """Whether two cells hold the same value."""
    if name in terms.layout.retyped and A in {one, other}:
        return pl.col(one + name).is_null() & pl.col(other + name).is_null()
    dtype = terms.layout.types.get(name) or terms.layout.retyped[name]
    left, right = pl.col(one + name), pl.col(other + name)
    same = exact(left, dtype).eq_missing(exact(right, dtype))
    tolerance = terms.tolerances.get(name, 0) if dtype.is_float() else 0
    return same | ((left - right).abs() <= tolerance).fill_null(value=False) if tolerance else same


def _reason(terms: ComparisonTerms) -> pl.Expr:
    """The one reason of a row; null for one that is the same on both days, and rightly so."""
    in_a, in_b, due = pl.col("in:yesterday:"), pl.col("in:today:"), pl.col("due")
    lost, extra = due & ~in_b, ~due & in_b
    fresh_wrong = pl.any_horizontal(
        pl.lit(False), *(pl.col(f"wrong:{name}") & ~pl.col(f"stale:{name}") for name in terms.layout.cells)
    )
    gone_since = pl.col("in:log:")
    unexplained = (lost & in_a) | (extra & ~in_a & ~gone_since) | fresh_wrong
    missed = (lost & ~in_a) | (extra & (in_a | gone_since)) | any_cell("stale:", terms)
    reason = pl.when(unexplained).then(pl.lit("unexplained")).when(missed).then(pl.lit("missed"))
    reason = reason.when(~(pl.col("differs") | any_cell("differs:", terms))).then(None)
    reason = reason.when(~_covered(terms)).then(pl.lit("unexplained"))
    for name in EXPLANATIONS:
        reason = reason.when(_explains(BITS[name], terms)).then(pl.lit(name))
    return reason.otherwise(pl.lit("unexplained")).alias("reason")


def _explains(bit: int, terms: ComparisonTerms) -> pl.Expr:
    """Whether a cause of a row may change something that differs in it."""
    cells = (pl.col(f"differs:{name}") & _may_change(bit, name, terms) for name in terms.layout.cells)
    whole_row = (pl.col("differs") & _may_change(bit, name, terms) for name in sorted(terms.row_columns))
    return pl.any_horizontal(pl.lit(False), *whole_row, *cells)


def _covered(terms: ComparisonTerms) -> pl.Expr:
    """Whether the causes of a row may change what differs in it: some change certain columns only."""
    whole_row = pl.any_horizontal(_some_may_change(name, terms) for name in sorted(terms.row_columns))
    return (~pl.col("differs") | whole_row) & ~any_cell("causeless:", terms)


def _some_may_change(name: str, terms: ComparisonTerms) -> pl.Expr:
    return pl.any_horizontal(_may_change(bit, name, terms) for bit in BITS.values())


def _may_change(bit: int, name: str, terms: ComparisonTerms) -> pl.Expr:
    """Whether a row has a cause that reaches a column, and may do to it what happened."""
    reached = ((pl.col("why") & bit) > 0) & _reached(bit, name, terms)
    return reached & _vanishes(name, terms) if bit == EXCISED else reached


def _reached(bit: int, name: str, terms: ComparisonTerms) -> pl.Expr:
    prototypes = [p for p, s in terms.scopes.items() if bit not in s.columns or name in s.columns[bit]]
    return pl.col("prototype").is_in(prototypes)


def _vanishes(name: str, terms: ComparisonTerms) -> pl.Expr:
    """Excision takes rows and values away and gives none."""
    if name not in terms.layout.cells:
        return ~pl.col("in:today:")
    gone = pl.col(B + name).is_null()
    if not isinstance(terms.layout.types.get(name), pl.List):
        return gone
    return gone | (pl.col(B + name).list.len() < pl.col(A + name).list.len()).fill_null(value=False)


def _change(terms: ComparisonTerms) -> pl.Expr:
    """What happened to the row, in one word."""
    nulls = [(name, pl.col(f"differs:{name}")) for name in terms.layout.cells]
    to_null = pl.all_horizontal(pl.lit(True), *(~d | pl.col(B + n).is_null() for n, d in nulls))
    from_null = pl.all_horizontal(pl.lit(True), *(~d | pl.col(A + n).is_null() for n, d in nulls))
    in_a, in_b = pl.col("in:yesterday:"), pl.col("in:today:")
    return (
        pl.when(~in_b)
        .then(pl.lit("row missing"))
        .when(~in_a)
        .then(pl.lit("row added"))
        .when(~any_cell("differs:", terms))
        .then(pl.lit("not changed"))
        .when(to_null)
        .then(pl.lit("value to null"))
        .when(from_null)
        .then(pl.lit("null to value"))
        .otherwise(pl.lit("value changed"))
        .alias("change")
    )
