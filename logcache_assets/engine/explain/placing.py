"""What is known of each row beside its cells: is it due today, is it in both days, what may have changed it."""

import polars as pl

from logcache_assets.engine.explain.causes import REFERRED, TOUCHED
from logcache_assets.engine.explain.joined_columns import (
    AFTER_T,
    COMPLETE,
    DUE,
    IN_BOTH,
    IN_LOG,
    IN_ONE,
    IN_TODAY,
    IN_YESTERDAY,
    PRESENT,
    WHY_BITS,
)
from logcache_assets.engine.explain.row_comparison import RowComparison


def place_rows(rows: pl.DataFrame, comparison: RowComparison) -> pl.DataFrame:
    """Add AFTER_T, COMPLETE, DUE, WHY_BITS, IN_ONE and IN_BOTH to rows that have the cells of both days and the log."""
    in_yesterday, in_today, recorded = (pl.col(is_in) for is_in in (IN_YESTERDAY, IN_TODAY, IN_LOG))
    scoped = rows.with_columns(_after_t(comparison), _complete(comparison).alias(COMPLETE))
    new = (pl.col("db__t") > pl.col(AFTER_T)) if comparison.has_t else pl.lit(False)
    unrecorded = pl.when(new | (pl.col(COMPLETE) > 0)).then(pl.lit(False)).otherwise(in_yesterday)
    return scoped.with_columns(
        pl.when(recorded).then(pl.col(PRESENT)).otherwise(unrecorded).fill_null(value=False).alias(DUE),
        _causes(comparison).alias(WHY_BITS),
        (in_yesterday != in_today).alias(IN_ONE),
        (in_yesterday & in_today).alias(IN_BOTH),
    )


def _after_t(comparison: RowComparison) -> pl.Expr:
    after = {prototype: scope.after_t for prototype, scope in comparison.scopes.items()}
    return pl.col("prototype").replace_strict(after, default=None, return_dtype=pl.Int64).alias(AFTER_T)


def _complete(comparison: RowComparison) -> pl.Expr:
    complete = {prototype: scope.complete for prototype, scope in comparison.scopes.items()}
    return pl.col("prototype").replace_strict(complete, default=0, return_dtype=pl.UInt8)


def _causes(comparison: RowComparison) -> pl.Expr:
    """The bits of a row's causes; a tx changes no history row that is older than it."""
    why = pl.when(IN_LOG).then(pl.col(WHY_BITS)).otherwise(pl.col(COMPLETE))
    if not comparison.has_t:
        return why
    older = ~pl.lit(TOUCHED | REFERRED, pl.UInt8)
    return pl.when(pl.col("db__t") > pl.col(AFTER_T)).then(pl.lit(TOUCHED, pl.UInt8)).otherwise(why & older)
