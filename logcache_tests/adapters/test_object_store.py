"""What every ObjectStore promises: one suite for the local twin and each production adapter.

An adapter joins by a factory in STORES that gives an empty store with the buckets `source` and `target`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.ports import (
    ObjectChangedError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStore,
    ObjectStoreError,
)

NOW = datetime(2018, 5, 28, 14, 20, 23, tzinfo=UTC)


def local_store(folder: Path) -> ObjectStore:
    """The twin in an empty world."""
    clock = LocalClock(folder / "now")
    clock.set(NOW)
    store = FolderObjectStore(folder / "buckets", clock)
    store.create_bucket("source")
    store.create_bucket("target")
    return store


STORES: dict[str, Callable[[Path], ObjectStore]] = {"local": local_store}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store of each kind."""
    return STORES[request.param](tmp_path)


def uris(store: ObjectStore, prefix: str) -> list[str]:
    """What a listing names."""
    return [stored.uri for stored in store.list_objects(prefix)]


def test_what_was_written_is_read(store: ObjectStore) -> None:
    """Bytes come back as they were, also none and also under a key with strange characters."""
    for key, content in {"a/b c+d%20é.txt": b"\x00\xff", "empty": b""}.items():
        store.write(f"s3://source/{key}", content)

        assert store.read(f"s3://source/{key}") == content


def test_write_replaces(store: ObjectStore) -> None:
    """The second write wins and shows another etag."""
    first = store.write("s3://source/a", b"one")
    second = store.write("s3://source/a", b"two")

    assert store.read("s3://source/a") == b"two"
    assert first.etag != second.etag
    assert store.head("s3://source/a") == second


def test_the_etag_is_the_md5_of_the_bytes(store: ObjectStore) -> None:
    """A single-part object's etag is its MD5, as S3 documents it: equal bytes, equal etags."""
    assert store.write("s3://source/a", b"hello").etag == "5d41402abc4b2a76b9719d911017c592"
    assert store.write("s3://target/b", b"hello").etag == "5d41402abc4b2a76b9719d911017c592"


def test_a_listing_describes_every_object(store: ObjectStore) -> None:
    """Listing, head and the answer of write are the same description."""
    written = store.write("s3://source/a/b", b"12345")

    assert store.list_objects("s3://source/a") == (written,)
    assert store.head("s3://source/a/b") == written
    assert (written.uri, written.size_bytes) == ("s3://source/a/b", 5)
    assert written.modified_at.tzinfo is UTC


def test_a_prefix_is_the_beginning_of_a_key(store: ObjectStore) -> None:
    """`cache/a` also matches `cache/ab/x`, as in S3; a final slash limits it to the folder."""
    for key in ("cache/a/x", "cache/ab/x", "cache/a", "cache/b", "cach"):
        if key != "cache/a":  # a key beside a folder of its name is legal in S3 but not in every twin
            store.write(f"s3://source/{key}", b"")

    assert uris(store, "s3://source/cache/a") == ["s3://source/cache/a/x", "s3://source/cache/ab/x"]
    assert uris(store, "s3://source/cache/a/") == ["s3://source/cache/a/x"]
    assert uris(store, "s3://source/cache/a/x") == ["s3://source/cache/a/x"]
    assert len(uris(store, "s3://source")) == len(uris(store, "s3://source/")) == 4


def test_a_listing_ascends_by_uri(store: ObjectStore) -> None:
    """By the whole URI: `a-b/x` comes before `a/x`, because `-` comes before `/`."""
    for key in ("a/x", "a-b/x", "b", "B"):
        store.write(f"s3://source/{key}", b"")

    assert uris(store, "s3://source/") == [f"s3://source/{key}" for key in ("B", "a-b/x", "a/x", "b")]


def test_nothing_below_a_prefix_is_an_empty_listing(store: ObjectStore) -> None:
    """An existing bucket answers, even if it has nothing to say."""
    assert store.list_objects("s3://source/none/here/") == ()


def test_a_missing_bucket_is_an_error(store: ObjectStore) -> None:
    """A listing that could not be made is never empty."""
    with pytest.raises(ObjectStoreError, match="no-such-bucket"):
        store.list_objects("s3://no-such-bucket/a")
    with pytest.raises(ObjectStoreError, match="no-such-bucket"):
        store.write("s3://no-such-bucket/a", b"")


def test_a_missing_object_is_named(store: ObjectStore) -> None:
    """Head and read say which object is missing; a folder is not an object."""
    store.write("s3://source/folder/a", b"")
    for uri in ("s3://source/none", "s3://source/folder", "s3://source/folder/a/below"):
        with pytest.raises(ObjectNotFoundError, match=uri):
            store.head(uri)
        with pytest.raises(ObjectNotFoundError, match=uri):
            store.read(uri)


def test_create_accepts_equal_bytes_only(store: ObjectStore) -> None:
    """Creating again is harmless; other bytes are refused and change nothing."""
    created = store.create("s3://target/manifest.json", b"{}")

    assert store.create("s3://target/manifest.json", b"{}") == created
    with pytest.raises(ObjectExistsError, match=r"s3://target/manifest\.json"):
        store.create("s3://target/manifest.json", b"[]")
    assert store.read("s3://target/manifest.json") == b"{}"


def test_a_copy_has_the_listed_bytes(store: ObjectStore) -> None:
    """The copy is equal, keeps its etag and answers a checksum."""
    source = store.write("s3://source/a", b"hello")

    checksum = store.copy(source, "s3://target/deep/folder/a")

    algorithm, _, digest = checksum.partition(":")
    assert algorithm.isalnum()
    assert bytes.fromhex(digest)
    assert store.read("s3://target/deep/folder/a") == b"hello"
    assert store.head("s3://target/deep/folder/a").etag == source.etag


def test_a_changed_source_is_not_copied(store: ObjectStore) -> None:
    """The copy is pinned to the listing, and a refused one leaves nothing behind."""
    listed = store.write("s3://source/a", b"one")
    store.write("s3://source/a", b"two")

    with pytest.raises(ObjectChangedError, match="s3://source/a"):
        store.copy(listed, "s3://target/a")

    assert store.list_objects("s3://target/") == ()


def test_a_vanished_source_is_not_copied(store: ObjectStore) -> None:
    """What expired between listing and copy is an error of its own kind."""
    listed = store.write("s3://source/a", b"one")
    vanished = type(listed)(
        uri="s3://source/gone", size_bytes=listed.size_bytes, etag=listed.etag, modified_at=listed.modified_at
    )

    with pytest.raises(ObjectNotFoundError, match="s3://source/gone"):
        store.copy(vanished, "s3://target/a")

    assert store.list_objects("s3://target/") == ()


@pytest.mark.parametrize("lying", [pytest.param(b"one", id="equal bytes"), pytest.param(b"two", id="other bytes")])
def test_a_copy_never_overwrites(store: ObjectStore, lying: bytes) -> None:
    """Whatever lies at the destination stays."""
    listed = store.write("s3://source/a", b"one")
    before = store.write("s3://target/a", lying)

    with pytest.raises(ObjectExistsError, match="s3://target/a"):
        store.copy(listed, "s3://target/a")

    assert store.list_objects("s3://target/") == (before,)
    assert store.read("s3://target/a") == lying


def test_s3a_is_the_same_store(store: ObjectStore) -> None:
    """Spark's spelling finds the same objects, and answers are spelled s3://."""
    store.write("s3a://source/folder/a", b"x")

    assert store.read("s3://source/folder/a") == b"x"
    assert uris(store, "s3a://source/folder/") == ["s3://source/folder/a"]
    assert store.head("s3a://source/folder/a").uri == "s3://source/folder/a"


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("/etc/passwd", id="a path"),
        pytest.param("s3://source", id="no key"),
        pytest.param("s3://source/", id="an empty key"),
        pytest.param("s3:///a", id="no bucket"),
        pytest.param("https://source/a", id="another scheme"),
    ],
)
def test_what_names_no_object_is_refused(store: ObjectStore, uri: str) -> None:
    """A malformed URI is an error before anything is touched."""
    with pytest.raises(ObjectStoreError, match=uri):
        store.read(uri)
    with pytest.raises(ObjectStoreError, match=uri):
        store.write(uri, b"")
