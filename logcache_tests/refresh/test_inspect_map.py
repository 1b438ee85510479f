"""The manifest that an entry of the map points to: read once, and refused only for what is in it."""

import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.segment_list import SegmentList
from logcache_assets.domain.documents import CopiedLog, render_document
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.ports import ObjectStoreUnavailable
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.file_proofs import read_manifest
from logcache_assets.refresh.inspect_map import Inspector
from logcache_tests.domain.samples import manifest, map_entry
from logcache_tests.engine.world import open_store
from logcache_tests.unreachable_store import UnreachableStore

FEED = parse_instance("feed-s0")
TEXT = render_document(manifest())
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()
ENTRY = replace(map_entry(), manifest_sha256=DIGEST)
MANIFEST = folder_of(ENTRY.log).manifest


class ChangingStore(FolderObjectStore):
    """A store in which somebody replaces an object right after it was read."""

    @override
    def read(self, uri: str) -> bytes:
        content = super().read(uri)
        self.write(uri, b"replaced")
        return content


@pytest.fixture
def store(tmp_path: Path) -> FolderObjectStore:
    """A bucket with the entry's manifest, without the files that it names."""
    store = open_store(tmp_path)
    store.create_bucket(MANIFEST.split("/")[2])
    store.write(MANIFEST, TEXT.encode())
    return store


def changing(store: FolderObjectStore) -> ChangingStore:
    """The same objects, each of which changes after its first read."""
    buckets = store.path_of("s3://any").parent
    return ChangingStore(buckets, LocalClock(buckets.parent / "clock"))


def problems_of(store: FolderObjectStore, entry: MapEntry = ENTRY) -> list[str]:
    """The codes of what an inspection finds."""
    found = Inspector(Documents(store), SegmentList(())).find_pointer_problems(FEED, entry)
    return [str(problem.code) for problem in found]


def test_a_missing_or_malformed_manifest_is_a_problem(store: FolderObjectStore) -> None:
    """The entry points to no cached log."""
    store.write(MANIFEST, b"{")
    malformed = problems_of(store)
    store.path_of(MANIFEST).unlink()

    assert malformed == problems_of(store) == ["C14"]


@pytest.mark.parametrize(
    ("written_before", "blind"),
    [
        pytest.param(timedelta(minutes=2), True, id="before it was read"),
        pytest.param(timedelta(minutes=1), False, id="by a clock that is a minute behind"),
        pytest.param(timedelta(days=-1), False, id="after it was read"),
    ],
)
def test_a_manifest_is_not_older_than_the_reading_of_its_log(
    store: FolderObjectStore, *, written_before: timedelta, blind: bool
) -> None:
    """Otherwise the instant of reading is wrong, and no excision since then would show (C7)."""
    written = (ENTRY.source_read_at - written_before).timestamp()
    os.utime(store.path_of(MANIFEST), (written, written))

    assert ("C7" in problems_of(store)) is blind


def test_an_outage_is_no_problem_of_an_entry(store: FolderObjectStore) -> None:
    """Nobody is told to refresh a sound cache again because the store did not answer."""
    with pytest.raises(ObjectStoreUnavailable, match=MANIFEST):
        problems_of(UnreachableStore(store, MANIFEST))


def test_the_manifest_that_is_judged_is_the_one_whose_digest_is(store: FolderObjectStore) -> None:
    """Its bytes are read once, so a replacement in between cannot be judged by the digest of the former."""
    sound = problems_of(store)

    assert "C14" not in sound
    assert problems_of(changing(store)) == sound


def test_a_copys_manifest_is_the_one_whose_digest_was_compared(store: FolderObjectStore) -> None:
    """The same holds when a stage looks whether its copy is still true."""
    log = CopiedLog(
        instance="feed-s0", last_t=4836, manifest=MANIFEST, manifest_sha256=DIGEST, rows=1, files=1, size_bytes=1
    )

    assert read_manifest(Documents(changing(store)), log) == manifest()
