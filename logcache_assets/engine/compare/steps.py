"""The steps of one comparison: their tasks, and what is passed from one to the next."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import polars as pl

from logcache_assets.domain.figures import TableFigures
from logcache_assets.engine.compare.alike import AlikeTask, have_same_files
from logcache_assets.engine.compare.comparison import Comparison
from logcache_assets.engine.compare.contract_files import Piece
from logcache_assets.engine.compare.digests import (
    KEYS,
    TODAY,
    YESTERDAY,
    DayRows,
    DaysDigests,
    Differing,
    DifferTask,
    ExtractTask,
)
from logcache_assets.engine.compare.planning import PairedPieces, group_pieces, pair_pieces
from logcache_assets.engine.compare.reading import Digested, ReadTask
from logcache_assets.engine.compare.repeated_keys import BEYOND, find_shared
from logcache_assets.engine.compare.tokens import row_tokens
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.explain.counting import EXAMPLES, Explained
from logcache_assets.engine.explain.explanation import ExplainTask
from logcache_assets.engine.explain.joined_columns import HELD, PRESENT, WHY, no_recorded
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.schemas import column_types
from logcache_assets.engine.storage.shards import K, Shard, in_bucket, read_shards

DAYS = (HELD, PRESENT)
"""Which of the log's rows each side has, by the columns of joined_columns.WHY."""


class Steps:
    """The steps of one comparison.

    Args:
        comparison: the tables, and how to compare them.
        driver: runs the tasks.
        scratch: an empty folder that the tasks can reach, for what does not fit in memory.
    """

    def __init__(self, comparison: Comparison, driver: Driver, scratch: Folder) -> None:
        self.comparison, self.driver, self.scratch = comparison, driver, scratch
        self.columns, self.tables = comparison.columns, (comparison.yesterday, comparison.today)
        self.buckets = comparison.buckets
        self.in_memory = driver.shares_memory and self.buckets == 1

    def _folder(self, name: str) -> Folder | None:
        return None if self.in_memory else self.scratch.at(name)

    def read(self) -> list[Digested]:
        """Read both tables; here one task after the other, as each decodes both days on all cores."""
        tasks = self.read_tasks()
        runs = [[task] for task in tasks] if self.driver.shares_memory else [tasks]
        return [day for run in runs for days in self.driver.run(run) for day in days]

    def read_tasks(self) -> list[ReadTask | AlikeTask]:
        """Tasks that read both tables once, side by side, or the keys of one if both have the same files."""
        pieces = pair_pieces(self.tables[YESTERDAY].pieces, self.tables[TODAY].pieces)
        placed = [(own, self._folder(f"read-{number}")) for number, own in enumerate(pieces)]
        if have_same_files(*self.tables):
            return [self._alike_task(own[TODAY], folder) for own, folder in placed]
        touched = self._touched(self.comparison.recorded)
        return [self._read_task(own, folder, touched) for own, folder in placed]

    def _read_task(self, pieces: PairedPieces, folder: Folder | None, touched: pl.Series) -> ReadTask:
        return ReadTask(
            tables=self.tables,
            pieces=pieces,
            columns=self.columns,
            buckets=self.buckets,
            recorded=self._recorded,
            touched=touched,
            folder=folder,
            most_kept_bytes=self.comparison.kept_bytes,
        )

    def _alike_task(self, pieces: tuple[Piece, ...], folder: Folder | None) -> AlikeTask:
        return AlikeTask(
            table=self.tables[TODAY],
            pieces=pieces,
            columns=self.columns,
            buckets=self.buckets,
            recorded=self._recorded,
            folder=folder,
        )

    @property
    def _recorded(self) -> frozenset[str]:
        """The prototypes whose every row must be read."""
        return frozenset(prototype for prototype, scope in self.comparison.scopes.items() if scope.complete)

    def _touched(self, recorded: Sequence[Shard]) -> pl.Series:
        """The hashes K of recorded rows."""
        return pl.concat([KEYS, *(read_shards((shard,), KEYS).select(K) for shard in recorded)])[K].unique()

    def differ_tasks(self, digested: Sequence[Digested]) -> list[DifferTask]:
        """Tasks that compare the digests, one per bucket."""

        def of_day(side: int, bucket: Bucket) -> DaysDigests:
            own = [part for part in digested if part.side == side]
            equal = in_bucket((shard for part in own for shard in part.equal), bucket)
            return DaysDigests(equal, in_bucket((shard for part in own for shard in part.others), bucket))

        return [
            DifferTask(
                of_day(YESTERDAY, bucket),
                of_day(TODAY, bucket),
                self._touched(in_bucket(self.comparison.recorded, bucket)),
            )
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
        nothing = self.columns.only_key().no_rows()
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
        given = beyond if self.comparison.as_multisets else int(shared[BEYOND].sum())
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

    def explain(self, digested: Sequence[Digested], differing: Sequence[Differing]) -> list[Explained]:
        """Explain the rows that differ, or should, reading those that were not kept: one result per bucket."""
        wanted = [pl.concat([found.rows[side] for found in differing]) for side in (YESTERDAY, TODAY)]
        # Decided for both days at once: a row that is read on one day only would look missing on the other.
        few = max(len(rows) for rows in wanted) <= self.comparison.many_rows
        days = [self._rows_of_day(digested, side, rows, few=few) for side, rows in enumerate(wanted)]
        explain = [
            ExplainTask(
                comparison=self.comparison.row_comparison,
                yesterday=days[YESTERDAY].in_bucket(bucket),
                today=days[TODAY].in_bucket(bucket),
                recorded=in_bucket(self.comparison.recorded, bucket),
                bucket=bucket,
            )
            for bucket in self._all_buckets()
        ]
        return sorted(self.driver.run(explain), key=lambda part: part.bucket)

    def _rows_of_day(self, digested: Sequence[Digested], side: int, wanted: pl.Series, *, few: bool) -> DayRows:
        """The wanted rows of one day, or all of them: those that were kept, and those that are now read."""
        own = [part for part in digested if part.side == side and few]
        kept_rows = pl.concat([wanted.clear(), *(part.kept_rows for part in own)])
        rest = wanted.filter(~wanted.is_in(kept_rows.implode()))
        extracted = self.driver.run(self._extract_tasks("rows", side, rest, few=few))
        return DayRows(
            kept=tuple(shard for part in own for shard in part.kept),
            wanted=wanted,
            read=tuple(shard for part in extracted for shard in part.shards),
        )

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
