"""Compares two days of a contract by key, on a driver; memory depends on the bucket, not on the tables' size.

Both tables are read once for their digests (digests.py). The few rows that differ are read again and explained by the
log (explanation.py). Rows with duplicate or null keys cannot be joined: a comparison that finds any reports only the
figures of the two tables.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from logcache_assets.engine.compare.contract_files import Piece, Table
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
from logcache_assets.engine.compare.planning import BUCKET_ROWS, choose_comparison_buckets, group_pieces, plan_columns
from logcache_assets.engine.compare.repeated_keys import find_shared
from logcache_assets.engine.compare.tokens import row_tokens
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.explain.causes import Scope
from logcache_assets.engine.explain.counting import EXAMPLES, Explained
from logcache_assets.engine.explain.explanation import ExplainTask
from logcache_assets.engine.explain.joined_columns import WHY, no_recorded
from logcache_assets.engine.explain.row_comparison import RowComparison
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.schemas import column_types
from logcache_assets.engine.storage.shards import Shard, in_bucket, read_shards

DAYS = ("held", "present")
"""Which of the log's rows each side has, by the columns of joined_columns.WHY."""

MANY_ROWS = 2_000_000
"""If more rows than this differ on either day, all rows are read instead of looked up."""

LISTED_PATTERNS = 40
"""Patterns kept per contract; the rest are only counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two days of one contract, and how to compare them."""

    yesterday: Table
    today: Table
    key: tuple[str, ...]
    row_columns: frozenset[str]
    token_key: bytes
    recorded: tuple[Shard, ...] = ()
    """The recorded rows (expectation.py), in as many buckets as the comparison has."""
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    record_shared: Callable[[pl.DataFrame], tuple[Shard, ...]] | None = None
    """Records all rows of keys that several entities may have; None where the log is unknown."""
    as_multisets: bool = False
    """Whether any key may repeat, because both tables show one t and the log has its say elsewhere."""
    tolerances: Mapping[str, float] = field(default_factory=dict)
    unchecked: frozenset[str] = frozenset()
    expected: Mapping[str, pl.DataType] | None = None
    """Column → the type that definition and log give; other columns are judged by the schema check alone. None compares
    all of today's columns."""
    bucket_rows: int = BUCKET_ROWS
    """About how many rows of one day are compared at once; memory grows with it."""
    many_rows: int = MANY_ROWS
    """Up to this many differing rows of a day are looked up; beyond that, all rows are read."""

    @property
    def buckets(self) -> int:
        """The number of buckets for the rows of both days."""
        return choose_comparison_buckets(self.yesterday, self.today, bucket_rows=self.bucket_rows)

    @property
    def columns(self) -> ComparedColumns:
        """The columns to compare."""
        return plan_columns(self.key, yesterday=self.yesterday.schema, today=self.today.schema, expected=self.expected)

    @property
    def row_comparison(self) -> RowComparison:
        """How single rows are compared and explained."""
        return RowComparison(
            columns=self.columns,
            row_columns=self.row_columns,
            has_t="db__t" in self.key,
            scopes=self.scopes,
            tolerances=self.tolerances,
            unchecked=self.unchecked,
            token_key=self.token_key,
        )


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
    run = _Run(comparison, driver, scratch)
    digested = list(driver.run(run.digest_tasks()))
    differing = list(driver.run(run.differ_tasks(digested)))
    repeated = run.read_repeated(differing)
    if run.record_shared([keys for keys in repeated if len(keys)]):
        differing = list(driver.run(run.differ_tasks(digested)))
    tables = [run.describe(side, digested, repeated[side]) for side in (YESTERDAY, TODAY)]
    explained = bool(comparison.scopes)
    if any(table.null_keys or table.duplicate_keys for table in tables):
        figures = ContractFigures(yesterday=tables[YESTERDAY], today=tables[TODAY], explained=explained)
        return Compared(figures=figures, faulty=None)
    parts = run.explain(differing)
    suspects = [part.suspects for part in parts if len(part.suspects)]
    if suspects and run.record_shared([*(keys for keys in repeated if len(keys)), *suspects]):
        parts = run.explain(list(driver.run(run.differ_tasks(digested))))
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


class _Run:
    """The steps of one comparison."""

    def __init__(self, comparison: Comparison, driver: Driver, scratch: Folder) -> None:
        self.comparison, self.driver, self.scratch = comparison, driver, scratch
        self.columns, self.tables = comparison.columns, (comparison.yesterday, comparison.today)
        self.buckets = comparison.buckets
        self.in_memory = driver.shares_memory and self.buckets == 1

    def _folder(self, name: str) -> Folder | None:
        return None if self.in_memory else self.scratch.at(name)

    def digest_tasks(self) -> list[DigestTask]:
        """Tasks that read both tables once."""
        return [
            DigestTask(
                table=table,
                pieces=pieces,
                columns=self.columns,
                side=side,
                buckets=self.buckets,
                recorded=frozenset(prototype for prototype, s in self.comparison.scopes.items() if s.complete),
                folder=self._folder(f"digests-{side}-{number}"),
            )
            for side, table in enumerate(self.tables)
            for number, pieces in enumerate(group_pieces(table.pieces))
        ]

    def differ_tasks(self, digested: Sequence[Digested]) -> list[DifferTask]:
        """Tasks that compare the digests, one per bucket."""
        sides = [[shard for part in digested if part.side == side for shard in part.shards] for side in (0, 1)]
        return [
            DifferTask(*(in_bucket(shards, bucket) for shards in (*sides, self.comparison.recorded)))
            for bucket in self._all_buckets()
        ]

    def _all_buckets(self) -> list[Bucket]:
        return [Bucket(number, self.buckets) for number in range(self.buckets)]

    def read_repeated(self, differing: Sequence[Differing]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Of each table, the keys that repeat, as often as they occur; different keys may have equal hashes."""
        rows = [pl.concat([found.repeated[side] for found in differing]) for side in (YESTERDAY, TODAY)]
        return self._read_keys(YESTERDAY, rows[YESTERDAY]), self._read_keys(TODAY, rows[TODAY])

    def _read_keys(self, side: int, rows: pl.Series) -> pl.DataFrame:
        key = self.columns.key
        nothing = self.columns.to_common(pl.DataFrame({"": []})).clear().select(key)
        few = len(rows) <= self.comparison.many_rows
        found = self.driver.run(self._extract_tasks("repeated", side, rows, few=few)) if len(rows) else iter(())
        keys = pl.concat([nothing, *(shard.read().select(key) for part in found for shard in part.shards)])
        return keys.filter(keys.is_duplicated())

    def record_shared(self, repeated: Sequence[pl.DataFrame]) -> bool:
        """Ask the log for all rows of these keys; False if there are none, or there is no log."""
        record = self.comparison.record_shared
        if not repeated or record is None:
            return False
        self.comparison = replace(self.comparison, recorded=record(pl.concat(repeated).unique()))
        return True

    def describe(self, side: int, digested: Sequence[Digested], repeated: pl.DataFrame) -> TableFigures:
        """The figures of one table by itself; `repeated` has its keys that repeat, as often as they occur."""
        own = [part for part in digested if part.side == side]
        # What was excised or renamed since is not in the log any more, so it cannot vouch for yesterday's keys.
        trusted = [p for p, scope in self.comparison.scopes.items() if scope.complete and side == YESTERDAY]
        shared = find_shared(repeated, self._recorded_keys(), DAYS[side], self.columns.key, trusted=trusted)
        beyond = len(repeated) - repeated.n_unique()
        given = beyond if self.comparison.as_multisets else int(shared["beyond"].sum())
        return TableFigures(
            rows=sum(sum(part.rows.values()) for part in own),
            null_keys=sum(part.null_keys for part in own),
            duplicate_keys=beyond - given,
            columns=column_types(self.tables[side].schema),
            shared_keys=given,
            sharing=self._tokens(shared),
        )

    def _tokens(self, shared: pl.DataFrame) -> tuple[str, ...]:
        rows = shared.select(self.columns.key[:2]).unique().sort(self.columns.key[:2]).head(EXAMPLES)
        return tuple(row_tokens(self.comparison.token_key, rows))

    def _recorded_keys(self) -> pl.DataFrame:
        return read_shards(self.comparison.recorded, no_recorded(self.columns)).select(*self.columns.key, *WHY)

    def explain(self, differing: Sequence[Differing]) -> list[Explained]:
        """Read the rows that differ, or should, and explain them; one result per bucket, in order."""
        wanted = [pl.concat([found.rows[side] for found in differing]) for side in (YESTERDAY, TODAY)]
        # Decided for both days at once: a row that is read on one day only would look missing on the other.
        few = max(len(rows) for rows in wanted) <= self.comparison.many_rows
        tasks = [task for side, rows in enumerate(wanted) for task in self._extract_tasks("rows", side, rows, few=few)]
        extracted = list(self.driver.run(tasks))
        sides = [[shard for part in extracted if part.side == side for shard in part.shards] for side in (0, 1)]
        explain = [
            ExplainTask(
                comparison=self.comparison.row_comparison,
                yesterday=in_bucket(sides[YESTERDAY], bucket),
                today=in_bucket(sides[TODAY], bucket),
                recorded=in_bucket(self.comparison.recorded, bucket),
                bucket=bucket,
            )
            for bucket in self._all_buckets()
        ]
        return sorted(self.driver.run(explain), key=lambda part: part.bucket)

    def _extract_tasks(self, what: str, side: int, rows: pl.Series, *, few: bool) -> list[ExtractTask]:
        """Tasks that read the given rows: one per file if they are few, otherwise tasks that read all rows."""
        pieces = self.tables[side].pieces
        groups = (
            [tuple(own) for _, own in groupby(pieces, key=lambda piece: piece.uri)] if few else group_pieces(pieces)
        )
        wanted = [_rows_of(own, rows) if few else None for own in groups]
        return [
            ExtractTask(
                table=self.tables[side],
                pieces=own,
                columns=self.columns,
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
