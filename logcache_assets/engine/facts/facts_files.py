"""Materialized entities as files: one of open and one of closed facts per bucket (layout: docs/formats.md).

The layout lets contracts read little: entity contracts never open a file of closed facts, an attribute is a run of
whole row groups, and integers are read without their texts. Whether a cache may be used is decided in
engine/log/cached_log.py.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import polars as pl

from logcache_assets.domain.problems import coded
from logcache_assets.engine.facts.datomic_schema import TX_INSTANT
from logcache_assets.engine.facts.fold import cut_facts
from logcache_assets.engine.storage.buckets import Bucket, parse_bucket
from logcache_assets.engine.storage.parquet import (
    ROW_GROUP_ROWS,
    ParquetError,
    ParquetSource,
    collect_parquet,
    scan_parquet,
)
from logcache_assets.engine.storage.schemas import END, FACTS_SCHEMA, TX_BASE, column_types, is_among
from logcache_assets.ports import ObjectStore, StoredObject

Half = Literal["open", "closed"]
HALVES: tuple[Half, ...] = ("open", "closed")

Verified = Callable[[str, ObjectStore], ParquetSource]
"""Where to read the file at a URI; refuses it if its bytes are not those that were written."""

SMALL_GROUP_ROWS = 16_384
"""Attributes with fewer facts than this share a row group."""


@dataclass(frozen=True, slots=True)
class FactsFile:
    """One file of materialized entities."""

    uri: str
    half: Half
    bucket: Bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsFolder:
    """The files of one instance's materialized entities; no bucket is missing."""

    instance_name: str
    """Named in errors."""
    files: tuple[FactsFile, ...]
    last_t: int
    until_t: int | None = None
    """Facts are read as they were at this t, if it is before last_t."""
    verified: Verified
    """Called before a file is read."""

    @property
    def buckets(self) -> int:
        """The number of buckets."""
        return self.files[0].bucket.of

    @property
    def end(self) -> int:
        """The t as of which facts are read."""
        return self.last_t if self.until_t is None else self.until_t

    def read_values(
        self, attributes: Mapping[int, bool], bucket: Bucket, store: ObjectStore, *, only_open: bool
    ) -> dict[int, pl.DataFrame]:
        """Read the facts of some attributes in one bucket.

        Args:
            attributes: attribute id → whether its values are integers (then `v` is read only where `n` is null).
            bucket: the entities to read; it need not be a bucket of the files.
            store: the store that holds the files.
            only_open: leave out retracted facts.

        Returns:
            Attribute id → its facts, sorted by e; columns of fold.FACTS.
        """
        found: dict[int, pl.DataFrame] = {}
        for integers in (False, True):
            ids = [a for a, are_integers in attributes.items() if are_integers is integers]
            if ids:
                found |= self._read_kind(ids, bucket, store, integers=integers, only_open=only_open)
        return found

    def _read_kind(
        self, ids: Sequence[int], bucket: Bucket, store: ObjectStore, *, integers: bool, only_open: bool
    ) -> dict[int, pl.DataFrame]:
        parts: dict[int, list[pl.DataFrame]] = {a: [] for a in ids}
        for file in self._files(bucket, only_open=only_open):
            for a, frame in _runs(self._read_file(file, ids, store, integers=integers)):
                parts[a].append(bucket.select(frame) if not bucket.holds_all_of(file.bucket) else frame)
        return {a: self._cut(_merge_by_entity(frames), only_open=only_open) for a, frames in parts.items() if frames}

    def _read_file(self, file: FactsFile, ids: Sequence[int], store: ObjectStore, *, integers: bool) -> pl.DataFrame:
        scan = self._scan(file, store).filter(is_among(ids))
        no_text, no_integer = pl.lit(None, pl.String).alias("v"), pl.lit(None, pl.Int64).alias("n")
        if not integers:
            return collect_parquet(scan.select("a", "e", "v", no_integer, "t_from", "t_to"), self._where(file))
        frame = collect_parquet(scan.select("a", "e", no_text, "n", "t_from", "t_to"), self._where(file))
        if not frame["n"].null_count():
            return frame
        text = pl.when(pl.col("n").is_null()).then("v").alias("v")
        return collect_parquet(scan.select("a", "e", text, "n", "t_from", "t_to"), self._where(file))

    def count_values(self, attributes: Collection[int], store: ObjectStore, *, only_open: bool) -> tuple[int, ...]:
        """How many facts of some attributes `read_values` reads, later ones included, by bucket of the files."""
        buckets = (Bucket(number, self.buckets) for number in range(self.buckets))
        return tuple(
            sum(self._count(file, attributes, store) for file in self._files(bucket, only_open=only_open))
            for bucket in buckets
        )

    def _count(self, file: FactsFile, attributes: Collection[int], store: ObjectStore) -> int:
        scan = self._scan(file, store).filter(is_among(attributes))
        return int(collect_parquet(scan.select(pl.len()), self._where(file)).item())

    def read_times(self, bucket: Bucket, store: ObjectStore) -> pl.DataFrame:
        """Columns e, t: each t with a datom of an entity of the bucket; may repeat, unordered."""
        found = []
        for file in self._files(bucket, only_open=False):
            scan = self._scan(file, store).select("e", "t_from", "t_to")
            frame = bucket.select(collect_parquet(scan, self._where(file)))
            found += [frame.select("e", t="t_from"), frame.select("e", t="t_to")]
        times = pl.concat(found).drop_nulls()
        return times if self.until_t is None else times.filter(pl.col("t") <= self.until_t)

    def read_facts(self, bucket: Bucket, store: ObjectStore) -> pl.DataFrame:
        """All facts of one bucket, with texts; columns of FACTS_SCHEMA, unordered."""
        files = self._files(bucket, only_open=False)
        found = [bucket.select(collect_parquet(self._scan(f, store), self._where(f))) for f in files]
        facts = pl.concat(found)
        return facts if self.until_t is None else cut_facts(facts, until_t=self.until_t)

    def find_last_t(self, store: ObjectStore) -> int | None:
        """The greatest t in the files, read from open facts: each tx asserts its own instant. None if there is none."""
        # Row groups that hold older txes alone are skipped; where the newest tx is missing, all are read.
        found = self._last_instant(store, pl.col("e") >= TX_BASE + min(self.last_t, END))
        return self._last_instant(store, pl.lit(True)) if found is None else found

    def _last_instant(self, store: ObjectStore, wanted: pl.Expr) -> int | None:
        ts = [self._last_instant_in(file, store, wanted) for file in self.files if file.half == "open"]
        return max((t for t in ts if t is not None), default=None)

    def _last_instant_in(self, file: FactsFile, store: ObjectStore, wanted: pl.Expr) -> int | None:
        instants = self._scan(file, store).filter(pl.col("a") == TX_INSTANT, wanted)
        own = instants.filter(pl.col("e") == TX_BASE + pl.col("t_from"))
        last: int | None = collect_parquet(own.select(pl.col("t_from").max()), self._where(file)).item()
        return last

    def _scan(self, file: FactsFile, store: ObjectStore) -> pl.LazyFrame:
        return scan_parquet([file.uri], self.verified(file.uri, store))

    def _files(self, bucket: Bucket, *, only_open: bool) -> tuple[FactsFile, ...]:
        """Files to read; a fact that is open at until_t may have been closed later, so a cut needs both halves."""
        halves = ("open",) if only_open and self.until_t is None else HALVES
        return tuple(file for file in self.files if file.half in halves and file.bucket.meets(bucket))

    def _cut(self, facts: pl.DataFrame, *, only_open: bool) -> pl.DataFrame:
        if self.until_t is None:
            return facts
        cut = cut_facts(facts, until_t=self.until_t)
        return cut.filter(pl.col("t_to").is_null()) if only_open else cut

    def _where(self, file: FactsFile) -> str:
        return f"{self.instance_name}: {file.uri}"


def _runs(frame: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield (a, slice without that column) for each run of a frame that is sorted by `a`."""
    begin, runs, values = 0, frame["a"].rle().struct.unnest(), frame.drop("a")
    for length, a in runs.iter_rows():
        yield a, values.slice(begin, length)
        begin += length


def _merge_by_entity(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One frame sorted by e; within an entity, facts keep the order of the files (closed ones first)."""
    return frames[0] if len(frames) == 1 else pl.concat(frames).sort("e", maintain_order=True)


def file_name(half: Half, bucket: Bucket) -> str:
    """A file's name, such as `open-00003-of-00008.parquet`."""
    return f"{half}-{bucket}.parquet"


def parse_files(uris: Sequence[str]) -> tuple[FactsFile, ...]:
    """Parse the file names of a folder; raises ParquetError unless every bucket has both halves exactly once."""
    files = tuple(_parse(uri) for uri in sorted(uris))
    buckets = {file.bucket.of for file in files}
    if len(buckets) > 1:
        raise ParquetError(
            f"{files[0].uri.rpartition('/')[0]} mixes files of {sorted(buckets)} buckets, so it holds two datasets"
        )
    found = {(file.half, file.bucket.number): file for file in files}
    for file in files:
        if found[file.half, file.bucket.number] is not file:
            raise ParquetError(
                f"{found[file.half, file.bucket.number].uri} occurs twice, so its facts would be counted twice"
            )
    for half in HALVES:
        for number in range(max(buckets, default=0)):
            if (half, number) not in found:
                name = file_name(half, Bucket(number, *buckets))
                raise ParquetError(f"{files[0].uri.rpartition('/')[0]}/{name} is missing: its facts are lost")
    return files


def _parse(uri: str) -> FactsFile:
    half, _, rest = uri.rpartition("/")[2].removesuffix(".parquet").partition("-")
    bucket = parse_bucket(rest)
    if half not in HALVES or bucket is None:
        example = file_name("open", Bucket(0, 1))
        raise ParquetError(
            coded(f"{uri} is not a file of materialized entities: its name is not like {example}", "C17")
        )
    return FactsFile(uri, "open" if half == "open" else "closed", bucket)


def write_facts(facts: pl.DataFrame, bucket: Bucket, folder_uri: str, store: ObjectStore) -> tuple[StoredObject, ...]:
    """Write the facts of one bucket, sorted by FACTS_ORDER, as its open and its closed file."""
    is_open = pl.col("t_to").is_null()
    halves: tuple[tuple[Half, pl.Expr], ...] = (("open", is_open), ("closed", ~is_open))
    return tuple(
        store.write(f"{folder_uri.rstrip('/')}/{file_name(half, bucket)}", facts_bytes(facts.filter(wanted)))
        for half, wanted in halves
    )


def facts_bytes(facts: pl.DataFrame) -> bytes:
    """Facts as one Parquet file whose row groups begin where an attribute does; raises TypeError for other columns."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - slow to import, and only writers need it

    if facts.schema != FACTS_SCHEMA:
        raise TypeError(f"facts have the columns {column_types(facts.schema)}")
    table, buffer = facts.to_arrow(), BytesIO()
    order = [FACTS_SCHEMA.names().index(name) for name in ("a", "e", "t_from")]
    sorting = [pq.SortingColumn(column, nulls_first=True) for column in order]
    with pq.ParquetWriter(buffer, table.schema, compression="zstd", sorting_columns=sorting) as writer:
        for begin, length in plan_row_groups(facts["a"]):
            writer.write_table(table.slice(begin, length), row_group_size=length)
        if not len(facts):
            writer.write_table(table)
    return buffer.getvalue()


def plan_row_groups(attributes: pl.Series) -> Iterator[tuple[int, int]]:
    """Yield (first row, rows) of each row group; a large attribute has its own groups, small neighbours share one."""
    begin = held = 0
    for length in attributes.rle().struct.field("len").to_list():
        if held and (held >= SMALL_GROUP_ROWS or length >= SMALL_GROUP_ROWS):
            yield begin, held
            begin, held = begin + held, 0
        held += length
        while held > ROW_GROUP_ROWS:
            yield begin, ROW_GROUP_ROWS
            begin, held = begin + ROW_GROUP_ROWS, held - ROW_GROUP_ROWS
    if held:
        yield begin, held
