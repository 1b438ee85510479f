"""The checksum of a file whose store keeps none."""

from dataclasses import replace

import pytest
from awscrt.checksums import crc64nvme
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.raw.checksum_files import ChecksumTask
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.ports import StoredObject

URI = "s3://permanent/test-checksums/a"


class KeepsNone(FolderObjectStore):
    """A store without checksums."""

    @override
    def head(self, uri: str) -> StoredObject:
        return replace(super().head(uri), checksum=None)


class Changing(KeepsNone):
    """Somebody replaces an object right after it was read, by as many bytes."""

    @override
    def read(self, uri: str) -> bytes:
        content = super().read(uri)
        self.write(uri, bytes(reversed(content)))
        return content


def like(store: FolderObjectStore, kind: type[FolderObjectStore]) -> FolderObjectStore:
    """The same objects in a store of another kind."""
    buckets = store.path_of("s3://any").parent
    return kind(buckets, LocalClock(buckets.parent / "clock"))


def test_it_is_read_where_the_store_keeps_none(shared_store: FolderObjectStore) -> None:
    """And is the store's own where it does; nothing else of the description changes."""
    shared_store.create_bucket("permanent")
    described = shared_store.write(URI, b"123456789")

    assert ChecksumTask(URI, like(shared_store, KeepsNone)).run() == shared_store.head(URI)
    assert ChecksumTask(URI, shared_store).run().checksum == f"crc64nvme:{crc64nvme(b'123456789'):016x}"
    assert described.etag == ChecksumTask(URI, shared_store).run().etag


def test_a_file_that_is_written_meanwhile_has_none(shared_store: FolderObjectStore) -> None:
    """Its bytes would be those of another version."""
    shared_store.create_bucket("permanent")
    shared_store.write(URI, b"123456789")

    with pytest.raises(EngineError, match="was written while it was read"):
        ChecksumTask(URI, like(shared_store, Changing)).run()
