"""Gathers what many tasks wrote for many buckets, so that a task of the next round opens one file instead of all.

Each task of a round writes a file with rows for any of the next round's buckets, ascending by the column that names
them. Without more, every task of the next round would open every file. So between rounds the rows of neighbouring
buckets, as many as memory may hold, are put into one file, still ascending: whoever reads one bucket's reads the row
groups of that bucket.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import polars as pl

from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.storage.parquet import collect_parquet, parquet_bytes, scan_parquet

K = TypeVar("K", bound=Hashable)

GROUP_ROWS = 16_384
"""Rows of a row group: of each file, a task of the next round reads the rows of one bucket."""
GATHERED_BYTES = 32_000_000
"""About how many bytes of rows a gathering task holds; reading, sorting and writing them takes several times as much,
which must not be more than computing contracts of a bucket takes."""

FilesOf = Mapping[int, tuple[str, ...]]
"""Bucket → the files with its rows, ascending."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file that a task wrote."""

    uri: str
    sizes: Mapping[int, int]
    """Bucket → about how many bytes of rows the file has for it."""


def write_rows(rows: pl.DataFrame, column: str, out: Folder, name: str) -> Part:
    """Write rows, ascending by the column that names their bucket."""
    uri = out.store.write(f"{out.uri}/{name}", parquet_bytes(rows, group_rows=GROUP_ROWS)).uri
    bytes_each = rows.estimated_size() / max(1, len(rows))
    found = rows[column].rle().struct.unnest().select("value", "len").iter_rows()
    return Part(uri, {int(bucket): round(count * bytes_each) for bucket, count in found})


def gather(
    written: Iterable[tuple[K, Part]], column: str, driver: Driver, place_of: Callable[[K], Folder]
) -> Mapping[K, FilesOf]:
    """For each key, the files that hold the rows of each bucket.

    Args:
        written: the files of each key.
        column: names the bucket of a row.
        driver: runs the tasks.
        place_of: gives an empty folder for each key.

    Raises:
        EngineError: a file is damaged.
    """
    parts: dict[K, list[Part]] = {}
    for key, part in written:
        parts.setdefault(key, []).append(part)
    tasks = [
        GatherTask(key, column, batch, place_of(key))
        for key, its_parts in parts.items()
        for batch in plan_batches(its_parts, at_most=GATHERED_BYTES)
    ]
    gathered: dict[K, dict[int, tuple[str, ...]]] = {key: dict(_ungathered(its)) for key, its in parts.items()}
    for key, buckets, uri in driver.run(tasks):
        gathered[key] |= dict.fromkeys(buckets, (uri,))
    return gathered


def _ungathered(parts: Sequence[Part]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for bucket in sorted({bucket for part in parts for bucket in part.sizes}):
        yield bucket, tuple(sorted(part.uri for part in parts if bucket in part.sizes))


@dataclass(frozen=True, slots=True)
class Batch:
    """Buckets whose rows are put into one file."""

    buckets: tuple[int, ...]
    """Ascending; between them no other bucket has rows."""
    uris: tuple[str, ...]
    """The files that have rows of these, ascending."""


def plan_batches(parts: Sequence[Part], *, at_most: int) -> tuple[Batch, ...]:
    """The batches that are worth gathering: with them fewer files are opened than without.

    Args:
        parts: the files.
        at_most: bytes of rows of a batch.
    """
    batches = (_batch_of(buckets, parts) for buckets in _split(parts, at_most=at_most))
    return tuple(batch for batch in batches if _opened_alone(batch, parts) > len(batch.uris) + len(batch.buckets))


def _split(parts: Sequence[Part], *, at_most: int) -> Iterator[tuple[int, ...]]:
    """Buckets in order, as many at once as have at most so many bytes of rows, and at least one."""
    sizes = Counter[int]()
    for part in parts:
        sizes.update(part.sizes)
    held: list[int] = []
    for bucket in sorted(sizes):
        if held and sum(sizes[other] for other in held) + sizes[bucket] > at_most:
            yield tuple(held)
            held = []
        held.append(bucket)
    if held:
        yield tuple(held)


def _batch_of(buckets: tuple[int, ...], parts: Iterable[Part]) -> Batch:
    return Batch(buckets, tuple(sorted(part.uri for part in parts if not part.sizes.keys().isdisjoint(buckets))))


def _opened_alone(batch: Batch, parts: Iterable[Part]) -> int:
    """How many files are opened if each bucket of a batch opens all that have its rows."""
    return sum(bucket in part.sizes for part in parts for bucket in batch.buckets)


@dataclass(frozen=True, slots=True)
class GatherTask(Generic[K]):
    """Writes the rows of a batch into one file."""

    key: K
    column: str
    batch: Batch
    out: Folder

    def run(self) -> tuple[K, tuple[int, ...], str]:
        """The key, the buckets of the batch, and the file, in which rows of one bucket keep the order of the files."""
        first, last = self.batch.buckets[0], self.batch.buckets[-1]
        scan = scan_parquet(self.batch.uris, self.out.store).filter(pl.col(self.column).is_between(first, last))
        rows = collect_parquet(scan, f"what a round wrote, {self.batch.uris[0]}")
        ascending = rows.sort(self.column, maintain_order=True)
        part = write_rows(ascending, self.column, self.out, f"{first:05}-to-{last:05}.parquet")
        return self.key, self.batch.buckets, part.uri
