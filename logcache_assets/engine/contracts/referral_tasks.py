"""Finds what the refs of an instance lead to, bucket by bucket, before its contracts are computed.

Two rounds of tasks: the first writes which entities each bucket refers to; the second reads the attributes behind the
refs, and writes what they show of those entities. So no task holds more of them than its own bucket refers to, and each
attribute is read once, on one machine or on many.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from logcache_assets.domain.contract_definitions import IDENT_REF, ContractTable
from logcache_assets.engine.contracts.entity_reader import InstanceReader
from logcache_assets.engine.contracts.referred import BY, Behind, Kind, Referred
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.storage.buckets import Bucket, bucket_of
from logcache_assets.engine.storage.parquet import collect_parquet, parquet_bytes, scan_parquet

K = TypeVar("K")
T = TypeVar("T", str, tuple[Kind, str])

GROUP_ROWS = 16_384
"""Rows of a row group: of each file, a task of the next round reads the rows of one bucket."""

Refs = Mapping[Behind, tuple[str, ...]]
"""What stands behind refs → the attributes that are those refs."""


def find_refs(tables: Iterable[ContractTable]) -> Refs:
    """The refs of some contracts, but for those to idents, which the schema has."""
    refs: dict[Behind, dict[str, None]] = {}
    for attribute in (attribute for table in tables for attribute in table.attributes):
        if attribute.ref and attribute.ref != IDENT_REF:
            refs.setdefault((attribute.ref, attribute.pii), {})[attribute.attribute] = None
    return {behind: tuple(attributes) for behind, attributes in refs.items()}


def with_referred(readers: Sequence[InstanceReader], refs: Refs, driver: Driver) -> list[InstanceReader]:
    """The readers, and for each of several buckets what its refs lead to, as files in the driver's scratch folder.

    Raises:
        EngineError: a log or a cache that is not whole.
    """
    several = {reader.facts.instance.name: reader for reader in readers if refs and reader.facts.buckets > 1}
    places = {name: driver.scratch.at(f"referred/{name}") for name in several}
    buckets = [(name, reader, bucket) for name, reader in several.items() for bucket in reader.facts.all_buckets()]
    first = [ReferringTask(reader, bucket, refs, places[name]) for name, reader, bucket in buckets]
    lists = _grouped(driver.run(first))
    second = [ReferredTask(reader, bucket, tuple(refs), lists[name], places[name]) for name, reader, bucket in buckets]
    files = _grouped((name, file) for name, found in driver.run(second) for file in found)
    return [
        reader.with_referred(Referred(_grouped(files.get(name, ())), driver.scratch.store))
        if (name := reader.facts.instance.name) in several
        else reader
        for reader in readers
    ]


def _grouped(pairs: Iterable[tuple[K, T]]) -> dict[K, tuple[T, ...]]:
    """The values of each key, ascending."""
    found: dict[K, list[T]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: tuple(sorted(values)) for key, values in found.items()}


@dataclass(frozen=True, slots=True)
class ReferringTask:
    """Writes which entities a bucket refers to, ascending by the bucket that holds them."""

    reader: InstanceReader
    bucket: Bucket
    refs: Refs
    out: Folder

    def run(self) -> tuple[str, str]:
        """The instance, and a file, with the columns at, e, behind (the place in `refs`) and BY."""
        facts = self.reader.read({name: "ref" for names in self.refs.values() for name in names}, self.bucket)
        parts = [
            pl.concat([facts[name].select(e="n") for name in names])
            .drop_nulls()
            .unique()
            .with_columns(behind=pl.lit(number))
            for number, names in enumerate(self.refs.values())
        ]
        by, at = pl.lit(self.bucket.number), bucket_of(self.bucket.of)
        # A negative number is a damaged ref: no entity has it, and no bucket.
        rows = (
            pl.concat(parts)
            .filter(pl.col("e") >= 0)
            .select(at.cast(pl.Int64).alias("at"), "e", "behind", by.alias(BY))
            .sort("at")
        )
        return self.reader.facts.instance.name, _write(rows, self.out, f"{self.bucket}.parquet")


@dataclass(frozen=True, slots=True)
class ReferredTask:
    """Writes what the entities of a bucket show that any bucket refers to, ascending by that one."""

    reader: InstanceReader
    bucket: Bucket
    behind: tuple[Behind, ...]
    lists: tuple[str, ...]
    """The files of all ReferringTasks, ascending by the buckets that refer."""
    out: Folder

    def run(self) -> tuple[str, tuple[tuple[Kind, str], ...]]:
        """The instance, and the files that were written, each with what it holds."""
        scan = scan_parquet(self.lists, self.out.store).filter(pl.col("at") == self.bucket.number)
        wanted = collect_parquet(scan, f"what is referred to, {self.lists[0]}")
        return self.reader.facts.instance.name, tuple(self._written(wanted))

    def _written(self, wanted: pl.DataFrame) -> Iterator[tuple[Kind, str]]:
        for number, behind in enumerate(self.behind):
            # Ascending by BY, as the lists are.
            pairs = wanted.filter(pl.col("behind") == number).select("e", BY)
            shown = self.reader.read_behind(behind, self.bucket)
            for is_wrong, frame in ((False, shown.timeline), (True, shown.wrong)):
                rows = pairs.join(frame, on="e", maintain_order="left_right")
                if len(rows):
                    name = f"{number}-{'wrong' if is_wrong else 'shown'}/{self.bucket}.parquet"
                    yield (behind, is_wrong), _write(rows, self.out, name)


def _write(rows: pl.DataFrame, out: Folder, name: str) -> str:
    return out.store.write(f"{out.uri}/{name}", parquet_bytes(rows, group_rows=GROUP_ROWS)).uri
