"""Holds the datoms after a cache, by bucket: in memory, or in spilled files if they are many.

read_segments.py reads and checks segments; log_op.py chooses which ones are read.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import polars as pl
from typing_extensions import override

from logcache_assets.engine.storage.buckets import Bucket, bucket_of
from logcache_assets.engine.storage.parquet import collect_parquet, parquet_bytes, scan_parquet
from logcache_assets.engine.storage.schemas import DATOM_COLUMNS, LOG_SCHEMA, is_among
from logcache_assets.ports import ObjectStore

NO_DATOMS = pl.DataFrame(schema={name: LOG_SCHEMA[name] for name in DATOM_COLUMNS})


class Datoms(ABC):
    """The datoms of one instance after its cache; frames of datoms have DATOM_COLUMNS."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many they are."""

    @abstractmethod
    def of(self, attributes: Collection[int], bucket: Bucket) -> dict[int, pl.DataFrame]:
        """Return attribute → its datoms in a bucket, without the attributes that have none there."""

    @abstractmethod
    def every(self, bucket: Bucket) -> pl.DataFrame:
        """Return all datoms of a bucket; those of an attribute in the order of the log."""

    @abstractmethod
    def touched(self, bucket: Bucket, *, after_t: int, attribute: int | None = None) -> pl.DataFrame:
        """Return columns e, t: entities of a bucket that datoms after after_t touch, and the last t at which they do.

        Args:
            bucket: the entities.
            after_t: datoms up to this t do not count.
            attribute: if given, the datoms of this attribute alone count.
        """


class DatomsInMemory(Datoms):
    """Datoms in a frame per attribute, each in the order of the log; for a few million at most.

    Args:
        portions: frames of datoms in the order of the log; each is let go once it is split.
    """

    def __init__(self, portions: Iterable[pl.DataFrame]) -> None:
        found: dict[int, list[pl.DataFrame]] = {}
        for portion in portions:
            for a, frame in by_attribute(portion.select(DATOM_COLUMNS)).items():
                found.setdefault(a, []).append(frame)
        self._by_attribute = {a: pl.concat(frames) for a, frames in found.items()}

    @property
    @override
    def count(self) -> int:
        return sum(map(len, self._by_attribute.values()))

    @override
    def of(self, attributes: Collection[int], bucket: Bucket) -> dict[int, pl.DataFrame]:
        found = {a: bucket.select(self._by_attribute[a]) for a in attributes if a in self._by_attribute}
        return {a: frame for a, frame in found.items() if len(frame)}

    @override
    def every(self, bucket: Bucket) -> pl.DataFrame:
        return bucket.select(pl.concat([NO_DATOMS, *self._by_attribute.values()]))

    @override
    def touched(self, bucket: Bucket, *, after_t: int, attribute: int | None = None) -> pl.DataFrame:
        frames = self._by_attribute
        asked = frames.values() if attribute is None else [frames[attribute]] if attribute in frames else []
        newer = [frame.lazy().select("e", "t").filter(pl.col("t") > after_t) for frame in (NO_DATOMS, *asked)]
        return _last_ts(pl.concat(newer), bucket).collect()


@dataclass(frozen=True, slots=True)
class Spill:
    """A temporary Parquet file with datoms of one bucket, sorted by attribute."""

    uri: str
    bucket: Bucket
    datoms: int


@dataclass(frozen=True, slots=True)
class SpilledDatoms(Datoms):
    """Datoms in spilled files, for more than fit in memory at once; a call reads the files of its bucket."""

    spills: tuple[Spill, ...]
    store: ObjectStore

    @property
    @override
    def count(self) -> int:
        return sum(spill.datoms for spill in self.spills)

    @override
    def of(self, attributes: Collection[int], bucket: Bucket) -> dict[int, pl.DataFrame]:
        return by_attribute(self._read(bucket, is_among(attributes)))

    @override
    def every(self, bucket: Bucket) -> pl.DataFrame:
        return self._read(bucket, pl.lit(True))

    @override
    def touched(self, bucket: Bucket, *, after_t: int, attribute: int | None = None) -> pl.DataFrame:
        uris = self._uris(bucket)
        if not uris:
            return NO_DATOMS.select("e", "t")
        of_attribute = pl.lit(True) if attribute is None else pl.col("a") == attribute
        scan = scan_parquet(uris, self.store).filter(of_attribute, pl.col("t") > after_t)
        return collect_parquet(_last_ts(scan, bucket), f"the spill {uris[0]}", streaming=True)

    def _read(self, bucket: Bucket, wanted: pl.Expr) -> pl.DataFrame:
        uris = self._uris(bucket)
        if not uris:
            return NO_DATOMS
        scan = scan_parquet(uris, self.store).filter(wanted)
        return bucket.select(collect_parquet(scan.select(DATOM_COLUMNS), f"the spill {uris[0]}"))

    def _uris(self, bucket: Bucket) -> list[str]:
        return [spill.uri for spill in self.spills if spill.bucket.meets(bucket)]


def _last_ts(datoms: pl.LazyFrame, bucket: Bucket) -> pl.LazyFrame:
    return bucket.select(datoms).group_by("e").agg(pl.col("t").max())


def by_attribute(rows: pl.DataFrame) -> dict[int, pl.DataFrame]:
    """The rows of each attribute `a`, in their order."""
    return {part["a"][0]: part for part in rows.partition_by("a")}


def spill_datoms(datoms: pl.DataFrame, *, buckets: int, folder_uri: str, store: ObjectStore) -> tuple[Spill, ...]:
    """Write datoms into an empty folder, one file per bucket that has some."""
    marked = (
        datoms.select(DATOM_COLUMNS).with_columns(bucket=bucket_of(buckets)).sort("bucket", "a", maintain_order=True)
    )
    return tuple(_spill_all(marked, buckets, folder_uri, store))


def _spill_all(marked: pl.DataFrame, buckets: int, folder_uri: str, store: ObjectStore) -> Iterable[Spill]:
    for key, frame in marked.partition_by("bucket", as_dict=True, maintain_order=True).items():
        bucket = Bucket(int(key[0]), buckets)
        uri = f"{folder_uri.rstrip('/')}/{bucket}.parquet"
        store.write(uri, parquet_bytes(frame.drop("bucket")))
        yield Spill(uri, bucket, len(frame))
