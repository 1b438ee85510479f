"""Compares two days of a contract by key, on a driver; memory depends on the bucket, not on the tables' size.

Both tables are read once (reading.py); the few rows that differ are explained by the log (explanation.py). Rows with
duplicate or null keys cannot be joined: a comparison that finds any reports only the figures of the two tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.figures import ContractFigures, PrototypeFigures, complete_figures, sum_prototypes
from logcache_assets.domain.patterns import merge_patterns
from logcache_assets.engine.compare.comparison import Comparison
from logcache_assets.engine.compare.digests import TODAY, YESTERDAY, add_counts
from logcache_assets.engine.compare.reading import Digested
from logcache_assets.engine.compare.steps import Steps
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.explain.counting import Explained

LISTED_PATTERNS = 40
"""Patterns kept per contract; the rest are only counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The result of a comparison."""

    figures: ContractFigures
    faulty: pl.DataFrame | None
    """The first faulty rows, columns of Explained.faulty; None if rows could not be compared."""


def compare_tables(comparison: Comparison, driver: Driver, scratch: Folder) -> Compared:
    """Compare two days of a contract: count and explain what differs.

    Args:
        comparison: the tables, and how to compare them.
        driver: runs the tasks.
        scratch: an empty folder that the tasks can reach, for what does not fit in memory.

    Raises:
        ParquetError: a file is unreadable.
    """
    run = Steps(comparison, driver, scratch)
    digested = run.read()
    differing = list(driver.run(run.differ_tasks(digested)))
    repeated = run.read_repeated(differing)
    if run.record_shared([keys for keys in repeated if len(keys)]):
        differing = list(driver.run(run.differ_tasks(digested)))
    tables = [run.describe(side, digested, repeated[side]) for side in (YESTERDAY, TODAY)]
    explained = bool(comparison.scopes)
    if any(table.null_keys or table.duplicate_keys for table in tables):
        figures = ContractFigures(yesterday=tables[YESTERDAY], today=tables[TODAY], explained=explained)
        return Compared(figures=figures, faulty=None)
    parts = run.explain(digested, differing)
    suspects = [part.suspects for part in parts if len(part.suspects)]
    if suspects and run.record_shared([*(keys for keys in repeated if len(keys)), *suspects]):
        parts = run.explain(digested, list(driver.run(run.differ_tasks(digested))))
    patterns = merge_patterns(pattern for part in parts for pattern in part.patterns)
    figures = ContractFigures(
        yesterday=tables[YESTERDAY],
        today=tables[TODAY],
        explained=explained,
        prototypes=_complete_prototypes(parts, digested, comparison.columns.cells),
        patterns=patterns[:LISTED_PATTERNS],
        more_patterns=len(patterns[LISTED_PATTERNS:]),
    )
    return Compared(figures=figures, faulty=pl.concat([part.faulty for part in parts]))


def _complete_prototypes(
    parts: Sequence[Explained], digested: Sequence[Digested], cells: Sequence[str]
) -> dict[str, PrototypeFigures]:
    """Figures by prototype: those of the rows that were read, completed with the rows that the digests prove equal."""
    rows: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for part in digested:
        add_counts(rows[part.side], part.rows)
    looked_at = sum_prototypes(part.prototypes for part in parts)
    return {
        prototype: complete_figures(
            looked_at.get(prototype),
            yesterday_rows=rows[YESTERDAY].get(prototype, 0),
            rows=rows[TODAY].get(prototype, 0),
            columns=cells,
        )
        for prototype in sorted({*rows[YESTERDAY], *rows[TODAY], *looked_at})
    }
