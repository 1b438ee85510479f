"""Reads both days of a contract once, side by side: digests of all rows, and the rows themselves where the days differ.

Tables are sorted by their key, so that equal rows of both days are met at about the same time. A row waits, with its
cells, until an equal one is met on the other day; one that has waited long differs, and is kept. Where rows lie
elsewhere nothing is lost: what waits and what is kept is bounded, beyond that only digests remain, and a row that is
then wanted is read again (digests.ExtractTask).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import polars as pl

from logcache_assets.engine.compare.contract_files import Piece, Table
from logcache_assets.engine.compare.digests import (
    DIGESTS,
    EQUALS,
    RECORDED,
    ROW,
    TODAY,
    YESTERDAY,
    ComparedColumns,
    R,
    add_counts,
)
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.storage.own_texts import few_with_own_texts, with_own_texts
from logcache_assets.engine.storage.parquet import collect_batches
from logcache_assets.engine.storage.shards import K, Shard, put_shards

BATCH_ROWS = 131_072
"""Most rows of polars' own batches."""
BATCH_CELLS = 16_000_000
"""Most cells of a batch: those of a wide table have fewer rows."""
WAITING_FRAMES = 2
"""Most frames of rows that wait on either day; each is looked through for every batch of the other."""
PUT_ROWS = 1_000_000
"""Rows of which digests are put into shards at once."""
KEPT_BYTES = 32_000_000
"""Most bytes of whole rows that a task keeps of either day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digested:
    """The digests of some rows of one day, counts, and the rows that no row of the other day equals."""

    side: int
    """YESTERDAY or TODAY."""
    rows: Mapping[str, int]
    """Prototype → number of rows."""
    null_keys: int
    equal: tuple[Shard, ...]
    """Columns of EQUALS: rows that equal a row of the other day; that day's have the same set of K."""
    others: tuple[Shard, ...]
    """Columns of DIGESTS: all other rows."""
    kept: tuple[Shard, ...]
    """Some of the others, whole: ROW, K, and the compared columns in common types."""
    kept_rows: pl.Series
    """Their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTask:
    """Reads some pieces of both tables."""

    tables: tuple[Table, Table]
    """Yesterday's and today's."""
    pieces: tuple[tuple[Piece, ...], tuple[Piece, ...]]
    columns: ComparedColumns
    buckets: int
    recorded: frozenset[str]
    """Prototypes whose every row must be recorded, so that all their rows are read and compared."""
    touched: pl.Series
    """Hashes K of the keys of which the log says something; their rows are kept though the days agree."""
    folder: Folder | None
    most_kept_bytes: int = KEPT_BYTES

    def run(self) -> tuple[Digested, Digested]:
        """Read both days; yesterday's result and today's."""
        days = self._day(YESTERDAY), self._day(TODAY)
        for day in _alternate(*days):
            batch = day.batch.pop()
            day.count(batch)
            if any(each.is_hopeless for each in days):
                for each in days:
                    each.wait_no_more()
                day.settle(batch)
            else:
                _match(day, days[TODAY - day.side], batch)
            day.put_many_digests()
            del batch  # or it is held while the next one is decoded
        yesterday, today = (day.finish() for day in days)
        return yesterday, today

    def _day(self, side: int) -> "DayReading":
        return DayReading(
            side=side,
            table=self.tables[side],
            pieces=self.pieces[side],
            columns=self.columns,
            recorded=self.recorded,
            touched=self.touched,
            most_kept_bytes=self.most_kept_bytes,
            buckets=self.buckets,
            folder=self.folder.at(str(side)) if self.folder else None,
        )


@dataclass(slots=True, kw_only=True)
class DayReading:
    """One day's rows while they are read."""

    side: int
    table: Table
    pieces: tuple[Piece, ...]
    columns: ComparedColumns
    recorded: frozenset[str]
    touched: pl.Series
    most_kept_bytes: int
    buckets: int
    folder: Folder | None
    rows: dict[str, int] = field(default_factory=dict)
    null_keys: int = 0
    batch: list[pl.DataFrame] = field(default_factory=list)
    """The rows that were read last, until they are looked at."""
    read_rows: int = 0
    equal_rows: int = 0
    waiting: list[pl.DataFrame] = field(default_factory=list)
    """Whole rows for which an equal one of the other day may still come; frames of one chunk, as others are copied."""
    equal: list[pl.DataFrame] = field(default_factory=list)
    others: list[pl.DataFrame] = field(default_factory=list)
    kept: list[pl.DataFrame] = field(default_factory=list)
    kept_bytes: int = 0
    put_rows: int = 0
    """Rows that were read before the last digests were put into shards."""
    shards: dict[str, list[Shard]] = field(default_factory=dict)

    @property
    def ahead(self) -> tuple[int, int]:
        """How far this day is ahead of the other one: rows that wait for it, then rows that were read."""
        return sum(len(rows) for rows in self.waiting), self.read_rows

    @property
    def order(self) -> tuple[str, int]:
        """How far this day is by the key of its newest row, as far as texts tell; then by rows that were read."""
        # Python has no instants of far years, so their numbers are compared.
        newest = self.waiting[-1][self.columns.key[0]].tail(1).to_physical()
        return str(newest.item()), self.read_rows

    @property
    def is_hopeless(self) -> bool:
        """Whether rows hardly meet, because the days are not sorted alike or differ in most rows."""
        return self.kept_bytes > self.most_kept_bytes and 2 * self.equal_rows < self.read_rows

    def batches(self) -> Iterator[pl.DataFrame]:
        """The rows in order, each with its digest, hash of the key, and number; without cells if none will be kept."""
        size = max(1, BATCH_CELLS // len(self.columns.columns_of(self.table.schema)))
        for piece in self.pieces:
            begin = piece.begin
            scan = self.table.scan(piece).select(*self.names(), *self.digests())
            batches = collect_batches(scan, piece.uri, rows=size if size < BATCH_ROWS else None)
            while read := list(islice(batches, 1)):
                numbers = pl.int_range(begin, begin + len(read[0]), dtype=pl.Int64, eager=True)
                begin += len(read[0])
                yield read.pop().with_columns(numbers.alias(ROW))

    def names(self) -> Sequence[str]:
        """The columns to read beside the digests: all that are compared, or the key if no cells will be kept."""
        return self.columns.key if self.is_hopeless else self.columns.columns_of(self.table.schema)

    def digests(self) -> Iterator[pl.Expr]:
        """The columns of DIGESTS but the number."""
        schema = self.table.schema
        yield self.columns.key_hash(schema)
        yield self.columns.row_hash(schema, self.side)
        yield self.is_recorded()

    def is_recorded(self) -> pl.Expr:
        """Whether a row is of a prototype whose every row must be read, as RECORDED."""
        found = pl.col("prototype").cast(pl.String).is_in(sorted(self.recorded)).fill_null(value=False)
        return (found if self.recorded else pl.lit(value=False)).alias(RECORDED)

    def count(self, batch: pl.DataFrame) -> None:
        """Count the rows of a batch."""
        self.read_rows += len(batch)
        add_counts(self.rows, {str(p): n for p, n in batch["prototype"].value_counts().iter_rows()})
        key = batch.select(self.columns.key)
        if any(column.null_count() for column in key):
            self.null_keys += int(key.select(pl.any_horizontal(pl.all().is_null()).sum()).item())

    def wait(self, rows: pl.DataFrame) -> None:
        """Let rows wait for the other day's next ones; those that waited longest are settled."""
        if len(rows):
            self.waiting.append(rows)
        if len(self.waiting) > WAITING_FRAMES:
            self.settle(self.waiting.pop(0))

    def wait_no_more(self) -> None:
        """Settle all rows that wait."""
        while self.waiting:
            self.settle(self.waiting.pop(0))

    def waiting_digests(self) -> pl.Series:
        """The digests of the rows that wait."""
        return pl.concat([DIGESTS[R], *(rows[R] for rows in self.waiting)])

    def take_equal(self, other: pl.Series, frames: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
        """Set aside the rows that have a digest of the other day; return the rest."""
        digests, keys = (pl.concat([DIGESTS[name], *(f[name] for f in frames)]) for name in (R, K))
        is_equal = digests.is_in(other.implode())
        if len(self.touched):
            is_equal &= ~keys.is_in(self.touched.implode())
        rest, begin = list[pl.DataFrame](), 0
        for rows in frames:
            found = is_equal.slice(begin, len(rows)).rechunk()
            self.equal.append(rows.select(EQUALS.columns).filter(found))
            self.equal_rows += len(self.equal[-1])
            rest.append(few_with_own_texts(rows.filter(~found), of=len(rows)))
            begin += len(rows)
        return rest

    def settle(self, rows: pl.DataFrame) -> None:
        """Keep rows that no row of the other day equals: their digests and, up to a bound, their cells."""
        self.others.append(rows.select(DIGESTS.columns))
        self.kept_bytes += int(rows.estimated_size())
        if self.kept_bytes <= self.most_kept_bytes:
            cells = self.columns.to_common(rows).with_columns(rows[ROW], rows[K])
            self.kept.append(with_own_texts(cells))

    def put_many_digests(self) -> None:
        """Put the digests into shards once they are many, so that what a task holds does not grow with its rows."""
        if self.read_rows - self.put_rows > PUT_ROWS:
            self.put_digests()

    def put_digests(self) -> None:
        """Put the digests so far into shards."""
        self._put("equal", pl.concat([EQUALS, *self.equal]))
        self._put("others", pl.concat([DIGESTS, *self.others]))
        self.equal.clear()
        self.others.clear()
        self.put_rows = self.read_rows

    def _put(self, what: str, rows: pl.DataFrame) -> None:
        own = self.shards.setdefault(what, [])
        at = self.folder.at(f"{what}-{len(own)}") if self.folder else None
        own += put_shards(rows, buckets=self.buckets, folder=at) if len(rows) else ()

    def finish(self) -> Digested:
        """The result, once all rows are read."""
        self.wait_no_more()
        self.put_digests()
        nothing = self.columns.to_common(pl.DataFrame(schema=self.table.schema))
        no_rows = nothing.hstack(DIGESTS.select(ROW, K))
        kept = pl.concat([no_rows, *self.kept])
        self._put("kept", kept)
        return Digested(
            side=self.side,
            rows=self.rows,
            null_keys=self.null_keys,
            equal=tuple(self.shards["equal"]),
            others=tuple(self.shards["others"]),
            kept=tuple(self.shards["kept"]),
            kept_rows=kept[ROW],
        )


def _alternate(yesterday: DayReading, today: DayReading) -> Iterator[DayReading]:
    """Give the days their batches, each time the day that is behind: by its key, if rows do not meet."""
    reading = [(day, day.batches()) for day in (yesterday, today)]
    while reading:
        is_lost = all(len(day.waiting) >= WAITING_FRAMES for day, _ in reading)
        behind = min(reading, key=lambda each: each[0].order if is_lost else each[0].ahead)
        day, batches = behind
        day.batch.extend(islice(batches, 1))
        if day.batch:
            yield day
        else:
            reading.remove(behind)


def _match(day: DayReading, other: DayReading, batch: pl.DataFrame) -> None:
    """Find the rows of a batch that equal rows of the other day which wait for them."""
    (rest,) = day.take_equal(other.waiting_digests(), [batch])
    other.waiting = [rows for rows in other.take_equal(batch[R], other.waiting) if len(rows)]
    day.wait(rest)
