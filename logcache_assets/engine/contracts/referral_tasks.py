"""Finds what the refs of an instance lead to, bucket by bucket, before its contracts are computed.

Two rounds of tasks: the first writes which entities each bucket refers to; the second reads the attributes behind the
refs, and writes what they show of those entities. So no task holds more of them than its own bucket refers to, and each
attribute is read once, on one machine or on many. After each round gathering.py puts together what the next one reads.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from typing_extensions import override

from logcache_assets.domain.contract_definitions import IDENT_REF, ContractTable
from logcache_assets.engine.contracts.entity_reader import InstanceReader
from logcache_assets.engine.contracts.gathering import FilesOf, Part, gather, write_rows
from logcache_assets.engine.contracts.referred import BY, Behind, Kind, Referred
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.facts.instance_facts import NO_FACTS
from logcache_assets.engine.storage.buckets import Bucket, bucket_of
from logcache_assets.engine.storage.parquet import collect_parquet, scan_parquet

AT = "at"
"""Column of the lists: the number of the bucket that holds the entity."""

Refs = Mapping[Behind, tuple[str, ...]]
"""What stands behind refs → the attributes that are those refs."""


def find_refs(tables: Iterable[ContractTable]) -> Refs:
    """The refs of some contracts, but for those to idents, which the schema has."""
    refs: dict[Behind, dict[str, None]] = {}
    for attribute in (attribute for table in tables for attribute in table.attributes):
        if attribute.ref and attribute.ref != IDENT_REF:
            refs.setdefault((attribute.ref, attribute.pii), {})[attribute.attribute] = None
    return {behind: tuple(attributes) for behind, attributes in refs.items()}


class AskedRefs(ABC):
    """Which refs are to be followed."""

    @abstractmethod
    def read(self, reader: InstanceReader, names: Collection[str], bucket: Bucket) -> Mapping[str, pl.DataFrame]:
        """Read the refs of a bucket that are asked for.

        Args:
            reader: reads the instance.
            names: attributes that are refs.
            bucket: the entities that refer.

        Returns:
            Name → its refs, with the referred entity in `n`; a name that is missing has none.
        """


@dataclass(frozen=True, slots=True)
class AllRefs(AskedRefs):
    """All refs of a bucket."""

    @override
    def read(self, reader: InstanceReader, names: Collection[str], bucket: Bucket) -> Mapping[str, pl.DataFrame]:
        return reader.read(dict.fromkeys(names, "ref"), bucket)


def with_referred(readers: Sequence[InstanceReader], refs: Refs, driver: Driver) -> list[InstanceReader]:
    """The readers, and for each of several buckets all that its refs lead to; raises what find_referred raises."""
    asked = {reader.facts.instance.name: AllRefs() for reader in readers}
    found = find_referred(readers, refs, asked, driver, driver.scratch.at("referred"))
    names = [reader.facts.instance.name for reader in readers]
    return [r.with_referred(found[name]) if name in found else r for name, r in zip(names, readers, strict=True)]


def find_referred(
    readers: Sequence[InstanceReader], refs: Refs, asked: Mapping[str, AskedRefs], driver: Driver, place: Folder
) -> dict[str, Referred]:
    """Find what refs lead to, for instances of several buckets: the only task of any other one reads it itself.

    Args:
        readers: one per instance.
        refs: the refs of its contracts.
        asked: instance's name → which refs to follow.
        driver: runs the tasks.
        place: an empty folder for what is found.

    Returns:
        Instance's name → what its refs lead to.

    Raises:
        EngineError: a log or a cache that is not whole.
    """
    several = {reader.facts.instance.name: reader for reader in readers if refs and reader.facts.buckets > 1}
    buckets = [(name, reader, bucket) for name, reader in several.items() for bucket in reader.facts.all_buckets()]
    first = [ReferringTask(reader, bucket, refs, asked[name], place.at(name)) for name, reader, bucket in buckets]
    lists = gather(driver.run(first), AT, driver, lambda name: place.at(f"{name}/lists"))
    second = [
        ReferredTask(reader, bucket, tuple(refs), lists[name].get(bucket.number, ()), place.at(name))
        for name, reader, bucket in buckets
    ]
    parts = (((name, kind), part) for name, found in driver.run(second) for kind, part in found)
    shown: dict[str, dict[Kind, FilesOf]] = {name: {} for name in several}
    for (name, kind), files in gather(parts, BY, driver, lambda key: place.at(_gathered_at(*key, refs))).items():
        shown[name][kind] = files
    return {name: Referred(files, driver.scratch.store) for name, files in shown.items()}


def _gathered_at(name: str, kind: Kind, refs: Refs) -> str:
    behind, is_wrong = kind
    return f"{name}/gathered/{tuple(refs).index(behind)}-{'wrong' if is_wrong else 'shown'}"


@dataclass(frozen=True, slots=True)
class ReferringTask:
    """Writes which entities a bucket refers to, ascending by the bucket that holds them."""

    reader: InstanceReader
    bucket: Bucket
    refs: Refs
    asked: AskedRefs
    out: Folder

    def run(self) -> tuple[str, Part]:
        """The instance, and a file, with the columns AT, e, behind (the place in `refs`) and BY."""
        asked = [name for names in self.refs.values() for name in names]
        found = self.asked.read(self.reader, asked, self.bucket)
        parts = [
            pl.concat([found.get(name, NO_FACTS).select(e="n") for name in names])
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
            .select(at.cast(pl.Int64).alias(AT), "e", "behind", by.alias(BY))
            .sort(AT)
        )
        return self.reader.facts.instance.name, write_rows(rows, AT, self.out, f"{self.bucket}.parquet")


@dataclass(frozen=True, slots=True)
class ReferredTask:
    """Writes what the entities of a bucket show that any bucket refers to, ascending by that one."""

    reader: InstanceReader
    bucket: Bucket
    behind: tuple[Behind, ...]
    lists: tuple[str, ...]
    """Files with what is referred to of the bucket, ascending by the buckets that refer."""
    out: Folder

    def run(self) -> tuple[str, tuple[tuple[Kind, Part], ...]]:
        """The instance, and the files that were written, each with what it holds."""
        if not self.lists:
            return self.reader.facts.instance.name, ()
        scan = scan_parquet(self.lists, self.out.store).filter(pl.col(AT) == self.bucket.number)
        wanted = collect_parquet(scan, f"what is referred to, {self.lists[0]}")
        return self.reader.facts.instance.name, tuple(self._written(wanted))

    def _written(self, wanted: pl.DataFrame) -> Iterator[tuple[Kind, Part]]:
        for number, behind in enumerate(self.behind):
            # Ascending by BY, as the lists are.
            pairs = wanted.filter(pl.col("behind") == number).select("e", BY)
            if pairs.is_empty():
                continue
            shown = self.reader.read_behind(behind, self.bucket)
            for is_wrong, frame in ((False, shown.timeline), (True, shown.wrong)):
                rows = pairs.join(frame, on="e", maintain_order="left_right")
                if len(rows):
                    name = f"{number}-{'wrong' if is_wrong else 'shown'}/{self.bucket}.parquet"
                    yield (behind, is_wrong), write_rows(rows, BY, self.out, name)
