"""Shards: rows of a table, split into buckets by the hash K of their key, in memory or in scratch files.

Each shard belongs to one bucket, so a task for one bucket reads only the shards of that bucket.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.parquet import collect_parquet, parquet_bytes, scan_parquet

HASH_BITS = 64

K, _BUCKET = "\x00k", "\x00bucket"
"""The hash of a row's key and the number of its bucket, beside a table's own columns under names that no table has."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Some rows of one bucket: in `rows`, or in the file `uri` of `folder`."""

    bucket: Bucket
    rows: pl.DataFrame | None
    uri: str = ""
    folder: Folder | None = None

    def read(self) -> pl.DataFrame:
        """The rows, from memory or from the file; raises ParquetError."""
        if self.rows is not None or self.folder is None:
            return self.rows if self.rows is not None else pl.DataFrame()
        return collect_parquet(scan_parquet([self.uri], self.folder.store), f"the shard {self.uri}")


def put_shards(rows: pl.DataFrame, *, buckets: int, folder: Folder | None) -> Iterator[Shard]:
    """Split rows into one shard per bucket that has rows.

    Args:
        rows: rows with the hash of their key in K.
        buckets: number of buckets, a power of two.
        folder: an empty folder to write to, or None to keep the rows in memory.
    """
    for number, part in _split(rows, buckets):
        bucket = Bucket(number, buckets)
        if folder is None:
            yield Shard(bucket, part)
        else:
            uri = folder.store.write(f"{folder.uri}/{bucket}.parquet", parquet_bytes(part)).uri
            yield Shard(bucket, None, uri, folder)


def _split(rows: pl.DataFrame, buckets: int) -> Iterator[tuple[int, pl.DataFrame]]:
    if buckets == 1:
        yield 0, rows
        return
    marked = rows.with_columns((pl.col(K) // pl.lit(2**HASH_BITS // buckets, pl.UInt64)).alias(_BUCKET))
    for key, part in marked.partition_by(_BUCKET, as_dict=True, include_key=False).items():
        yield int(key[0]), part


def in_bucket(shards: Iterable[Shard], bucket: Bucket) -> tuple[Shard, ...]:
    """The shards of one bucket."""
    return tuple(shard for shard in shards if shard.bucket == bucket)


def read_shards(shards: Sequence[Shard], empty: pl.DataFrame) -> pl.DataFrame:
    """The rows of several shards, concatenated; `empty` if there are none."""
    return pl.concat([shard.read() for shard in shards]) if shards else empty
