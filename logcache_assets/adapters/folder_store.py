"""Buckets as directories: `s3://bucket/key` is `<buckets>/bucket/key`.

It keeps S3's promises that the product relies on: writes are atomic, create and copy never overwrite, a copy is pinned
to the listed etag, a listing is sorted by key, and a failed listing is an error. Keys that a file system cannot hold
(`a` beside `a/b`, empty or dotted parts) are refused, never mapped to another place.
"""

import io
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec
from typing_extensions import override

from logcache_assets.adapters.file_digests import DigestCache, read_through
from logcache_assets.adapters.folder_errors import failure, unreadable
from logcache_assets.adapters.object_errors import changed, exists_already, exists_with_other_bytes, not_found
from logcache_assets.adapters.object_uris import canonical_uri, split_uri
from logcache_assets.adapters.owned_folders import folder_of_process
from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.json_text import JsonError, decode_json
from logcache_assets.domain.lifecycle import ExpiryRule, Lifecycle
from logcache_assets.domain.scratch_folders import SCRATCH
from logcache_assets.errors import BadInput
from logcache_assets.ports import (
    Clock,
    ObjectStore,
    ObjectStoreError,
    ObjectStoreWrongData,
    PolarsSource,
    StoredObject,
)

_STAGING = ".staging"
"""Folder of unfinished objects, beside the buckets, with a folder for each process that writes; the next one removes
those of killed processes. No bucket's name starts with a dot, so no listing shows them."""
_PAGE_OBJECTS = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_Retention = dict[str, Annotated[int, msgspec.Meta(gt=0, le=100_000)]]


class FolderObjectStore(ObjectStore):
    """Keeps objects in one directory per bucket; their times are the world's, not the computer's.

    Args:
        buckets: the folder of the bucket directories.
        clock: the world's time, stamped on every object written.
        lifecycle: JSON `{"<bucket>": <days>}`; by default `lifecycle.json` beside the folder of buckets.
        reads: how often a failed read is repeated.
    """

    def __init__(
        self, buckets: Path, clock: Clock, *, lifecycle: Path | None = None, reads: RepeatedReads | None = None
    ) -> None:
        self.reads = reads or RepeatedReads()
        self._buckets = buckets.absolute()
        self._clock = clock
        self._lifecycle = lifecycle or self._buckets.parent / "lifecycle.json"
        self._digests = DigestCache()

    def create_bucket(self, bucket: str) -> None:
        """Make an empty bucket; an existing bucket is left unchanged."""
        self.path_of(f"s3://{bucket}").mkdir(parents=True, exist_ok=True)

    def path_of(self, uri: str) -> Path:
        """The path of an object, a prefix or a bucket on this computer, whether or not it exists."""
        bucket, key = split_uri(uri)
        return self._buckets / bucket / key

    def etag_of(self, path: Path, md5: str) -> str:  # noqa: ARG002 - other stores' etags depend on the object
        """The etag of the file at a path: its MD5, like S3's for an object uploaded in one part."""
        return md5

    @override
    def list_pages(self, prefix_uri: str) -> Iterator[tuple[StoredObject, ...]]:
        found = ((uri, self.path_of(uri)) for uri in self.list_uris(prefix_uri))
        listed = (stored for uri, path in found if (stored := self._stored(uri, path)) is not None)
        while page := tuple(_without_checksum(stored) for stored in islice(listed, _PAGE_OBJECTS)):
            yield page

    @override
    def list_uris(self, prefix_uri: str) -> Iterator[str]:
        bucket, prefix = split_uri(prefix_uri)
        folder, slash, beginning = prefix.rpartition("/")
        for key in self._keys_below(self._bucket(bucket), folder + slash, beginning):
            yield f"s3://{bucket}/{key}"

    def _keys_below(self, root: Path, folder: str, beginning: str) -> Iterator[str]:
        """The keys below a folder whose next part has this beginning, ascending; a folder is read when reached."""
        for name in self._names_in(root / folder):
            if not name.startswith(beginning):
                continue
            if name.endswith("/"):
                yield from self._keys_below(root, folder + name, "")
            else:
                yield folder + name

    @repeated
    def _names_in(self, folder: Path) -> list[str]:
        """The names in a folder, sorted like S3's keys (folders end with a slash); empty if there is no such folder."""
        try:
            with os.scandir(folder) as entries:
                return sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise failure(f"{folder} cannot be listed", error, "repair the folder or its permissions") from error

    @override
    def head(self, uri: str) -> StoredObject:
        path = self._object_path(uri)
        stored = self._stored(canonical_uri(uri), path)
        if stored is None:
            raise not_found(uri)
        return stored

    @override
    @repeated
    def read(self, uri: str) -> bytes:
        with self._open(uri) as source:
            return source.read()

    @override
    def write(self, uri: str, content: bytes) -> StoredObject:
        path = self._object_path(uri)
        with self._staged(path) as staged:
            staged.write_bytes(content)
            self._publish(staged, path, os.replace)
        return self.head(uri)

    @override
    def create(self, uri: str, content: bytes) -> StoredObject:
        path = self._object_path(uri)
        with self._staged(path) as staged:
            staged.write_bytes(content)
            try:
                self._publish(staged, path, os.link)
            except FileExistsError:
                if path.is_dir() or self.read(uri) != content:
                    raise exists_with_other_bytes(canonical_uri(uri)) from None
        return self.head(uri)

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
        path = self._object_path(destination_uri)
        if os.path.lexists(path):
            raise exists_already(destination_uri)
        with self._open(source.uri) as read, self._staged(path) as staged:
            with staged.open("wb") as sink:
                digests = read_through(read, sink.write)
            etag = self.etag_of(self.path_of(source.uri), digests.md5)
            if etag != source.etag:
                raise changed(source, etag=etag)
            try:
                modified_at = self._publish(staged, path, os.link)
            except FileExistsError:
                raise exists_already(destination_uri) from None
        return StoredObject(
            uri=canonical_uri(destination_uri),
            size_bytes=digests.size_bytes,
            etag=self.etag_of(path, digests.md5),
            modified_at=modified_at,
            checksum=digests.checksum,
        )

    @override
    def _remove(self, uris: Sequence[str]) -> None:
        for uri in uris:
            path = self._object_path(uri)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise failure(f"{path} cannot be removed", error, "repair its permissions, or remove it") from error
            _remove_empty(path.parent, within=self._bucket(split_uri(uri)[0]) / SCRATCH)

    @override
    @repeated
    def lifecycle(self, bucket: str) -> Lifecycle:
        try:
            text = self._lifecycle.read_bytes()
        except FileNotFoundError:
            return Lifecycle()
        except OSError as error:
            raise failure(f"{self._lifecycle} cannot be read", error, "repair its permissions") from error
        try:
            days = decode_json(text, _Retention).get(bucket)
        except JsonError as error:
            raise BadInput(
                f'{self._lifecycle}: {error}; write {{"<bucket>": <days>}} with whole days above 0, or remove the file'
            ) from error
        return Lifecycle() if days is None else Lifecycle((ExpiryRule(days=days),))

    @override
    def polars_source(self, uri: str) -> PolarsSource:
        slash = "/" if uri.endswith("/") else ""
        return PolarsSource(location=f"{self.path_of(uri)}{slash}")

    @override
    def browse_url(self, uri: str) -> str:
        return self.path_of(uri).as_uri()

    def _bucket(self, bucket: str) -> Path:
        root = self._buckets / bucket
        if not root.is_dir():
            raise ObjectStoreWrongData(
                f"there is no bucket {bucket} ({root} is no folder); correct the URI, or make a world with "
                "`logcache local reset`"
            )
        return root

    def _object_path(self, uri: str) -> Path:
        bucket, key = split_uri(uri)
        if not key or key.endswith("/"):
            raise ObjectStoreWrongData(f"{uri!r} names no object: a key is needed, without a slash at its end")
        return self._bucket(bucket) / key

    @repeated
    def _stored(self, uri: str, path: Path) -> StoredObject | None:
        """Describe the object at a path, with its checksum; None if there is no file, or no longer."""
        try:
            with path.open("rb") as file:
                modified_ns = os.fstat(file.fileno()).st_mtime_ns
                digests = self._digests.digests_of(path, file)
        except _ABSENT:
            return None
        except OSError as error:
            raise unreadable(uri, error) from error
        return StoredObject(
            uri=uri,
            size_bytes=digests.size_bytes,
            etag=self.etag_of(path, digests.md5),
            modified_at=_EPOCH + modified_ns // 1000 * _MICROSECOND,
            checksum=digests.checksum,
        )

    @contextmanager
    def _open(self, uri: str) -> Iterator[io.BufferedReader]:
        path = self._object_path(uri)
        try:
            with path.open("rb") as file:
                yield file
        except _ABSENT as error:
            raise not_found(uri) from error
        except OSError as error:
            raise unreadable(uri, error) from error

    @contextmanager
    def _staged(self, destination: Path) -> Iterator[Path]:
        """Yield the path of a temporary file, which `_publish` may turn into the object; otherwise it is removed."""
        handle, name = tempfile.mkstemp(dir=folder_of_process(self._buckets / _STAGING))
        os.close(handle)
        staged = Path(name)
        staged.chmod(0o644)
        try:
            yield staged
        except (FileExistsError, ObjectStoreError):
            raise
        except OSError as error:
            raise failure(f"{destination} cannot be written", error, "make room, or choose another key") from error
        finally:
            staged.unlink(missing_ok=True)

    def _publish(self, staged: Path, path: Path, place: Callable[[Path, Path], None]) -> datetime:
        """Stamp a finished file with the world's time and move it into place atomically; returns that time."""
        now = self._clock.now()
        now_ns = (now - _EPOCH) // _MICROSECOND * 1000
        os.utime(staged, ns=(now_ns, now_ns))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise ObjectStoreWrongData(
                f"{path} cannot be written: a part of its key is an object itself, which a folder of files cannot "
                "hold; choose another key"
            ) from error
        place(staged, path)
        return now


def _remove_empty(folder: Path, *, within: Path) -> None:
    """Remove a folder and those above it, as far as they are empty: an object store has no empty folders."""
    with suppress(OSError):
        while folder != within:
            folder.rmdir()
            folder = folder.parent


def _without_checksum(stored: StoredObject) -> StoredObject:
    return replace(stored, checksum=None)
