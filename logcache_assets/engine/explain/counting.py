"""Counts rows by their reasons, into figures and patterns that hold no values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from logcache_assets.domain.figures import FAULTS, CellFigures, Pattern, PrototypeFigures
from logcache_assets.engine.compare.contract_files import key_text
from logcache_assets.engine.compare.digests import key_hash
from logcache_assets.engine.compare.tokens import row_token
from logcache_assets.engine.explain.joined_columns import (
    CAUSELESS,
    CHANGE,
    DIFFERS,
    DUE,
    IN_BOTH,
    IN_LOG,
    IN_ONE,
    IN_TODAY,
    IN_YESTERDAY,
    REASON,
    SEPARATOR,
    STALE,
    TODAY_CELL,
    WHY_T,
    WRONG,
    YESTERDAY_CELL,
)
from logcache_assets.engine.explain.row_comparison import RowComparison, any_cell
from logcache_assets.engine.storage.buckets import WHOLE, Bucket

EXAMPLES = 3
"""How many rows of a pattern get a token."""
FAULTY_ROWS = 1_000
"""How many faulty rows of a bucket are later looked up in the log."""

CELL_COUNTS = ("equal", "changed", "to_null", "from_null", "unexplained", "missed")
"""The fields of CellFigures, in the order of _cell_counts."""

CELLS_AT_FAULT, PATTERN = "\x00cells at fault", "\x00pattern"
"""Whether a row is a fault of some of its cells, and the names of the columns of its pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Figures and patterns of some rows; `equal` of columns counts only rows that were read."""

    prototypes: Mapping[str, PrototypeFigures]
    patterns: tuple[Pattern, ...]
    faulty: pl.DataFrame
    """The first faulty rows: `t`, or `key` (the primary key) if rows have no t; prototype, reason, change, columns."""
    bucket: Bucket = WHOLE
    suspects: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Keys that several entities may have, of which the log was not asked."""


def count_rows(rows: pl.DataFrame, comparison: RowComparison) -> Explained:
    """Count rows that have a REASON, a CHANGE and the flags of their cells."""
    found = rows.filter(pl.col(REASON).is_not_null())
    # The flag becomes a column first: as an expression, each cell's would name all other cells.
    differing = found.with_columns(_has_cells_at_fault(comparison)).with_columns(_pattern_columns(comparison))
    return Explained(
        prototypes=dict(_count_prototypes(rows, comparison)),
        patterns=tuple(_find_patterns(differing, comparison)),
        faulty=_select_faulty(differing, comparison),
    )


def _count_prototypes(rows: pl.DataFrame, comparison: RowComparison) -> Iterator[tuple[str, PrototypeFigures]]:
    counts = [pl.col(IN_BOTH).sum(), *(count for name in comparison.cells for count in _cell_counts(name))]
    for key, part in rows.partition_by("prototype", as_dict=True).items():
        reasons = part[REASON].drop_nulls().value_counts()
        yield (
            str(key[0]),
            PrototypeFigures(
                rows=_count(part, pl.col(IN_TODAY)),
                yesterday_rows=_count(part, pl.col(IN_YESTERDAY)),
                missing=_count(part, pl.col(IN_YESTERDAY) & ~pl.col(IN_TODAY)),
                added=_count(part, pl.col(IN_TODAY) & ~pl.col(IN_YESTERDAY)),
                changed=_count(part, pl.col(IN_BOTH) & any_cell(DIFFERS, comparison)),
                reasons=dict(reasons.iter_rows()),
                faulty_rows=dict(part.filter(_is_wrong_row())[REASON].value_counts().iter_rows()),
                columns=dict(_read_cells(part.select(counts).row(0, named=True), comparison)),
            ),
        )


def _count(part: pl.DataFrame, which: pl.Expr) -> int:
    return int(part.select(which.sum()).item())


def _is_wrong_row() -> pl.Expr:
    """Whether a row exists or is missing contrary to the log."""
    placed = pl.col(DUE) != pl.col(IN_TODAY)
    return pl.col(REASON).is_in(list(FAULTS)) & (placed | pl.col(IN_ONE))


def _read_cells(counted: Mapping[str, int], comparison: RowComparison) -> Iterator[tuple[str, CellFigures]]:
    """The figures of every cell, from the results of _cell_counts; those that are not looked at are equal."""
    looked_at = frozenset(comparison.cells)
    for name in comparison.columns.cells:
        if name in looked_at:
            yield name, CellFigures(**{count: counted[f"{count}:{name}"] for count in CELL_COUNTS})
        else:
            yield name, CellFigures(equal=counted[IN_BOTH])


def _cell_counts(name: str) -> Iterator[pl.Expr]:
    """Counts the cells of one column, as `<field of CellFigures>:<column>`."""
    differs = pl.col(DIFFERS + name)
    was, is_now = pl.col(YESTERDAY_CELL + name).is_not_null(), pl.col(TODAY_CELL + name).is_not_null()
    counts = (
        pl.col(IN_BOTH) & ~differs,
        differs & was & is_now,
        differs & ~is_now,
        differs & ~was,
        _unexplained_cells(name),
        pl.col(STALE + name),
    )
    yield from (which.sum().alias(f"{field}:{name}") for field, which in zip(CELL_COUNTS, counts, strict=True))


def _unexplained_cells(name: str) -> pl.Expr:
    """Whether a cell of an unexplained row is wrong, or differs although no cause reaches it."""
    wrong = pl.col(WRONG + name) & ~pl.col(STALE + name)
    unexplained = (pl.col(REASON) == "unexplained").fill_null(value=False)
    return pl.col(IN_BOTH) & unexplained & (wrong | pl.col(CAUSELESS + name))


def _find_patterns(differing: pl.DataFrame, comparison: RowComparison) -> Iterator[Pattern]:
    """Group differing rows by reason, change, prototype and columns, with the tokens of a few."""
    if differing.is_empty():
        return
    t = pl.col("db__t") if comparison.has_t else pl.when(IN_LOG).then(pl.col(WHY_T))
    by, pk = ["reason", "change", "prototype", "columns"], comparison.columns.key[0]
    named = differing.select(
        "prototype",
        reason=REASON,
        change=CHANGE,
        columns=PATTERN,
        t=t,
        key=key_text(pl.col(pk), comparison.columns.types[pk]),
        # Ordered by hash, as buckets are, so that the examples do not depend on the number of buckets.
        order=key_hash(differing, comparison.columns),
    )
    grouped = named.group_by(by).agg(
        rows=pl.len(),
        first_t=pl.col("t").min(),
        last_t=pl.col("t").max(),
        keys=pl.col("key").sort_by("order").head(EXAMPLES),
    )
    for row in grouped.iter_rows(named=True):
        keys, where = row.pop("keys"), row["prototype"]
        columns = tuple(name for name in row.pop("columns").split(SEPARATOR) if name)
        tokens = tuple(dict.fromkeys(row_token(comparison.token_key, pk, key, where) for key in keys))
        yield Pattern(**row, columns=columns, examples=tokens)


def _has_cells_at_fault(comparison: RowComparison) -> pl.Expr:
    at_fault = any_cell(WRONG, comparison) | any_cell(CAUSELESS, comparison)
    return (pl.col(REASON).is_in(list(FAULTS)) & at_fault).alias(CELLS_AT_FAULT)


def _pattern_columns(comparison: RowComparison) -> pl.Expr:
    """The columns of a row's pattern, joined by SEPARATOR: those that differ; of a fault, those at fault if any are."""
    names = [pl.lit(None, pl.String)]
    for name in comparison.cells:
        at_fault = pl.col(WRONG + name) | pl.col(CAUSELESS + name)
        flag = pl.when(CELLS_AT_FAULT).then(at_fault).otherwise(pl.col(DIFFERS + name))
        names.append(pl.when(flag).then(pl.lit(name)))
    return pl.concat_str(names, separator=SEPARATOR, ignore_nulls=True).alias(PATTERN)


def _select_faulty(differing: pl.DataFrame, comparison: RowComparison) -> pl.DataFrame:
    """The first faulty rows; columns of Explained.faulty."""
    fault = pl.col(REASON).is_in(list(FAULTS))
    wanted = differing.filter(fault).head(FAULTY_ROWS)
    own = {"t": "db__t"} if comparison.has_t else {"key": comparison.columns.key[0]}
    return wanted.select("prototype", **own, reason=REASON, change=CHANGE, columns=PATTERN)
