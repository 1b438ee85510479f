"""LogOp asks the index for what is newer than its cache, once per cache that is tried."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_fields
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.log.index_snapshot import IndexSnapshot
from logcache_assets.engine.log.log_op import CachePolicy, LogSource, read_log
from logcache_assets.engine.raw.build_raw import RawBuild, build_raw
from logcache_assets.local_platform.segment_index import LocalSegmentIndex
from logcache_assets.ports import SegmentIndex
from logcache_tests.engine.app import NAME, A, B, define, log_of
from logcache_tests.engine.builds import build
from logcache_tests.engine.damage import truncate
from logcache_tests.engine.generated import segments_in, source_of, with_index, write_segments
from logcache_tests.engine.world import (
    AFTER_EVERY_SEGMENT,
    OWN_BUCKET,
    driver_in,
    refuse_warning,
    write_cache,
)

DEFINITION = define(NAME)
(S0,) = DEFINITION.instances
LOG = log_of(
    (A, "user/id", "a", 1001, True),
    (A, "user/name", "Ana", 1002, True),
    (B, "user/id", "b", 1003, True),
    (B, "user/name", "Bia", 1004, True),
)
ENDS = (1000, 1001, 1002, 1003, 1004)


@dataclass
class CountingIndex(SegmentIndex):
    """Another index that writes down the last_t of every item that it hands out, and every other question."""

    index: SegmentIndex
    items: list[int] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    @override
    def segments(self, instance: Instance, *, after_t: int = 0) -> tuple[Segment, ...]:
        found = self.index.segments(instance, after_t=after_t)
        self.items += [segment.last_t for segment in found]
        self.questions.append(f"after {after_t}")
        return found

    @override
    def newest_t(self, instance: Instance) -> int:
        self.questions.append("newest")
        return self.index.newest_t(instance)

    @override
    def extracted_since(self, instance: Instance, *, before_t: int, since: datetime) -> tuple[Extraction, ...]:
        self.questions.append(f"extracted before {before_t}")
        return self.index.extracted_since(instance, before_t=before_t, since=since)


def build_contracts_of(source: LogSource, store: FolderObjectStore, policy: CachePolicy) -> None:
    """All contracts."""
    wanted = ContractBuild(definition=DEFINITION, sources=(source,), pii_key=b"k", policy=policy)
    build(wanted, store, warn=list[str]().append)


def build_raw_of(source: LogSource, store: FolderObjectStore, policy: CachePolicy) -> None:
    """Both raw datasets."""
    folder = Folder(store, f"s3://{OWN_BUCKET}/raw")
    wanted = RawBuild(source=source, log=folder.at("log"), entities=folder.at("entities"), policy=policy)
    build_raw(wanted, store=store, driver=driver_in(store), warn=list[str]().append)


def read_log_of(source: LogSource, store: FolderObjectStore, policy: CachePolicy) -> None:
    """The datoms alone."""
    read_log(source, store, policy=policy, warn=list[str]().append)


Read = Callable[[LogSource, FolderObjectStore, CachePolicy], None]
every_reading = pytest.mark.parametrize("read", [build_contracts_of, build_raw_of, read_log_of])


@pytest.fixture
def alone(store: FolderObjectStore) -> LogSource:
    """A log in five segments."""
    return source_of(*write_segments(LOG, ENDS, store, instance=S0))


@pytest.fixture
def index(alone: LogSource) -> CountingIndex:
    """Its index, which counts."""
    return CountingIndex(alone.index)


@pytest.fixture
def cache(alone: LogSource, store: FolderObjectStore) -> MapEntry:
    """A cache up to t 1002."""
    return write_cache(alone, store, folder="cache", last_t=1002)


@every_reading
@pytest.mark.parametrize("policy", list(CachePolicy))
def test_a_reading_with_a_cache_is_given_only_newer_items(
    read: Read, policy: CachePolicy, index: CountingIndex, cache: MapEntry, store: FolderObjectStore
) -> None:
    """Under each policy: the newer segments once, and once whether the cache is stale."""
    read(LogSource(instance=S0, index=index, cache=cache), store, policy)

    assert index.items == [1003, 1004]
    assert index.questions == ["after 1002", "extracted before 1002"]


@pytest.mark.parametrize("policy", list(CachePolicy))
def test_a_run_asks_each_question_once(
    policy: CachePolicy, index: CountingIndex, cache: MapEntry, store: FolderObjectStore
) -> None:
    """Raw datasets, contracts and the log itself are read in one run: whether the cache is stale is asked once."""
    source = LogSource(instance=S0, index=IndexSnapshot(index), cache=cache)

    for read in (build_raw_of, build_contracts_of, read_log_of):
        read(source, store, policy)

    assert index.items == [1003, 1004]
    assert index.questions == ["after 1002", "extracted before 1002"]


def test_a_run_goes_on_with_the_segments_that_it_found_first(alone: LogSource, tmp_path: Path) -> None:
    """What arrives during a run is the next run's: its datasets must not be computed from different logs."""
    *first, last = segments_in(alone)
    growing = LocalSegmentIndex(tmp_path / "index.sqlite")
    growing.put(first)
    snapshot = IndexSnapshot(growing)
    found = snapshot.segments(S0, after_t=1002), snapshot.newest_t(S0)

    growing.put([last])

    assert (snapshot.segments(S0, after_t=1002), snapshot.newest_t(S0)) == found
    assert growing.newest_t(S0) == last.last_t


@every_reading
def test_a_reading_without_a_cache_is_given_every_item(
    read: Read, index: CountingIndex, store: FolderObjectStore
) -> None:
    """Each once, and nothing else is asked."""
    read(LogSource(instance=S0, index=index), store, CachePolicy.STRICT)

    assert index.items == list(ENDS)
    assert index.questions == ["after 0"]


@every_reading
def test_a_fallback_asks_again_from_the_next_cache(
    read: Read, alone: LogSource, index: CountingIndex, cache: MapEntry, store: FolderObjectStore
) -> None:
    """The index answers once for every cache that is tried, at last for none."""
    lost = replace_entry(cache, "lost")
    earlier = write_cache(alone, store, folder="earlier", last_t=1001)
    source = LogSource(instance=S0, index=index, cache=lost, earlier=(earlier,))

    read(source, store, CachePolicy.FALLBACK)

    assert index.items == [1003, 1004, 1002, 1003, 1004]
    assert index.questions == ["after 1002", "extracted before 1002", "after 1001", "extracted before 1001"]


def test_a_log_that_is_open_is_not_asked_again_when_another_steps_down(
    index: CountingIndex, cache: MapEntry, store: FolderObjectStore
) -> None:
    """Only the log whose cache is damaged is opened anew."""
    definition = define(NAME, prototypes=("s0", "s1"))
    s1 = definition.instances[1]
    other = source_of(*write_segments(LOG, ENDS, store, instance=s1))
    damaged = write_cache(other, store, folder="damaged", last_t=1002)
    truncate(f"{damaged.materialized_entities}/open-00000-of-00001.parquet", store)
    sources = (LogSource(instance=S0, index=index, cache=cache), replace(other, cache=damaged))

    build(
        ContractBuild(definition=definition, sources=sources, pii_key=b"k", policy=CachePolicy.FALLBACK),
        store,
        warn=list[str]().append,
    )

    assert index.items == [1003, 1004]
    assert index.questions == ["after 1002", "extracted before 1002"]


def test_where_the_index_ends_is_asked_when_nothing_is_newer(
    alone: LogSource, index: CountingIndex, store: FolderObjectStore
) -> None:
    """A cache that ends with the index is used; no item is read."""
    whole = write_cache(alone, store, folder="whole", last_t=1004)

    read_log(LogSource(instance=S0, index=index, cache=whole), store, policy=CachePolicy.STRICT, warn=refuse_warning)

    assert index.items == []
    assert index.questions == ["after 1004", "newest", "extracted before 1004"]


@every_reading
def test_a_cache_ahead_of_the_index_is_refused(
    read: Read, alone: LogSource, cache: MapEntry, store: FolderObjectStore
) -> None:
    """It belongs to another log (C4)."""
    shorter = with_index(alone, segments_in(alone)[:2])

    with pytest.raises(CacheError, match=r"ends at t 1002, ahead of the segment index, which ends at 1001.*C4"):
        read(replace(shorter, cache=cache), store, CachePolicy.STRICT)


@every_reading
def test_a_re_extraction_across_the_caches_end_makes_it_stale(
    read: Read, alone: LogSource, store: FolderObjectStore
) -> None:
    """It holds t of the cache too; a new segment that begins where the cache ends is none (C7)."""
    first, second, _, *rest = segments_in(alone)
    cache = write_cache(alone, store, folder="old", last_t=1002, read_at=rest[0].extracted_at)
    (wide,) = write_segments([d for d in LOG if 1001 < d[3] <= 1003], (1003,), store, instance=S0)
    wide = replace(wide, last_batch_t=1001, timestamp_ms=int(AFTER_EVERY_SEGMENT.timestamp() * 1000))
    again = with_index(alone, (first, second, wide, rest[1]))

    read(replace(alone, cache=cache), store, CachePolicy.STRICT)
    with pytest.raises(CacheError, match=r"stale: 1 segments.*t in \(1001, 1003\].*C7"):
        read(replace(again, cache=cache), store, CachePolicy.STRICT)


def test_a_lost_segment_below_the_cache_is_not_asked_for(
    alone: LogSource, cache: MapEntry, store: FolderObjectStore
) -> None:
    """The gate and inspection ask whether the old chain is whole; LogOp reads the cache instead."""
    gappy = with_index(alone, segments_in(alone)[3:])

    found = read_log(replace(gappy, cache=cache), store, policy=CachePolicy.STRICT, warn=refuse_warning)

    assert len(found) == len(LOG)


def replace_entry(entry: MapEntry, folder: str) -> MapEntry:
    """The entry with its files elsewhere, where nothing lies."""
    return replace_fields(
        entry,
        log=f"s3://{OWN_BUCKET}/{folder}/log",
        materialized_entities=f"s3://{OWN_BUCKET}/{folder}/materialized-entities",
    )
