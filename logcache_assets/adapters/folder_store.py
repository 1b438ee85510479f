"""Buckets as directories: `s3://bucket/key` is `<buckets>/bucket/key`.

It keeps S3's promises that the product relies on: writes are atomic, create and copy never overwrite, a copy is pinned
to the listed etag, a listing that fails is an error. What a file system cannot hold (a key `a` beside a key `a/b`,
empty or dotted parts of a key) is refused, never mapped to another place.
"""

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from typing_extensions import override

from logcache_assets.errors import BadInput
from logcache_assets.ports import (
    Clock,
    ObjectChangedError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStore,
    ObjectStoreError,
    ObjectStoreUnavailable,
    ObjectStoreWrongData,
    StoredObject,
)

_URI = re.compile(r"s3a?://(?P<bucket>[a-z0-9][a-z0-9.-]{2,62})(?:/(?P<key>[^\0]*))?", re.DOTALL)
_STAGING = ".staging"
"""Beside the buckets: no bucket's name starts with a dot, so a half-written object is in no listing."""
_CHUNK_BYTES = 1 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Retention = dict[str, Annotated[int, msgspec.Meta(gt=0)]]


class FolderObjectStore(ObjectStore):
    """A directory per bucket; objects get the world's time, not the computer's.

    Args:
        buckets: the folder of the bucket directories.
        clock: the world's time, stamped on every object written.
        lifecycle: JSON `{"<bucket>": <days>}`; by default `lifecycle.json` beside the folder of buckets.
    """

    def __init__(self, buckets: Path, clock: Clock, *, lifecycle: Path | None = None) -> None:
        self._buckets = buckets.absolute()
        self._clock = clock
        self._lifecycle = lifecycle or self._buckets.parent / "lifecycle.json"
        self._etags: dict[Path, tuple[tuple[int, ...], str]] = {}

    def create_bucket(self, bucket: str) -> None:
        """Make an empty bucket; one that is there already stays as it is."""
        self.path_of(f"s3://{bucket}").mkdir(parents=True, exist_ok=True)

    def path_of(self, uri: str) -> Path:
        """Where an object, a prefix or a bucket lies on this computer, whether or not it exists."""
        bucket, key = _split(uri)
        return self._buckets / bucket / key

    @override
    def list_objects(self, prefix_uri: str) -> tuple[StoredObject, ...]:
        found = ((uri, self.path_of(uri)) for uri in self.list_uris(prefix_uri))
        return tuple(stored for uri, path in found if (stored := self._stored(uri, path)) is not None)

    @override
    def list_uris(self, prefix_uri: str) -> tuple[str, ...]:
        bucket, prefix = _split(prefix_uri)
        root = self._bucket(bucket)
        files = _files_below(root / prefix.rpartition("/")[0])
        uris = (f"s3://{bucket}/{path.relative_to(root).as_posix()}" for path in files)
        return tuple(sorted(uri for uri in uris if uri.startswith(f"s3://{bucket}/{prefix}")))

    @override
    def head(self, uri: str) -> StoredObject:
        path = self._object_path(uri)
        stored = self._stored(_canonical(uri), path)
        if stored is None:
            raise _not_found(uri)
        return stored

    @override
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
                    raise ObjectExistsError(
                        f"{_canonical(uri)} exists with other bytes and is never overwritten; "
                        "find out who wrote it, or choose another destination"
                    ) from None
        return self.head(uri)

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> str:
        path = self._object_path(destination_uri)
        if os.path.lexists(path):
            raise _exists(destination_uri)
        with self._open(source.uri) as read, self._staged(path) as staged:
            etag, checksum = _pour(read, staged)
            if etag != source.etag:
                raise ObjectChangedError(
                    f"{source.uri} is not the object that was listed: its etag was {source.etag}, is {etag}; "
                    "list the source again and plan the copy anew"
                )
            try:
                self._publish(staged, path, os.link)
            except FileExistsError:
                raise _exists(destination_uri) from None
        return f"sha256:{checksum}"

    @override
    def retention_days(self, bucket: str) -> int | None:
        try:
            text = self._lifecycle.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(text, type=_Retention).get(bucket)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadInput(
                f'{self._lifecycle}: {error}; write {{"<bucket>": <days>}} with whole days above 0, or remove the file'
            ) from error

    @override
    def polars_source(self, uri: str) -> tuple[str, Mapping[str, str]]:
        slash = "/" if uri.endswith("/") else ""
        return f"{self.path_of(uri)}{slash}", {}

    def _bucket(self, bucket: str) -> Path:
        root = self._buckets / bucket
        if not root.is_dir():
            raise ObjectStoreWrongData(
                f"there is no bucket {bucket} ({root} is no folder); correct the URI, or make a world with "
                "`logcache local reset`"
            )
        return root

    def _object_path(self, uri: str) -> Path:
        bucket, key = _split(uri)
        if not key or key.endswith("/"):
            raise ObjectStoreWrongData(f"{uri!r} names no object: a key is needed, without a slash at its end")
        return self._bucket(bucket) / key

    def _stored(self, uri: str, path: Path) -> StoredObject | None:
        """What lies at a path; None when no file does (any more)."""
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                etag = self._etag(path, status, file)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise ObjectStoreUnavailable(
                f"{uri} cannot be read: {error}; repair the file or its permissions"
            ) from error
        modified_at = _EPOCH + status.st_mtime_ns // 1000 * _MICROSECOND
        return StoredObject(uri=uri, size_bytes=status.st_size, etag=etag, modified_at=modified_at)

    def _etag(self, path: Path, status: os.stat_result, file: io.BufferedReader) -> str:
        # The change time is the computer's, so it tells apart two writes that the world's still clock stamps alike.
        version = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self._etags.get(path)
        if known is None or known[0] != version:
            digest = hashlib.file_digest(file, _md5).hexdigest()
            known = self._etags[path] = (version, digest)
        return known[1]

    @contextmanager
    def _open(self, uri: str) -> Iterator[io.BufferedReader]:
        path = self._object_path(uri)
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise _not_found(uri) from error
        except OSError as error:
            raise ObjectStoreUnavailable(
                f"{uri} cannot be read: {error}; repair the file or its permissions"
            ) from error
        with file:
            yield file

    @contextmanager
    def _staged(self, destination: Path) -> Iterator[Path]:
        """An empty file that becomes the object when published, and is gone afterwards in any case."""
        staging = self._buckets / _STAGING
        staging.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=staging)
        os.close(handle)
        staged = Path(name)
        staged.chmod(0o644)
        try:
            yield staged
        except (FileExistsError, ObjectStoreError):
            raise
        except OSError as error:
            raise ObjectStoreUnavailable(
                f"{destination} cannot be written: {error}; make room, or choose another key"
            ) from error
        finally:
            staged.unlink(missing_ok=True)

    def _publish(self, staged: Path, path: Path, place: Callable[[Path, Path], None]) -> None:
        """Give a finished file the world's time and its place, in one step."""
        now_ns = (self._clock.now() - _EPOCH) // _MICROSECOND * 1000
        os.utime(staged, ns=(now_ns, now_ns))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise ObjectStoreWrongData(
                f"{path} cannot be written: a part of its key is an object itself, which a folder of files cannot "
                "hold; choose another key"
            ) from error
        place(staged, path)


def _split(uri: str) -> tuple[str, str]:
    """Bucket and key; refuses every key that would not be exactly one file inside the bucket's folder."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise ObjectStoreWrongData(f"{uri!r} is no URI of this store; write s3://<bucket>/<key>")
    bucket, key = match["bucket"], match["key"] or ""
    if any(part in {"", ".", ".."} for part in key.removesuffix("/").split("/")) and key:
        raise ObjectStoreWrongData(
            f"{uri!r} is refused: a part of the key is empty, `.` or `..`; write the key without it"
        )
    return bucket, key


def _canonical(uri: str) -> str:
    bucket, key = _split(uri)
    return f"s3://{bucket}/{key}"


def _files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder; a folder that is not there has none, one that cannot be read is an error."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.path, entry.is_dir()) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ObjectStoreUnavailable(
            f"{folder} cannot be listed: {error}; repair the folder or its permissions"
        ) from error
    for path, is_folder in found:
        if is_folder:
            yield from _files_below(Path(path))
        else:
            yield Path(path)


def _pour(source: io.BufferedReader, destination: Path) -> tuple[str, str]:
    """Copy all bytes in pieces; returns their etag and their SHA-256."""
    etag, checksum = _md5(), hashlib.sha256()
    with destination.open("wb") as sink:
        while piece := source.read(_CHUNK_BYTES):
            sink.write(piece)
            etag.update(piece)
            checksum.update(piece)
    return etag.hexdigest(), checksum.hexdigest()


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)


def _not_found(uri: str) -> ObjectNotFoundError:
    return ObjectNotFoundError(f"no object lies at {uri}; it expired, was removed, or the URI is wrong")


def _exists(uri: str) -> ObjectExistsError:
    return ObjectExistsError(
        f"an object already lies at {uri} and is never overwritten; find out who wrote it, "
        "or choose another destination"
    )
