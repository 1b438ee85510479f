"""A cache that contradicts its map entry: an error under `strict`; not used, with a warning, under `fallback`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.log.log_op import CachePolicy, LogSource, read_log
from logcache_assets.ports import ObjectStoreUnavailable, Tell
from logcache_tests.engine.avro import TX_BASE, TX_INSTANT, avro_bytes, instant_text
from logcache_tests.engine.builds import facts_of
from logcache_tests.engine.damage import rename
from logcache_tests.engine.generated import INSTANCE, segments_in, small_log, source_of, write_segments
from logcache_tests.engine.world import (
    BEFORE_EVERY_SEGMENT,
    OWN_BUCKET,
    entry_at,
    refuse_warning,
    seal,
    strict_log,
    write_cache,
)
from logcache_tests.unreachable_store import UnreachableStore

Fault = Callable[[FolderObjectStore, str], None]

BASE = f"s3://{OWN_BUCKET}/cache/{INSTANCE.name}"
FILES = {"log": "part-00000.parquet", "materialized-entities": "open-00000-of-00001.parquet"}


class Read(Protocol):
    """read_log or facts_of."""

    def __call__(self, source: LogSource, store: FolderObjectStore, *, policy: CachePolicy, warn: Tell) -> pl.DataFrame:
        """Read from a source."""


@pytest.fixture
def source(store: FolderObjectStore) -> LogSource:
    """A small log in three segments."""
    return source_of(*write_segments(small_log().datoms, (10, 20, 30), store))


def break_nothing(store: FolderObjectStore, dataset: str) -> None:
    """Leave the cache unchanged."""


def truncate(store: FolderObjectStore, dataset: str) -> None:
    """Truncate the Parquet file."""
    uri = f"{BASE}/{dataset}/{FILES[dataset]}"
    store.write(uri, store.read(uri)[:-30])


def remove(store: FolderObjectStore, dataset: str) -> None:
    """Remove the Parquet file."""
    store.path_of(f"{BASE}/{dataset}/{FILES[dataset]}").unlink()


def rename_a_column(store: FolderObjectStore, dataset: str) -> None:
    """Write the file with another schema."""
    path = store.path_of(f"{BASE}/{dataset}/{FILES[dataset]}")
    pl.read_parquet(path).rename({"v": "value"}).write_parquet(path)


def add_a_foreign_file(store: FolderObjectStore, dataset: str) -> None:
    """Add a file of another dataset to the folder."""
    pl.DataFrame({"x": [1]}).write_parquet(store.path_of(f"{BASE}/{dataset}/part-00001.parquet"))


CACHE_FAULTS = [
    pytest.param(truncate, 20, "truncated or corrupt", id="truncated"),
    pytest.param(remove, 20, "is missing", id="missing"),
    pytest.param(rename_a_column, 20, "C17", id="another schema"),
    pytest.param(add_a_foreign_file, 20, r"part-00001\.parquet has the columns .*C17", id="a foreign file"),
    pytest.param(break_nothing, 10, r"its data ends at t 20 \(C5\)", id="last_t behind its data"),
    pytest.param(break_nothing, 30, r"its data ends at t 20 \(C5\)", id="last_t ahead of its data"),
    pytest.param(break_nothing, 31, "ahead of the segment index", id="last_t ahead of the index"),
]


@pytest.mark.parametrize(("fault", "last_t", "reason"), CACHE_FAULTS)
@pytest.mark.parametrize(("read", "dataset"), [(read_log, "log"), (facts_of, "materialized-entities")])
def test_a_cache_that_is_not_what_the_map_says_is_never_used(  # noqa: PLR0917 - a table of cases
    fault: Fault, last_t: int, reason: str, read: Read, dataset: str, source: LogSource, store: FolderObjectStore
) -> None:
    """Strict raises an error with instance, folder and range; fallback warns and reads the segments alone."""
    write_cache(source, store, folder="cache", last_t=20)
    fault(store, dataset)
    cached, told = replace(source, cache=seal(entry_at(BASE, last_t=last_t), store)), list[str]()

    with pytest.raises(CacheError, match=reason) as refusal:
        read(cached, store, policy=CachePolicy.STRICT, warn=refuse_warning)
    found = read(cached, store, policy=CachePolicy.FALLBACK, warn=told.append)

    assert found.equals(read(source, store, policy=CachePolicy.STRICT, warn=refuse_warning))
    assert str(refusal.value) in told[0]
    assert told[0].startswith("WARNING: double-entry-s0")
    assert "3 segments are read from the start" in told[0]


@pytest.mark.parametrize("lists", [pytest.param(False, id="not listed"), pytest.param(True, id="not read")])
@pytest.mark.parametrize("read", [read_log, facts_of])
def test_an_outage_does_not_make_a_night_read_the_whole_history(
    read: Read, *, lists: bool, source: LogSource, store: FolderObjectStore
) -> None:
    """The outage is raised: nothing is known of the cache, so no earlier one is used and no warning is given."""
    cached = replace(source, cache=write_cache(source, store, folder="cache", last_t=20))
    out = UnreachableStore(store, BASE, lists=lists)

    with pytest.raises(ObjectStoreUnavailable, match=BASE):
        read(cached, out, policy=CachePolicy.FALLBACK, warn=refuse_warning)


def lose(name: str) -> Callable[[FolderObjectStore, str], None]:
    """Remove one file."""
    return lambda store, folder: store.path_of(f"{folder}/{name}").unlink()


def call(name: str, other: str) -> Callable[[FolderObjectStore, str], None]:
    """Rename one file."""
    return lambda store, folder: rename(f"{folder}/{name}", other, store)


def double(name: str, other: str) -> Callable[[FolderObjectStore, str], None]:
    """Add a second copy of one file."""
    return lambda store, folder: void(store.write(f"{folder}/{other}", store.read(f"{folder}/{name}")))


def void(_: object) -> None:
    """Change nothing."""


ENTITIES_FAULTS = [
    pytest.param(lose("closed-00001-of-00002.parquet"), "closed-00001-of-00002.parquet is missing", id="a half"),
    pytest.param(lose("open-00000-of-00002.parquet"), "open-00000-of-00002.parquet is missing", id="the first file"),
    pytest.param(
        call("open-00001-of-00002.parquet", "open-00001-of-00004.parquet"),
        r"mixes files of \[2, 4\] buckets",
        id="a file of another bucket count",
    ),
    pytest.param(
        double("open-00000-of-00002.parquet", "open-00000-of-00001.parquet"),
        r"mixes files of \[1, 2\] buckets",
        id="a whole dataset beside the buckets",
    ),
    pytest.param(
        call("open-00001-of-00002.parquet", "part-00001.parquet"),
        r"part-00001\.parquet is not a file of materialized entities.*C17",
        id="a name of another layout",
    ),
    pytest.param(
        call("open-00001-of-00002.parquet", "open-00002-of-00002.parquet"),
        r"open-00002-of-00002\.parquet is not a file of materialized entities",
        id="a bucket beyond the last",
    ),
    pytest.param(
        double("closed-00001-of-00002.parquet", "copy/closed-00001-of-00002.parquet"),
        r"copy/closed-00001-of-00002\.parquet occurs twice",
        id="a bucket twice",
    ),
]


@pytest.mark.parametrize(("fault", "reason"), ENTITIES_FAULTS)
def test_materialized_entities_must_have_every_bucket_exactly_once(
    fault: Fault, reason: str, source: LogSource, store: FolderObjectStore
) -> None:
    """A lost or doubled file loses or doubles facts, so both are refused before anything is computed."""
    entry = write_cache(source, store, folder="cache", last_t=20, bucket_datoms=4)
    fault(store, entry.materialized_entities)
    cached, told = replace(source, cache=seal(entry, store)), list[str]()

    with pytest.raises(CacheError, match=reason) as refusal:
        facts_of(cached, store)
    found = facts_of(cached, store, policy=CachePolicy.FALLBACK, warn=told.append)

    assert found.equals(facts_of(source, store))
    assert str(refusal.value).startswith("double-entry-s0: the cache of t in (0, 20] ")
    assert str(refusal.value) in told[0]


@pytest.mark.parametrize("read", [read_log, facts_of])
def test_a_stale_cache_is_never_used(read: Read, source: LogSource, store: FolderObjectStore) -> None:
    """A cache with a segment that was re-extracted since may hold deleted personal data, so it is not used."""
    stale = write_cache(source, store, folder="cache", last_t=20, read_at=BEFORE_EVERY_SEGMENT)
    store.write(
        segments_in(source)[0].path,
        avro_bytes([(TX_BASE + 10, TX_INSTANT, instant_text(10), 10, True), (9, 9, "kept", 10, True)]),
    )
    cached, told = replace(source, cache=stale), list[str]()

    with pytest.raises(CacheError, match=r"stale: 2 segments.*first t in \(0, 10\].*C7"):
        read(cached, store, policy=CachePolicy.STRICT, warn=refuse_warning)
    found = read(cached, store, policy=CachePolicy.FALLBACK, warn=told.append)

    assert "kept" in found["v"]
    assert "stale" in told[0]


def test_a_cache_with_an_empty_log_is_refused(source: LogSource, store: FolderObjectStore) -> None:
    """A copy without rows is refused, because it has no t."""
    entry = write_cache(source, store, folder="cache", last_t=20)
    path = store.path_of(f"{BASE}/log/part-00000.parquet")
    pl.read_parquet(path).clear().write_parquet(path)

    with pytest.raises(CacheError, match="its data ends at t None"):
        strict_log(replace(source, cache=seal(entry, store)), store)
