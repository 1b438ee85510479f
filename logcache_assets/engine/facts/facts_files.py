"""Materialized entities as files: one file of open and one of closed facts per bucket; docs/formats.md has the layout.

Written so that contracts read little: entity contracts open no closed fact, an attribute is a run of whole row groups,
and an attribute of integers is read without its texts. Whether a cache may be used at all is cache.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import polars as pl

from logcache_assets.engine.facts.datomic_schema import TX_INSTANT
from logcache_assets.engine.facts.fold import cut_facts
from logcache_assets.engine.storage.buckets import Bucket, parse_bucket
from logcache_assets.engine.storage.parquet import ROW_GROUP_ROWS, ParquetError, collect_parquet, scan_parquet
from logcache_assets.engine.storage.schemas import FACTS_SCHEMA, TX_BASE, column_types
from logcache_assets.ports import ObjectStore, StoredObject

Half = Literal["open", "closed"]
HALVES: tuple[Half, ...] = ("open", "closed")

SMALL_GROUP_ROWS = 16_384
"""Attributes with fewer facts share a row group."""


@dataclass(frozen=True, slots=True)
class FactsFile:
    """One file of materialized entities."""

    uri: str
    half: Half
    bucket: Bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsFolder:
    """The materialized entities of one instance, every bucket of which is there."""

    place: str
    """Whose they are, for errors."""
    files: tuple[FactsFile, ...]
    last_t: int
    until_t: int | None = None
    """Where they are cut, if before last_t."""

    @property
    def buckets(self) -> int:
        """How many there are."""
        return self.files[0].bucket.of

    @property
    def end(self) -> int:
        """The t at which they show the instance."""
        return self.last_t if self.until_t is None else self.until_t

    def read_values(
        self, attributes: Mapping[int, bool], bucket: Bucket, store: ObjectStore, *, only_open: bool
    ) -> dict[int, pl.DataFrame]:
        """The facts of some attributes of one bucket, each sorted by e; columns of facts.FACTS.

        Args:
            attributes: attribute id → whether its values are integers (then `v` is read only where `n` has none).
            bucket: which entities; any, whatever the files are bucketed by.
            store: where the files lie.
            only_open: leave out what was retracted.
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
        return {a: self._cut(_one(frames), only_open=only_open) for a, frames in parts.items() if frames}

    def _read_file(self, file: FactsFile, ids: Sequence[int], store: ObjectStore, *, integers: bool) -> pl.DataFrame:
        scan = scan_parquet([file.uri], store).filter(pl.col("a").is_in(list(ids)))
        no_text, no_integer = pl.lit(None, pl.String).alias("v"), pl.lit(None, pl.Int64).alias("n")
        if not integers:
            return collect_parquet(scan.select("a", "e", "v", no_integer, "t_from", "t_to"), self._where(file))
        frame = collect_parquet(scan.select("a", "e", no_text, "n", "t_from", "t_to"), self._where(file))
        if not frame["n"].null_count():
            return frame
        text = pl.when(pl.col("n").is_null()).then("v").alias("v")
        return collect_parquet(scan.select("a", "e", text, "n", "t_from", "t_to"), self._where(file))

    def read_times(self, bucket: Bucket, store: ObjectStore) -> pl.DataFrame:
        """Columns e, t: every t at which a fact of the bucket begins or ends; not distinct, in no order."""
        found = []
        for file in self._files(bucket, only_open=False):
            scan = scan_parquet([file.uri], store).select("e", "t_from", "t_to")
            frame = bucket.select(collect_parquet(scan, self._where(file)))
            found += [frame.select("e", t="t_from"), frame.select("e", t="t_to").drop_nulls()]
        times = pl.concat(found)
        return times if self.until_t is None else times.filter(pl.col("t") <= self.until_t)

    def read_facts(self, bucket: Bucket, store: ObjectStore) -> pl.DataFrame:
        """Every fact of one bucket with its text; columns of FACTS_SCHEMA, in no order."""
        files = self._files(bucket, only_open=False)
        found = [bucket.select(collect_parquet(scan_parquet([f.uri], store), self._where(f))) for f in files]
        facts = pl.concat(found)
        return facts if self.until_t is None else cut_facts(facts, until_t=self.until_t)

    def find_last_t(self, store: ObjectStore) -> int | None:
        """The greatest t of the facts, from the data: every tx asserts its own instant."""
        ts = [self._last_instant(file, store) for file in self.files if file.half == "open"]
        return max((t for t in ts if t is not None), default=None)

    def _last_instant(self, file: FactsFile, store: ObjectStore) -> int | None:
        scan = scan_parquet([file.uri], store).filter(
            pl.col("a") == TX_INSTANT, pl.col("e") == TX_BASE + pl.col("t_from")
        )
        last: int | None = collect_parquet(scan.select(pl.col("t_from").max()), self._where(file)).item()
        return last

    def _files(self, bucket: Bucket, *, only_open: bool) -> tuple[FactsFile, ...]:
        """A fact that is open at a cut may have been closed since."""
        halves = ("open",) if only_open and self.until_t is None else HALVES
        return tuple(file for file in self.files if file.half in halves and file.bucket.meets(bucket))

    def _cut(self, facts: pl.DataFrame, *, only_open: bool) -> pl.DataFrame:
        if self.until_t is None:
            return facts
        cut = cut_facts(facts, until_t=self.until_t)
        return cut.filter(pl.col("t_to").is_null()) if only_open else cut

    def _where(self, file: FactsFile) -> str:
        return f"{self.place}: {file.uri}"


def _runs(frame: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """The slices of a frame that is sorted by `a`, without that column."""
    begin, runs = 0, frame["a"].rle().struct.unnest()
    for length, a in runs.iter_rows():
        yield a, frame.slice(begin, length).drop("a")
        begin += length


def _one(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Files come with closed facts first; entities come in order again."""
    return frames[0] if len(frames) == 1 else pl.concat(frames).sort("e", maintain_order=True)


def file_name(half: Half, bucket: Bucket) -> str:
    """`open-00003-of-00008.parquet`."""
    return f"{half}-{bucket}.parquet"


def parse_files(uris: Sequence[str]) -> tuple[FactsFile, ...]:
    """The files of a folder by their names; raises ParquetError unless every bucket has both halves exactly once."""
    files = tuple(_parse(uri) for uri in sorted(uris))
    buckets = {file.bucket.of for file in files}
    if len(buckets) > 1:
        raise ParquetError(f"{files[0].uri.rpartition('/')[0]} mixes files of {sorted(buckets)} buckets: two datasets")
    found = {(file.half, file.bucket.number): file for file in files}
    for file in files:
        if found[file.half, file.bucket.number] is not file:
            raise ParquetError(f"{found[file.half, file.bucket.number].uri} is there twice: its facts would be doubled")
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
        raise ParquetError(
            f"{uri} is no file of materialized entities: its name is not like {file_name('open', Bucket(0, 1))} (C17)"
        )
    return FactsFile(uri, "open" if half == "open" else "closed", bucket)


def write_facts(facts: pl.DataFrame, bucket: Bucket, folder_uri: str, store: ObjectStore) -> tuple[StoredObject, ...]:
    """Put the facts of one bucket, sorted by FACTS_ORDER, into their two files."""
    is_open = pl.col("t_to").is_null()
    halves: tuple[tuple[Half, pl.Expr], ...] = (("open", is_open), ("closed", ~is_open))
    return tuple(
        store.write(f"{folder_uri.rstrip('/')}/{file_name(half, bucket)}", facts_bytes(facts.filter(wanted)))
        for half, wanted in halves
    )


def facts_bytes(facts: pl.DataFrame) -> bytes:
    """One file whose row groups begin where an attribute does."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - only writers pay for it

    if facts.schema != FACTS_SCHEMA:
        raise TypeError(f"facts have the columns {column_types(facts.schema)}")
    table, buffer = facts.to_arrow(), BytesIO()
    sorting = [pq.SortingColumn(FACTS_SCHEMA.names().index(name)) for name in ("a", "e", "t_from")]
    with pq.ParquetWriter(buffer, table.schema, compression="zstd", sorting_columns=sorting) as writer:
        for begin, length in plan_row_groups(facts["a"]):
            writer.write_table(table.slice(begin, length), row_group_size=length)
        if not len(facts):
            writer.write_table(table)
    return buffer.getvalue()


def plan_row_groups(attributes: pl.Series) -> Iterator[tuple[int, int]]:
    """(first row, rows) of every row group: an attribute with many facts has its own, small neighbours share one."""
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
