"""What every ObjectStore promises: one suite for the local twin and each production adapter.

A twin joins by a factory in STORES that gives an empty store with the buckets `source` and `target`, S3 by a server in
SERVERS; one that is only read joins by a factory in READERS, and runs the cases that ask for a `shelf`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.local_files import LocalFiles
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.local_platform.faults import CutShortObjectStore, Faults
from logcache_assets.ports import (
    CopyRequest,
    FailedCopy,
    ObjectChangedError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStore,
    ObjectStoreError,
    StoredObject,
)
from logcache_tests.adapters.multipart_store import MultipartStore
from logcache_tests.elsewhere import answer_elsewhere
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.server import Server

NOW = datetime(2018, 5, 28, 14, 20, 23, tzinfo=UTC)


def local_store(folder: Path) -> ObjectStore:
    """The twin in an empty world."""
    clock = LocalClock(folder / "now")
    clock.set(NOW)
    store = FolderObjectStore(folder / "buckets", clock)
    store.create_bucket("source")
    store.create_bucket("target")
    return store


def multipart_store(folder: Path) -> ObjectStore:
    """The twin with etags that differ between equal objects."""
    local_store(folder)
    return MultipartStore(folder / "buckets", LocalClock(folder / "now"))


def world_store(folder: Path) -> ObjectStore:
    """The store of a local world, as `connect` gives it, without an armed fault."""
    local_store(folder)
    faults = Faults(folder / "faults")
    return CutShortObjectStore(folder / "buckets", LocalClock(folder / "now"), permanent_bucket="target", faults=faults)


STORES: dict[str, Callable[[Path], ObjectStore]] = {
    "local": local_store,
    "multipart": multipart_store,
    "world": world_store,
}


SERVERS = (pytest.param("moto_server", id="moto"), pytest.param("proxied_server", marks=pytest.mark.servers))
"""Fixtures of the servers on which the S3 adapter runs."""
Trusted = Callable[[Server], Server]


def s3_store(server: Server) -> ObjectStore:
    """The S3 adapter on a server, with empty buckets."""
    empty_buckets(server, "source", "target")
    return S3ObjectStore(AwsAccess(endpoint_url=server.endpoint_url))


@pytest.fixture(params=[*STORES, *SERVERS])
def store(request: pytest.FixtureRequest, tmp_path: Path, trusted: Trusted) -> ObjectStore:
    """An empty store of each kind."""
    if request.param.endswith("_server"):
        return s3_store(trusted(request.getfixturevalue(request.param)))
    return STORES[request.param](tmp_path)


def except_moto(request: pytest.FixtureRequest, lack: str) -> None:
    """Skip a case that moto cannot show."""
    if "moto" in request.node.name:
        pytest.skip(f"moto {lack}")


@dataclass(frozen=True)
class Shelf:
    """A store, the URI below which it is asked, and how objects get there."""

    store: ObjectStore
    root: str
    put: Callable[[str, bytes], object]
    """Puts an object with these bytes below the root; its key is relative to the root."""

    def uris(self, prefix: str = "") -> list[str]:
        """The URIs in a listing, relative to the root."""
        return [stored.uri.removeprefix(f"{self.root}/") for stored in self.store.list_objects(f"{self.root}/{prefix}")]


def local_files(folder: Path) -> Shelf:
    """Files that somebody else writes."""

    def put(key: str, content: bytes) -> None:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)

    return Shelf(LocalFiles(), str(folder), put)


READERS: dict[str, Callable[[Path], Shelf]] = {"local files": local_files}


@pytest.fixture(params=[*STORES, *SERVERS, *READERS])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, trusted: Trusted) -> Shelf:
    """An empty store of each kind, those that are only read included."""
    if request.param in READERS:
        return READERS[request.param](tmp_path)
    store = (
        s3_store(trusted(request.getfixturevalue(request.param)))
        if request.param.endswith("_server")
        else STORES[request.param](tmp_path)
    )
    return Shelf(store, "s3://source", lambda key, content: store.write(f"s3://source/{key}", content))


def uris(store: ObjectStore, prefix: str) -> list[str]:
    """The URIs in a listing."""
    return [stored.uri for stored in store.list_objects(prefix)]


def listed_as(stored: StoredObject) -> StoredObject:
    """An object as a listing shows it: without checksum."""
    return replace(stored, checksum=None)


def test_what_was_written_is_read(shelf: Shelf) -> None:
    """The same bytes are read, also an empty object and a key with unusual characters."""
    for key, content in {"a/b c+d%20é.txt": b"\x00\xff", "empty": b""}.items():
        shelf.put(key, content)

        assert shelf.store.read(f"{shelf.root}/{key}") == content


def test_write_replaces(store: ObjectStore) -> None:
    """The second write wins and shows another etag."""
    first = store.write("s3://source/a", b"one")
    second = store.write("s3://source/a", b"two")

    assert store.read("s3://source/a") == b"two"
    assert first.etag != second.etag
    assert store.head("s3://source/a") == second


def test_a_listing_describes_every_object(store: ObjectStore) -> None:
    """`head` and `write` return the same description; a listing shows it without the checksum."""
    written = store.write("s3://source/a/b", b"12345")

    assert tuple(store.list_objects("s3://source/a")) == (listed_as(written),)
    assert store.head("s3://source/a/b") == written
    assert (written.uri, written.size_bytes) == ("s3://source/a/b", 5)
    assert written.modified_at.tzinfo is UTC


def test_a_listing_shows_what_head_says(shelf: Shelf) -> None:
    """URI, size, etag and time are the same; only HEAD may have a checksum."""
    shelf.put("a/b", b"12345")

    (listed,) = shelf.store.list_objects(f"{shelf.root}/a")

    assert listed == listed_as(shelf.store.head(f"{shelf.root}/a/b"))
    assert (listed.uri, listed.size_bytes, listed.modified_at.tzinfo) == (f"{shelf.root}/a/b", 5, UTC)


def test_a_listing_of_data_leaves_out_what_writers_leave(shelf: Shelf) -> None:
    """Names count from the folder on: a folder whose own path has a hidden part is listed."""
    for key in ("_a/b/1.parquet", "_a/b/_SUCCESS", "_a/b/_temporary/0/2.parquet", "_a/b/.1.parquet.crc", "_a/b/empty"):
        shelf.put(key, b"" if key.endswith("empty") else b"x")

    listed = [item.uri for folder in ("_a/b", "_a/b/") for item in shelf.store.list_data(f"{shelf.root}/{folder}")]

    assert listed == [f"{shelf.root}/_a/b/1.parquet"] * 2


def test_a_prefix_is_the_beginning_of_a_key(shelf: Shelf) -> None:
    """`cache/a` also matches `cache/ab/x`, as in S3; a final slash limits it to the folder."""
    for key in ("cache/a/x", "cache/ab/x", "cache/a", "cache/b", "cach"):
        if key != "cache/a":  # a key beside a folder of its name is legal in S3 but not in every twin
            shelf.put(key, b"")

    assert shelf.uris("cache/a") == ["cache/a/x", "cache/ab/x"]
    assert shelf.uris("cache/a/") == ["cache/a/x"]
    assert shelf.uris("cache/a/x") == ["cache/a/x"]
    assert len(shelf.uris()) == 4


def test_a_bucket_alone_is_a_prefix(store: ObjectStore) -> None:
    """With or without a final slash it lists every object."""
    written = store.write("s3://source/a/b", b"")

    assert uris(store, "s3://source") == uris(store, "s3://source/") == [written.uri]


def test_a_listing_ascends_by_uri(shelf: Shelf) -> None:
    """By the whole URI: `a-b/x` comes before `a/x`, because `-` comes before `/`."""
    for key in ("a/x", "a-b/x", "b", "B"):
        shelf.put(key, b"")

    assert shelf.uris() == ["B", "a-b/x", "a/x", "b"]


def test_nothing_below_a_prefix_is_an_empty_listing(shelf: Shelf) -> None:
    """An existing bucket or folder without such objects is no error."""
    assert shelf.uris("none/here/") == []


def test_a_missing_bucket_is_an_error(store: ObjectStore) -> None:
    """A listing that fails is never empty."""
    with pytest.raises(ObjectStoreError, match="no-such-bucket"):
        next(store.list_objects("s3://no-such-bucket/a"))
    with pytest.raises(ObjectStoreError, match="no-such-bucket"):
        next(store.list_uris("s3://no-such-bucket/a"))
    with pytest.raises(ObjectStoreError, match="no-such-bucket"):
        store.write("s3://no-such-bucket/a", b"")


def test_a_missing_object_is_named(shelf: Shelf) -> None:
    """Head and read say which object is missing; a folder is not an object."""
    shelf.put("folder/a", b"")
    for key in ("none", "folder", "folder/a/below"):
        for ask in (shelf.store.head, shelf.store.read):
            with pytest.raises(ObjectNotFoundError, match=re.escape(f"{shelf.root}/{key}")):
                ask(f"{shelf.root}/{key}")


def test_create_accepts_equal_bytes_only(store: ObjectStore) -> None:
    """Creating again is harmless; other bytes are refused and change nothing."""
    created = store.create("s3://target/manifest.json", b"{}")

    assert store.create("s3://target/manifest.json", b"{}") == created
    with pytest.raises(ObjectExistsError, match=r"s3://target/manifest\.json"):
        store.create("s3://target/manifest.json", b"[]")
    assert store.read("s3://target/manifest.json") == b"{}"


def test_a_copy_has_the_listed_bytes(store: ObjectStore) -> None:
    """The copy answers what HEAD says of it: size, checksum, and an etag of its own."""
    source = store.write("s3://source/a", b"hello")

    copied = store.copy(listed_as(source), "s3://target/deep/folder/a")

    assert store.read("s3://target/deep/folder/a") == b"hello"
    assert copied == store.head("s3://target/deep/folder/a")
    assert (copied.size_bytes, copied.checksum) == (5, source.checksum)


def test_the_checksum_is_crc64nvme(store: ObjectStore) -> None:
    """The check value of the algorithm's definition, by write, HEAD and copy; of nothing it is 0."""
    written = store.write("s3://source/a", b"123456789")
    copied = store.copy(written, "s3://target/a")

    assert written.checksum == "crc64nvme:ae8b14860a799888"
    assert store.head("s3://source/a").checksum == copied.checksum == written.checksum
    assert store.write("s3://source/empty", b"").checksum == "crc64nvme:0000000000000000"


def test_a_listing_is_read_page_by_page(shelf: Shelf, request: pytest.FixtureRequest) -> None:
    """Pages of at most 1,000, in the order of keys over all folders; together they are every object, each once."""
    except_moto(request, "is slow at a thousand objects")
    keys = sorted([f"{folder}/{n:03}" for folder in ("a", "a-b", "a/b") for n in range(400)] + ["a.txt", "b"])
    for key in keys:
        shelf.put(key, b"")

    pages = list(shelf.store.list_pages(f"{shelf.root}/"))

    assert [len(page) for page in pages] == [1000, 202]
    assert [item.uri for page in pages for item in page] == [f"{shelf.root}/{key}" for key in keys]
    assert list(shelf.store.list_uris(f"{shelf.root}/")) == [f"{shelf.root}/{key}" for key in keys]


def test_a_page_is_read_when_it_is_asked_for(shelf: Shelf, request: pytest.FixtureRequest) -> None:
    """An object that is written after the first page was read is on a later page."""
    except_moto(request, "is slow at a thousand objects")
    for key in [f"a/{n:04}" for n in range(1000)] + ["b/1"]:
        shelf.put(key, b"")
    pages = shelf.store.list_pages(f"{shelf.root}/")

    first = next(pages)
    shelf.put("b/2", b"")

    assert first[-1].uri == f"{shelf.root}/a/0999"
    assert [item.uri for page in pages for item in page] == [f"{shelf.root}/b/1", f"{shelf.root}/b/2"]


def test_a_url_opens_the_object(shelf: Shelf) -> None:
    """A person's browser gets the bytes from the URL; on S3 once that person has signed in."""
    if isinstance(shelf.store, S3ObjectStore):
        pytest.skip("nobody has signed in")
    shelf.put("a b/report.html", b"<html>")

    with urlopen(shelf.store.browse_url(f"{shelf.root}/a b/report.html")) as page:  # noqa: S310 - the store's own URL
        assert page.read() == b"<html>"


def list_all(store: ObjectStore, prefix: str) -> list[StoredObject]:
    """A listing, read to its end where the store is."""
    return list(store.list_objects(prefix))


def test_a_store_travels_to_another_process(shelf: Shelf) -> None:
    """Pickled and opened elsewhere, as by Spark's workers, it reads and lists the same."""
    store, uri = shelf.store, f"{shelf.root}/a"
    shelf.put("a", b"hello")

    assert answer_elsewhere(store.read, uri) == b"hello"
    assert answer_elsewhere(store.head, uri) == store.head(uri)
    assert answer_elsewhere(list_all, store, shelf.root + "/") == list_all(store, shelf.root + "/")


@pytest.mark.needs("copy_source_if_match")
def test_a_changed_source_is_not_copied(store: ObjectStore) -> None:
    """The copy is pinned to the listing, and a refused one leaves nothing behind."""
    listed = store.write("s3://source/a", b"one")
    store.write("s3://source/a", b"two")

    with pytest.raises(ObjectChangedError, match="s3://source/a"):
        store.copy(listed, "s3://target/a")

    assert tuple(store.list_objects("s3://target/")) == ()


def test_a_vanished_source_is_not_copied(store: ObjectStore) -> None:
    """An object that expired between listing and copy has its own error."""
    listed = store.write("s3://source/a", b"one")
    vanished = replace(listed, uri="s3://source/gone")

    with pytest.raises(ObjectNotFoundError, match="s3://source/gone"):
        store.copy(vanished, "s3://target/a")

    assert tuple(store.list_objects("s3://target/")) == ()


@pytest.mark.parametrize("lying", [pytest.param(b"one", id="equal bytes"), pytest.param(b"two", id="other bytes")])
def test_a_copy_never_overwrites(store: ObjectStore, lying: bytes) -> None:
    """An object at the destination stays unchanged."""
    listed = store.write("s3://source/a", b"one")
    before = store.write("s3://target/a", lying)

    with pytest.raises(ObjectExistsError, match="s3://target/a"):
        store.copy(listed, "s3://target/a")

    assert tuple(store.list_objects("s3://target/")) == (listed_as(before),)
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
    """A malformed URI is refused before anything is changed."""
    with pytest.raises(ObjectStoreError, match=uri):
        store.read(uri)
    with pytest.raises(ObjectStoreError, match=uri):
        store.write(uri, b"")


@pytest.mark.needs("copy_source_if_match")
def test_many_objects_are_copied_at_once(store: ObjectStore) -> None:
    """Every request has one outcome; a failed one stops no other, and its error is the one that `copy` raises."""
    listed = [store.write(f"s3://source/{n:02}", f"{n}".encode()) for n in range(30)]
    listed[7] = replace(listed[7], etag="0" * 32)
    listed[8] = replace(listed[8], uri="s3://source/gone")
    requests = (CopyRequest(source=item, destination_uri=f"s3://target/{n:02}") for n, item in enumerate(listed))

    outcomes = list(store.copy_all(requests))

    copied = {item.uri: item for item in outcomes if isinstance(item, StoredObject)}
    failed = {item.request.destination_uri: item.error for item in outcomes if isinstance(item, FailedCopy)}
    assert len(outcomes) == 30
    assert {uri: type(error) for uri, error in failed.items()} == {
        "s3://target/07": ObjectChangedError,
        "s3://target/08": ObjectNotFoundError,
    }
    assert uris(store, "s3://target/") == sorted(copied)
    assert {item.uri: (item.size_bytes, item.checksum) for item in copied.values()} == {
        f"s3://target/{n:02}": (item.size_bytes, item.checksum) for n, item in enumerate(listed) if n not in {7, 8}
    }


@pytest.mark.needs("copy_if_none_match")
def test_many_copies_never_overwrite(store: ObjectStore) -> None:
    """What somebody wrote after the listing stays as it is, and its copy is the only one that fails."""
    listed = [store.write(f"s3://source/{n}", f"{n}".encode()) for n in range(3)]
    store.write("s3://target/1", b"precious")

    outcomes = list(
        store.copy_all(CopyRequest(source=item, destination_uri=f"s3://target/{item.uri[-1]}") for item in listed)
    )

    (failed,) = [item for item in outcomes if isinstance(item, FailedCopy)]
    assert (failed.request.destination_uri, type(failed.error)) == ("s3://target/1", ObjectExistsError)
    assert [store.read(f"s3://target/{n}") for n in range(3)] == [b"0", b"precious", b"2"]


def test_requests_are_taken_as_room_becomes_free(store: ObjectStore) -> None:
    """A caller may copy more objects than fit in memory: after the first outcome most are not asked for yet."""
    source, taken = store.write("s3://source/a", b"a"), 0

    def requests() -> Iterator[CopyRequest]:
        nonlocal taken
        for taken in range(1, 2001):
            yield CopyRequest(source=source, destination_uri=f"s3://target/{taken:04}")

    outcomes = store.copy_all(requests())
    next(outcomes)

    assert taken < 1000
    outcomes.close()  # type: ignore[attr-defined]  # a generator


WORK = "6f1f70c6-7d67-4f6e-8a6a-0c9a1c7e5b11"


def test_the_folder_of_a_piece_of_work_is_removed_whole(store: ObjectStore) -> None:
    """With all that lies below it, and nothing that lies beside it; a second time changes nothing."""
    own = [f"s3://source/_logcache/{WORK}/{key}" for key in ("a", "feed-s0/00000/b", *map(str, range(20)))]
    beside = [f"s3://source/_logcache/{WORK}-2/a", f"s3://source/_logcache/{WORK[:-1]}2/a", "s3://source/cache/a"]
    for uri in (*own, *beside):
        store.write(uri, b"a")

    store.remove_scratch(f"s3://source/_logcache/{WORK}")
    store.remove_scratch(f"s3://source/_logcache/{WORK}/")

    assert uris(store, "s3://source/") == sorted(beside)


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("s3://source/", id="a bucket"),
        pytest.param("s3://source/_logcache/", id="all work"),
        pytest.param(f"s3://source/cache/{WORK}", id="a cached log"),
        pytest.param(f"s3://source/_logcache/{WORK}/../../cache", id="a way out"),
        pytest.param("s3://source/_logcache/mine", id="a folder that nobody named by a UUID"),
    ],
)
def test_nothing_else_is_ever_removed(store: ObjectStore, folder: str) -> None:
    """Whoever asks for it has made a mistake."""
    kept = [f"s3://source/_logcache/{WORK}/a", f"s3://source/cache/{WORK}/a", "s3://source/_logcache/mine/a"]
    for uri in kept:
        store.write(uri, b"a")

    with pytest.raises(ValueError, match="is no scratch folder"):
        store.remove_scratch(folder)

    assert uris(store, "s3://source/") == sorted(kept)
