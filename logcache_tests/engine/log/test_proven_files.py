"""A cache whose files or manifest are not what was written is never used, also if every file can be decoded."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import msgspec
import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.log_documents import FileProof
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.engine.log.proven_files import ProvenFiles, open_proven, read_manifest
from logcache_tests.engine.builds import facts_of
from logcache_tests.engine.generated import INSTANCE, small_log, source_of, write_segments
from logcache_tests.engine.world import OWN_BUCKET, refuse_warning, strict_log, write_cache

BASE = f"s3://{OWN_BUCKET}/cache/{INSTANCE.name}"
LOG = f"{BASE}/log/part-00000.parquet"
OPEN = f"{BASE}/materialized-entities/open-00000-of-00001.parquet"
CLOSED = f"{BASE}/materialized-entities/closed-00000-of-00001.parquet"

Damage = Callable[[FolderObjectStore, str], None]


@pytest.fixture
def alone(store: FolderObjectStore) -> LogSource:
    """A small log in three segments, without a cache."""
    return source_of(*write_segments(small_log().datoms, (10, 20, 30), store))


@pytest.fixture
def entry(alone: LogSource, store: FolderObjectStore) -> MapEntry:
    """Its cache up to t 20, as it was written."""
    return write_cache(alone, store, folder="cache", last_t=20)


def half_of_the_rows(store: FolderObjectStore, uri: str) -> None:
    """A sound file, of half of the rows."""
    path = store.path_of(uri)
    frame = pl.read_parquet(path)
    frame[: len(frame) // 2].write_parquet(path)


def one_flipped_bit(store: FolderObjectStore, uri: str) -> None:
    """A byte in the middle of the file differs in one bit."""
    content = bytearray(store.read(uri))
    content[len(content) // 3] ^= 4
    store.write(uri, bytes(content))


def another_value(store: FolderObjectStore, uri: str) -> None:
    """A sound file of the same rows, in which one text differs."""
    path = store.path_of(uri)
    pl.read_parquet(path).with_columns(v=pl.lit("5")).write_parquet(path)


def nothing(store: FolderObjectStore, uri: str) -> None:
    """An empty file."""
    store.write(uri, b"")


@pytest.mark.parametrize("damage", [half_of_the_rows, one_flipped_bit, another_value, nothing])
@pytest.mark.parametrize(("read", "uri"), [(strict_log, LOG), (facts_of, OPEN), (facts_of, CLOSED)])
def test_every_byte_that_is_used_has_been_verified(  # noqa: PLR0917 - a table of cases
    damage: Damage,
    read: Callable[[LogSource, FolderObjectStore], pl.DataFrame],
    uri: str,
    alone: LogSource,
    entry: MapEntry,
    store: FolderObjectStore,
) -> None:
    """Strict refuses the file by its name; a nightly run warns and reads the segments, which give the same."""
    damage(store, uri)
    cached, told = replace(alone, cache=entry), list[str]()

    with pytest.raises(CacheError, match=f"double-entry-s0.*{uri}"):
        read(cached, store)
    found = facts_of(cached, store, policy=CachePolicy.FALLBACK, warn=told.append) if read is facts_of else None

    assert found is None or found.equals(facts_of(alone, store))
    assert found is None or uri in told[0]


def test_what_is_not_used_is_not_read(alone: LogSource, entry: MapEntry, store: FolderObjectStore) -> None:
    """Facts need no file of the cached log, so its damage is not looked for."""
    one_flipped_bit(store, LOG)

    assert facts_of(replace(alone, cache=entry), store).equals(facts_of(alone, store))


def lose(store: FolderObjectStore, uri: str) -> None:
    """Remove the object."""
    store.path_of(uri).unlink()


def edit(**fields: object) -> Damage:
    """Change fields of the manifest; the map still names the former one."""

    def how(store: FolderObjectStore, uri: str) -> None:
        store.write(uri, json.dumps(json.loads(store.read(uri)) | fields).encode())

    return how


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(lose, "no sound manifest", id="none"),
        pytest.param(nothing, "no sound manifest", id="empty"),
        pytest.param(edit(last_t=19), "is not the one that the map names", id="another t"),
        pytest.param(edit(instance="feed-s0"), "is not the one that the map names", id="another instance"),
    ],
)
def test_a_manifest_that_the_map_does_not_name_proves_nothing(
    damage: Damage, reason: str, alone: LogSource, entry: MapEntry, store: FolderObjectStore
) -> None:
    """The digest in the map is compared with the manifest that lies there."""
    damage(store, folder_of(entry.log).manifest)

    for read in (strict_log, facts_of):
        with pytest.raises(CacheError, match=reason):
            read(replace(alone, cache=entry), store)


def test_an_entry_that_contradicts_its_manifest_is_refused(
    alone: LogSource, entry: MapEntry, store: FolderObjectStore
) -> None:
    """The manifest says when the log was read, so an entry cannot claim a later instant."""
    later = msgspec.structs.replace(entry, source_read_at=entry.source_read_at + timedelta(days=1))

    with pytest.raises(CacheError, match=r"the map says transaction .*\(C7\)"):
        facts_of(replace(alone, cache=later), store)


def test_files_beside_those_of_the_manifest_are_refused(
    alone: LogSource, entry: MapEntry, store: FolderObjectStore
) -> None:
    """A file that nobody described is not read as part of the log."""
    store.write(f"{BASE}/log/part-00001.parquet", store.read(LOG))

    with pytest.raises(CacheError, match=r"1 file too many, first .*part-00001\.parquet \(C13\)"):
        strict_log(replace(alone, cache=entry), store)


def test_a_file_is_verified_once_in_a_process(entry: MapEntry, store: FolderObjectStore) -> None:
    """A second use costs nothing; sent to another process it is verified again."""
    files = open_proven(INSTANCE, entry, read_manifest(INSTANCE, entry, store).log, store)
    files.verified(LOG, store)
    lose(store, LOG)

    files.verified(LOG, store)
    with pytest.raises(CacheError):
        pickle.loads(pickle.dumps(files)).verified(LOG, store)  # noqa: S301 - made here


def test_a_file_without_a_checksum_is_not_proven(entry: MapEntry, store: FolderObjectStore) -> None:
    """Equal sizes prove nothing."""
    proof = FileProof(name="part-00000.parquet", size_bytes=len(store.read(LOG)), etag="e")

    with pytest.raises(CacheError, match=r"\(C13\)"):
        ProvenFiles(INSTANCE, entry, {LOG: proof}).verified(LOG, store)


def test_a_sound_cache_is_used(alone: LogSource, entry: MapEntry, store: FolderObjectStore) -> None:
    """Nothing is told, and facts and log are those of the segments."""
    cached = replace(alone, cache=entry)

    assert facts_of(cached, store, policy=CachePolicy.FALLBACK, warn=refuse_warning).equals(facts_of(alone, store))
    assert strict_log(cached, store).equals(strict_log(alone, store))
