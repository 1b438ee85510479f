"""Promises of the local object store alone: files, the world's time, no access outside its folder."""

import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from awscrt.checksums import crc64nvme

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.ports import (
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStoreError,
    ObjectStoreUnavailable,
    StoredObject,
)

NOW = datetime(2018, 5, 28, 14, 20, 23, 944000, tzinfo=UTC)


@pytest.fixture
def clock(tmp_path: Path) -> LocalClock:
    """The world's date, in 2018."""
    clock = LocalClock(tmp_path / "now")
    clock.set(NOW)
    return clock


@pytest.fixture
def store(tmp_path: Path, clock: LocalClock) -> FolderObjectStore:
    """A store with one empty bucket."""
    store = FolderObjectStore(tmp_path / "buckets", clock)
    store.create_bucket("bucket")
    return store


def test_an_object_is_a_file(store: FolderObjectStore, tmp_path: Path) -> None:
    """`s3://bucket/key` is the file buckets/bucket/key."""
    store.write("s3://bucket/a/b.json", b"{}")

    assert store.path_of("s3://bucket/a/b.json") == tmp_path / "buckets" / "bucket" / "a" / "b.json"
    assert (tmp_path / "buckets" / "bucket" / "a" / "b.json").read_bytes() == b"{}"


def test_objects_have_the_worlds_time(store: FolderObjectStore, clock: LocalClock) -> None:
    """Every way to write stamps the world's date, which the listing shows."""
    source = store.write("s3://bucket/written", b"1")
    store.create("s3://bucket/created", b"2")
    clock.set(NOW + timedelta(hours=1))
    store.copy(source, "s3://bucket/copied")

    times = {stored.uri.rpartition("/")[2]: stored.modified_at for stored in store.list_objects("s3://bucket/")}

    assert times == {"written": NOW, "created": NOW, "copied": NOW + timedelta(hours=1)}


def test_the_etag_follows_bytes_changed_by_hand(store: FolderObjectStore) -> None:
    """A file damaged outside the store, with size and time kept, no longer has its etag."""
    before = store.write("s3://bucket/a", b"one")
    path = store.path_of("s3://bucket/a")
    path.write_bytes(b"two")
    os.utime(path, ns=(0, int(NOW.timestamp() * 1000) * 1_000_000))

    after = store.head("s3://bucket/a")

    assert (after.size_bytes, after.modified_at) == (before.size_bytes, before.modified_at)
    assert after.etag == hashlib.md5(b"two", usedforsecurity=False).hexdigest()


def test_the_etag_is_the_md5_of_the_bytes(store: FolderObjectStore) -> None:
    """As S3 documents it for an object uploaded in one part."""
    assert store.write("s3://bucket/a", b"hello").etag == "5d41402abc4b2a76b9719d911017c592"


def test_a_copy_of_many_pieces_has_one_checksum(store: FolderObjectStore) -> None:
    """Bytes copied in pieces of a megabyte give the checksum of the whole."""
    content = b"hello" * 500_000
    source = store.write("s3://bucket/a", content)

    copied = store.copy(source, "s3://bucket/b")

    assert copied.checksum == f"crc64nvme:{crc64nvme(content):016x}"
    assert copied.size_bytes == len(content)


def test_listing_uris_opens_no_object(store: FolderObjectStore) -> None:
    """A file without read permission is listed too."""
    store.write("s3://bucket/a", b"")
    store.path_of("s3://bucket/unreadable").symlink_to("unreadable.lock")

    assert list(store.list_uris("s3://bucket/")) == ["s3://bucket/a", "s3://bucket/unreadable"]


def test_a_read_that_fails_for_a_while_is_repeated(tmp_path: Path, clock: LocalClock) -> None:
    """The third attempt succeeds; a missing object or a lasting error is not read again."""

    class Flaky(FolderObjectStore):
        asked = 0

        @contextmanager
        def _open(self, uri: str) -> Iterator[io.BufferedReader]:
            self.asked += 1
            if self.asked < 3:
                raise ObjectStoreUnavailable("input/output error")
            with super()._open(uri) as file:
                yield file

    store = Flaky(tmp_path / "buckets", clock, reads=RepeatedReads(first_pause_seconds=0))
    store.create_bucket("bucket")
    store.write("s3://bucket/a", b"hello")

    assert store.read("s3://bucket/a") == b"hello"
    assert store.asked == 3
    with pytest.raises(ObjectNotFoundError):
        store.read("s3://bucket/none")
    assert store.asked == 4


@pytest.mark.parametrize(
    "key", ["../outside", "a/../../outside", "a/./b", "a//b", "/a", "..", "a/..", "../bucket-two/a", "nul\0"]
)
def test_nothing_escapes_the_bucket(store: FolderObjectStore, tmp_path: Path, key: str) -> None:
    """Every method refuses keys that are no plain path inside the bucket, and nothing is written."""
    source = store.write("s3://bucket/source", b"x")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(ObjectStoreError):
        store.write(f"s3://bucket/{key}", b"")
    with pytest.raises(ObjectStoreError):
        store.create(f"s3://bucket/{key}", b"")
    with pytest.raises(ObjectStoreError):
        store.copy(source, f"s3://bucket/{key}")
    with pytest.raises(ObjectStoreError):
        list(store.list_objects(f"s3://bucket/{key}"))
    with pytest.raises(ObjectStoreError):
        store.polars_source(f"s3://bucket/{key}")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_half_written_object_is_in_no_listing(store: FolderObjectStore) -> None:
    """During a write, and if its process dies, readers see the former object."""
    store.write("s3://bucket/a", b"before")
    with store._staged(store.path_of("s3://bucket/a")) as staged:  # noqa: SLF001 - the moment inside a write
        staged.write_bytes(b"hal")

        assert [stored.uri for stored in store.list_objects("s3://bucket")] == ["s3://bucket/a"]
        assert store.read("s3://bucket/a") == b"before"

    assert not staged.exists()


def test_of_many_creators_one_wins(store: FolderObjectStore) -> None:
    """Creating is one step: eight threads with eight contents leave one object and seven refusals."""
    refused = []

    def create(content: bytes) -> None:
        try:
            store.create("s3://bucket/a", content)
        except ObjectExistsError:
            refused.append(content)

    threads = [threading.Thread(target=create, args=(bytes([n]),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 7
    assert store.read("s3://bucket/a") not in refused


def test_a_key_below_an_object_is_refused(store: FolderObjectStore) -> None:
    """S3 can hold `a` beside `a/b`, files cannot: an error says so and nothing is lost."""
    store.write("s3://bucket/a", b"x")

    with pytest.raises(ObjectStoreError, match="choose another key"):
        store.write("s3://bucket/a/b", b"y")
    with pytest.raises(ObjectStoreError):
        store.create("s3://bucket/a/b/c", b"y")

    assert [stored.uri for stored in store.list_objects("s3://bucket")] == ["s3://bucket/a"]


def test_an_object_over_a_folder_is_refused(store: FolderObjectStore) -> None:
    """A folder that holds objects is never replaced by an object."""
    source = store.write("s3://bucket/a/b", b"x")

    attempts: tuple[Callable[[], StoredObject], ...] = (
        lambda: store.write("s3://bucket/a", b"y"),
        lambda: store.create("s3://bucket/a", b"y"),
        lambda: store.copy(source, "s3://bucket/a"),
    )
    for refused in attempts:
        with pytest.raises(ObjectStoreError):
            refused()

    assert [stored.uri for stored in store.list_objects("s3://bucket")] == ["s3://bucket/a/b"]


def test_a_listing_that_fails_is_an_error(store: FolderObjectStore) -> None:
    """A folder that cannot be read is never reported as empty or left out."""
    with pytest.raises(ObjectStoreError, match="cannot be listed"):
        list(store.list_objects("s3://bucket/" + "x" * 300 + "/"))

    store.path_of("s3://bucket/loop").symlink_to(store.path_of("s3://bucket/loop"))
    with pytest.raises(ObjectStoreError):
        list(store.list_objects("s3://bucket/"))


def test_an_error_on_a_later_page_does_not_end_the_listing(tmp_path: Path, clock: LocalClock) -> None:
    """The first page is returned and the second raises, so that a caller never takes the first for the whole."""

    class HalfBroken(FolderObjectStore):
        def _names_in(self, folder: Path) -> list[str]:
            if folder.name == "b":
                raise ObjectStoreUnavailable(f"{folder} cannot be listed")
            return super()._names_in(folder)

    store = HalfBroken(tmp_path / "buckets", clock)
    store.create_bucket("bucket")
    for key in [f"a/{n:04}" for n in range(1000)] + ["b/1"]:
        store.write(f"s3://bucket/{key}", b"")
    pages = store.list_pages("s3://bucket/")

    assert len(next(pages)) == 1000
    with pytest.raises(ObjectStoreUnavailable):
        next(pages)


def test_polars_opens_what_the_store_names(
    store: FolderObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object, and all Parquet files of a folder, from a store that was given a relative path."""
    monkeypatch.chdir(tmp_path)
    frame = pl.DataFrame({"t": [1, 2]})
    frame.write_parquet(tmp_path / "part.parquet")
    store = FolderObjectStore(Path("buckets"), LocalClock(Path("now")))
    store.write("s3://bucket/data/part-0.parquet", (tmp_path / "part.parquet").read_bytes())

    for uri in ("s3a://bucket/data/part-0.parquet", "s3://bucket/data/"):
        source = store.polars_source(uri)
        assert Path(source.location).is_absolute()
        assert (source.options, source.credentials) == ({}, None)
        assert pl.scan_parquet(source.location).collect().equals(frame)


def test_a_subclass_can_damage_copies(tmp_path: Path, clock: LocalClock) -> None:
    """Fault injection overrides only `copy`; everything else stays this store's."""

    class Truncating(FolderObjectStore):
        def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
            copied = super().copy(source, destination_uri)
            self.write(destination_uri, self.read(destination_uri)[:-1])
            return copied

    store = Truncating(tmp_path / "buckets", clock)
    store.create_bucket("bucket")
    source = store.write("s3://bucket/a", b"hello")

    store.copy(source, "s3://bucket/b")

    assert store.head("s3://bucket/b").etag != source.etag
