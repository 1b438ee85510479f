"""Measures our engine with and without a cache, on thousands of tiny segments on a real S3 server that is far away.

Each answer takes about 15 ms, whatever its size, and an index answers in pages: that, not the number of bytes, is what
a history costs without a cache. Both ways are computed in this process; a relay delays what the server answers.
"""

import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from answers import count_rows, find_differences
from bank import Bank
from far_server import Server, delayed, versitygw
from typing_extensions import override

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
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
from logcache_assets.ports import ObjectStore, PolarsSource, SegmentIndex, StoredObject

PAGE_BYTES = 1 << 20
"""Page size of the index: DynamoDB answers queries in pages of 1 MB."""


class CountingStore(S3ObjectStore):
    """The store on S3, which counts what it is asked for; what polars reads by itself is not counted."""

    def __init__(self, server: Server) -> None:
        super().__init__(AwsAccess(endpoint_url=server.endpoint_url))
        self.asked: Counter[str] = Counter()
        self._lock = Lock()

    def _count(self, what: str) -> None:
        with self._lock:
            self.asked[what] += 1

    @override
    def list_pages(self, prefix_uri: str) -> Iterator[tuple[StoredObject, ...]]:
        for page in super().list_pages(prefix_uri):
            self._count("listings")
            yield page

    @override
    def head(self, uri: str) -> StoredObject:
        self._count("heads")
        return super().head(uri)

    @override
    def read(self, uri: str) -> bytes:
        self._count("segments" if uri.endswith(".avro") else "other objects")
        return super().read(uri)

    @override
    def polars_source(self, uri: str) -> PolarsSource:
        self._count("by polars")
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
class Cost:
    """What contracts cost in one way."""

    seconds: float
    near_seconds: float
    """The same without latency: what is left of it is computing, the rest is waiting."""
    asked: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The costs of both ways."""

    latency_ms: float
    costs: Mapping[str, Cost]
    rows: int
    equal: bool

    def lines(self) -> Iterator[str]:
        """The costs as a Markdown table."""
        yield f"entity contracts from S3, every answer and index page {self.latency_ms:g} ms away: {self.rows:,} rows"
        yield ""
        yield "| | wall s | at 0 ms | round trips, one after the other | asked for |"
        yield "|---|--:|--:|--:|---|"
        for way, cost in self.costs.items():
            trips = 1000 * (cost.seconds - cost.near_seconds) / self.latency_ms
            asked = ", ".join(f"{count:,} {what}" for what, count in sorted(cost.asked.items()))
            yield f"| {way} | {cost.seconds:.2f} | {cost.near_seconds:.2f} | {trips:.0f} | {asked} |"
        cached, alone = self.costs.values()
        yield ""
        ratio = alone.seconds / cached.seconds
        yield f"with the cache {ratio:.1f} times as fast; rows are {'equal' if self.equal else 'NOT EQUAL'}"


WAYS = ("cache + delta", "segments alone")


def compare_latency(bank: Bank, *, latency_ms: float) -> Latency:
    """Compute entity contracts with the cache and without, from a server near and far."""
    with ExitStack() as until_the_end:
        folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(dir=bank.folder)))
        near = until_the_end.enter_context(versitygw(folder))
        upload(bank, near)
        far = until_the_end.enter_context(delayed(near, int(latency_ms), folder))
        costs = {way: measure_way(bank, way, near, far, latency_ms) for way in WAYS}
    with_cache, alone = (place(bank, way) / "contracts" for way in WAYS)
    return Latency(
        latency_ms=latency_ms,
        costs=costs,
        rows=count_rows(with_cache),
        equal=not list(find_differences(with_cache, alone)),
    )


def upload(bank: Bank, server: Server) -> None:
    """Put the bank's objects on the server."""
    store = S3ObjectStore(AwsAccess(endpoint_url=server.endpoint_url))
    source = FolderObjectStore(bank.folder / "buckets", SystemClock())
    for bucket in sorted(path.name for path in (bank.folder / "buckets").iterdir() if not path.name.startswith(".")):
        store.access.client("s3").create_bucket(Bucket=bucket)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda uri: store.put(uri, source.read(uri)), source.list_uris(f"s3://{bucket}/")))


def measure_way(bank: Bank, way: str, near: Server, far: Server, latency_ms: float) -> Cost:
    """Compute contracts near, twice because the first time starts everything, then far."""
    index = read_index(bank.folder / "index.jsonl")  # not timed: a real index is asked for what is newer alone
    segments = tuple(segment for instance in index.instances for segment in index.segments(instance))
    seconds, asked = [], Counter[str]()
    for server, wait in ((near, 0.0), (near, 0.0), (far, latency_ms / 1000)):
        store, distant = CountingStore(server), DistantIndex(segments, latency_seconds=wait)
        began = time.monotonic()
        run_ours(bank, place(bank, way), cached=way == WAYS[0], store=store, index=distant)
        seconds.append(time.monotonic() - began)
        asked = store.asked
    return Cost(seconds=seconds[-1], near_seconds=seconds[-2], asked=asked)


def place(bank: Bank, way: str) -> Path:
    """The folder of a way's contracts."""
    return bank.folder / f"latency-{way.partition(' ')[0]}"


def run_ours(bank: Bank, folder: Path, *, cached: bool, store: ObjectStore, index: SegmentIndex) -> None:
    """Compute entity contracts of the bank into `folder/contracts`."""
    entries = read_map(bank.map_file if cached else None)
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
