"""Measures our engine with and without a cache, on thousands of tiny segments in a store with latency.

Each opened object costs about 15 ms, whatever its size, and an index answers in pages: that, not the number of bytes,
is what a history costs without a cache. Both runs are in this process, through a store that sleeps.
"""

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from answers import count_rows, find_differences
from bank import Bank
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.scratch import local_driver
from logcache_assets.adapters.segment_list import SegmentList
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.catalog import load_catalog
from logcache_assets.cli.input_files import read_index, read_map
from logcache_assets.domain.index_items import render_index_item
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import entry_of
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.engine.contracts.build_contracts import ContractBuild, build_contracts
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.ports import ObjectStore, StoredObject

PAGE_BYTES = 1 << 20
"""Page size of the index: DynamoDB answers queries in pages of 1 MB."""


class DistantStore(FolderObjectStore):
    """The local store, with a delay for each opened object and each listing.

    Args:
        buckets: the folder of the bucket directories.
        latency_seconds: the delay.
    """

    def __init__(self, buckets: Path, *, latency_seconds: float) -> None:
        super().__init__(buckets, SystemClock())
        self.latency_seconds = latency_seconds
        self.opened = 0

    def _travel(self) -> None:
        self.opened += 1
        time.sleep(self.latency_seconds)

    @override
    def list_pages(self, prefix_uri: str) -> Iterator[tuple[StoredObject, ...]]:
        self._travel()
        return super().list_pages(prefix_uri)

    @override
    def head(self, uri: str) -> StoredObject:
        self._travel()
        return super().head(uri)

    @override
    def read(self, uri: str) -> bytes:
        self._travel()
        return super().read(uri)

    @override
    def polars_source(self, uri: str) -> tuple[str, Mapping[str, str]]:
        self._travel()
        return super().polars_source(uri)


class DistantIndex(SegmentList):
    """An index in memory that answers in pages, with a delay for each.

    Args:
        segments: the segments of all instances.
        latency_seconds: the delay.
    """

    def __init__(self, segments: Iterable[Segment], *, latency_seconds: float) -> None:
        super().__init__(segments)
        self.latency_seconds = latency_seconds

    def _travel(self, segments: Iterable[Segment]) -> None:
        size = sum(len(render_index_item(segment)) for segment in segments)
        time.sleep(self.latency_seconds * (size // PAGE_BYTES + 1))

    @override
    def segments(self, instance: Instance, *, after_t: int = 0) -> tuple[Segment, ...]:
        found = super().segments(instance, after_t=after_t)
        self._travel(found)
        return found

    @override
    def newest_t(self, instance: Instance) -> int:
        self._travel(())
        return super().newest_t(instance)

    @override
    def extracted_since(self, instance: Instance, *, before_t: int, since: datetime) -> tuple[Extraction, ...]:
        # DynamoDB reads whole pages of items before it filters them by timestamp.
        self._travel(super().segments(instance))
        return super().extracted_since(instance, before_t=before_t, since=since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The times of both runs."""

    latency_ms: float
    seconds: Mapping[str, float]
    opened: Mapping[str, int]
    rows: int
    equal: bool

    def lines(self) -> Iterator[str]:
        """The times as a Markdown table."""
        yield f"entity contracts, every object and index page {self.latency_ms:g} ms away: {self.rows:,} rows"
        yield ""
        yield "| | wall s | objects opened |"
        yield "|---|--:|--:|"
        for way, seconds in self.seconds.items():
            yield f"| {way} | {seconds:.2f} | {self.opened[way]:,} |"
        cached, alone = self.seconds.values()
        yield ""
        yield f"with the cache {alone / cached:.1f} times as fast; rows are {'equal' if self.equal else 'NOT EQUAL'}"


def compare_latency(bank: Bank, *, latency_ms: float) -> Latency:
    """Compute entity contracts with the cache and without."""
    seconds, opened = {}, {}
    folders = {"cache + delta": bank.folder / "latency-cache", "segments alone": bank.folder / "latency-segments"}
    for way, folder in folders.items():
        store = DistantStore(bank.folder / "buckets", latency_seconds=latency_ms / 1000)
        began = time.monotonic()
        run_ours(bank, folder, cached=way == "cache + delta", store=store)
        seconds[way], opened[way] = time.monotonic() - began, store.opened
    with_cache, alone = (folder / "contracts" for folder in folders.values())
    return Latency(
        latency_ms=latency_ms,
        seconds=seconds,
        opened=opened,
        rows=count_rows(with_cache),
        equal=not list(find_differences(with_cache, alone)),
    )


def run_ours(bank: Bank, folder: Path, *, cached: bool, store: DistantStore) -> None:
    """Compute entity contracts of the bank into `folder/contracts`."""
    near, entries = read_index(bank.folder / "index.jsonl"), read_map(bank.map_file if cached else None)
    segments = (segment for instance in near.instances for segment in near.segments(instance))
    index = DistantIndex(segments, latency_seconds=store.latency_seconds)
    until = json.loads((bank.folder / "until-end.json").read_text("utf-8"))
    for definition in load_catalog(bank.folder / "contracts"):
        sources = tuple(
            LogSource(
                instance=instance,
                index=index,
                cache=entry_of(entries, instance),
                until_t=until[instance.name],
            )
            for instance in definition.instances
        )
        build = ContractBuild(
            definition=definition, sources=sources, pii_key=b"bench", kinds=("entity",), policy=CachePolicy.STRICT
        )
        with local_driver() as driver:
            build_contracts(build, store=store, out=Folder(_empty(folder), "s3://contracts"), driver=driver, warn=print)


def _empty(folder: Path) -> ObjectStore:
    """The folder for contracts, in a store without latency."""
    shutil.rmtree(folder, ignore_errors=True)
    store = FolderObjectStore(folder, SystemClock())
    store.create_bucket("contracts")
    return store
