"""Compares two days of a contract by key, on a driver; memory is bounded by the bucket, whatever the tables' size.

Both tables are read once for their digests (digests.py), the few rows that differ a second time, and these are
explained with what the log says of them (explanation.py). Duplicate or null keys are an error of the table, never
joined: the comparison then stops at the tables themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import polars as pl

from logcache_assets.domain.figures import (
    ContractFigures,
    PrototypeFigures,
    TableFigures,
    complete_figures,
    sum_prototypes,
)
from logcache_assets.domain.patterns import merge_patterns
from logcache_assets.engine.compare.contract_files import Piece, Table, common_type
from logcache_assets.engine.compare.digests import (
    TODAY,
    YESTERDAY,
    ComparedColumns,
    Differing,
    DifferTask,
    Digested,
    DigestTask,
    ExtractTask,
    add_counts,
)
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.explain.causes import Scope
from logcache_assets.engine.explain.comparison_terms import ComparisonTerms
from logcache_assets.engine.explain.counting import Explained
from logcache_assets.engine.explain.explanation import ExplainTask
from logcache_assets.engine.storage.buckets import Bucket, choose_buckets
from logcache_assets.engine.storage.schemas import column_types
from logcache_assets.engine.storage.shards import Shard, in_bucket

BUCKET_ROWS = 8_000_000
"""About how many rows of one day a bucket should hold: some hundred megabytes of digests."""

PIECES_AT_ONCE = 8
"""So many pieces of a table make a task."""

MANY_ROWS = 2_000_000
"""When more rows than these differ on one of both days, all are read rather than looked up."""

LISTED_PATTERNS = 40
"""So many patterns of a contract are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two days of one contract."""

    yesterday: Table
    today: Table
    key: tuple[str, ...]
    row_columns: frozenset[str]
    token_key: bytes
    recorded: tuple[Shard, ...] = ()
    """What the log says, in as many buckets as the comparison has."""
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    tolerances: Mapping[str, float] = field(default_factory=dict)
    unchecked: frozenset[str] = frozenset()
    expected: Mapping[str, pl.DataType] | None = None
    """Column → the type that definition and log give; columns that are not among them are left to the schema. None
    compares all of today's."""
    bucket_rows: int = BUCKET_ROWS
    """About how many rows of one day are compared at once; memory grows with it."""
    many_rows: int = MANY_ROWS
    """Up to so many rows of a day are looked up; of more, all are read."""

    @property
    def buckets(self) -> int:
        """Into how many buckets the rows of both days go."""
        return choose_comparison_buckets(self.yesterday, self.today, bucket_rows=self.bucket_rows)

    @property
    def layout(self) -> ComparedColumns:
        """The columns to compare."""
        return plan_layout(self.key, yesterday=self.yesterday.schema, today=self.today.schema, expected=self.expected)

    @property
    def terms(self) -> ComparisonTerms:
        """For the explanation of single rows."""
        return ComparisonTerms(
            layout=self.layout,
            row_columns=self.row_columns,
            has_t="db__t" in self.key,
            scopes=self.scopes,
            tolerances=self.tolerances,
            unchecked=self.unchecked,
            token_key=self.token_key,
        )


def plan_layout(
    key: Sequence[str],
    *,
    yesterday: pl.Schema,
    today: pl.Schema,
    expected: Mapping[str, pl.DataType] | None = None,
) -> ComparedColumns:
    """Today's columns in the types that both days share, and the log; a column that yesterday lacks was null then."""
    types, retyped, foreign = dict[str, pl.DataType](), dict[str, pl.DataType](), set[str]()
    for name, dtype in today.items():
        if expected is not None and name not in {*expected, *key}:
            continue
        days, due = (yesterday.get(name, dtype), dtype), (expected or {}).get(name, dtype)
        common = common_type(*days, due) or common_type(*days)
        if common is not None:
            types[name] = common
        elif name in key:
            types[name] = pl.String()
        else:
            retyped[name] = dtype
        if common_type(dtype, due) is None:
            foreign.add(name)
    return ComparedColumns(key=tuple(key), types=types, retyped=retyped, foreign=frozenset(foreign - set(key)))


def choose_comparison_buckets(yesterday: Table, today: Table, *, bucket_rows: int = BUCKET_ROWS) -> int:
    """Into how many buckets the rows of two tables go."""
    return choose_buckets(max(yesterday.rows, today.rows), bucket_datoms=bucket_rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The figures, and faulty rows whose place in the log is not known."""

    figures: ContractFigures
    faulty: pl.DataFrame | None
    """Columns of Explained.faulty; None where rows could not be compared."""


def compare_tables(comparison: Comparison, driver: Driver, scratch: Folder) -> Compared:
    """Count and explain what differs.

    Args:
        comparison: of what.
        driver: where the work is done.
        scratch: an empty folder that the driver's tasks reach, for what does not fit in memory.

    Raises:
        ParquetError: a file is unreadable.
    """
    run = _Run(comparison, driver, scratch)
    digested = list(driver.run(run.digest_tasks()))
    differing = list(driver.run(run.differ_tasks(digested)))
    tables = [run.describe(side, digested, differing) for side in (YESTERDAY, TODAY)]
    explained = bool(comparison.scopes)
    if any(table.null_keys or table.duplicate_keys for table in tables):
        figures = ContractFigures(yesterday=tables[YESTERDAY], today=tables[TODAY], explained=explained)
        return Compared(figures=figures, faulty=None)
    parts = run.explain(differing)
    patterns = merge_patterns(pattern for part in parts for pattern in part.patterns)
    figures = ContractFigures(
        yesterday=tables[YESTERDAY],
        today=tables[TODAY],
        explained=explained,
        prototypes=_all_rows(parts, digested, comparison.layout.cells),
        patterns=patterns[:LISTED_PATTERNS],
        more_patterns=len(patterns[LISTED_PATTERNS:]),
    )
    return Compared(figures=figures, faulty=pl.concat([part.faulty for part in parts]))


class _Run:
    """The steps of one comparison."""

    def __init__(self, comparison: Comparison, driver: Driver, scratch: Folder) -> None:
        self.comparison, self.driver, self.scratch = comparison, driver, scratch
        self.layout, self.tables = comparison.layout, (comparison.yesterday, comparison.today)
        self.buckets = comparison.buckets
        self.in_memory = driver.shares_memory and self.buckets == 1

    def _folder(self, name: str) -> Folder | None:
        return None if self.in_memory else self.scratch.at(name)

    def digest_tasks(self) -> list[DigestTask]:
        """Read both tables once."""
        return [
            DigestTask(
                table=table,
                pieces=pieces,
                layout=self.layout,
                side=side,
                buckets=self.buckets,
                recorded=frozenset(prototype for prototype, s in self.comparison.scopes.items() if s.complete),
                folder=self._folder(f"digests-{side}-{number}"),
            )
            for side, table in enumerate(self.tables)
            for number, pieces in enumerate(_groups(table.pieces))
        ]

    def differ_tasks(self, digested: Sequence[Digested]) -> list[DifferTask]:
        """Compare the digests of every bucket."""
        sides = [[shard for part in digested if part.side == side for shard in part.shards] for side in (0, 1)]
        return [
            DifferTask(*(in_bucket(shards, bucket) for shards in (*sides, self.comparison.recorded)))
            for bucket in self._all_buckets()
        ]

    def _all_buckets(self) -> list[Bucket]:
        return [Bucket(number, self.buckets) for number in range(self.buckets)]

    def describe(self, side: int, digested: Sequence[Digested], differing: Sequence[Differing]) -> TableFigures:
        """One table by itself."""
        own = [part for part in digested if part.side == side]
        repeated = pl.concat([found.repeated[side] for found in differing])
        return TableFigures(
            rows=sum(sum(part.rows.values()) for part in own),
            null_keys=sum(part.null_keys for part in own),
            duplicate_keys=self._count_repeated(side, repeated) if len(repeated) else 0,
            columns=column_types(self.tables[side].schema),
        )

    def _count_repeated(self, side: int, rows: pl.Series) -> int:
        """Rows above one per key; equal hashes may also be those of different keys."""
        found = self.driver.run(self._extract_tasks("repeated", side, rows, few=len(rows) <= self.comparison.many_rows))
        keys = pl.concat([shard.read() for part in found for shard in part.shards]).select(self.layout.key)
        return len(keys) - keys.n_unique()

    def explain(self, differing: Sequence[Differing]) -> list[Explained]:
        """Read the rows that differ, or should, and explain them bucket by bucket."""
        wanted = [pl.concat([found.rows[side] for found in differing]) for side in (YESTERDAY, TODAY)]
        # Both days alike: a row that is read on one day alone would look missing on the other.
        few = max(len(rows) for rows in wanted) <= self.comparison.many_rows
        tasks = [task for side, rows in enumerate(wanted) for task in self._extract_tasks("rows", side, rows, few=few)]
        extracted = list(self.driver.run(tasks))
        sides = [[shard for part in extracted if part.side == side for shard in part.shards] for side in (0, 1)]
        explain = [
            ExplainTask(
                terms=self.comparison.terms,
                yesterday=in_bucket(sides[YESTERDAY], bucket),
                today=in_bucket(sides[TODAY], bucket),
                recorded=in_bucket(self.comparison.recorded, bucket),
                bucket=bucket,
            )
            for bucket in self._all_buckets()
        ]
        return sorted(self.driver.run(explain), key=lambda part: part.bucket)

    def _extract_tasks(self, what: str, side: int, rows: pl.Series, *, few: bool) -> list[ExtractTask]:
        """Read some rows: those of each file at once where they are few, otherwise all rows piece by piece."""
        pieces = self.tables[side].pieces
        groups = [tuple(own) for _, own in groupby(pieces, key=lambda piece: piece.uri)] if few else _groups(pieces)
        wanted = [_rows_of(own, rows) if few else None for own in groups]
        return [
            ExtractTask(
                table=self.tables[side],
                pieces=own,
                layout=self.layout,
                rows=its_rows,
                buckets=self.buckets,
                folder=self._folder(f"{what}-{side}-{number}"),
                side=side,
            )
            for number, (own, its_rows) in enumerate(zip(groups, wanted, strict=True))
            if its_rows is None or len(its_rows)
        ]


def _rows_of(pieces: Sequence[Piece], rows: pl.Series) -> pl.Series:
    first, last = pieces[0], pieces[-1]
    return rows.filter(rows.is_between(first.begin, last.begin + last.rows - 1))


def _groups(pieces: Sequence[Piece]) -> list[tuple[Piece, ...]]:
    return [tuple(pieces[n : n + PIECES_AT_ONCE]) for n in range(0, len(pieces), PIECES_AT_ONCE)]


def _all_rows(
    parts: Sequence[Explained], digested: Sequence[Digested], cells: Sequence[str]
) -> dict[str, PrototypeFigures]:
    """The figures of looked-up rows completed with those that the digests prove equal."""
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
