"""A read-only object store over folders that a user names on a command line.

An object's URI is its path, spelled as the user spelled the folder, so messages name files as the user knows them.
folder_store.py is the store that can be written.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NoReturn

from typing_extensions import override

from logcache_assets.adapters.folder_errors import error_kind
from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.lifecycle import Lifecycle
from logcache_assets.ports import (
    ObjectNotFoundError,
    ObjectStore,
    ObjectStoreError,
    ObjectStoreWrongData,
    PolarsSource,
    StoredObject,
)

_PAGE_OBJECTS = 1000


class LocalFiles(ObjectStore):
    """Reads files of this computer by path, absolute or relative to the working folder. It never writes."""

    def __init__(self, *, reads: RepeatedReads | None = None) -> None:
        self.reads = reads or RepeatedReads()

    @override
    def list_pages(self, prefix_uri: str) -> Iterator[tuple[StoredObject, ...]]:
        listed = (self.head(uri) for uri in self.list_uris(prefix_uri))
        while page := tuple(islice(listed, _PAGE_OBJECTS)):
            yield page

    @override
    def list_uris(self, prefix_uri: str) -> Iterator[str]:
        folder, slash, beginning = prefix_uri.rpartition("/")
        return self._files_below(folder + slash, beginning)

    def _files_below(self, folder: str, beginning: str) -> Iterator[str]:
        """The files below a folder whose next part has this beginning, ascending; a folder is read when reached."""
        for name in self._names_in(folder):
            if not name.startswith(beginning):
                continue
            if name.endswith("/"):
                yield from self._files_below(folder + name, "")
            else:
                yield folder + name

    @repeated
    def _names_in(self, folder: str) -> list[str]:
        """The names in a folder, sorted (folders end with a slash); empty if there is no such folder."""
        try:
            with os.scandir(folder or ".") as entries:
                return sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise error_kind(error)(
                f"{error.filename} cannot be listed: {error.strerror}; repair the folder or its permissions"
            ) from error

    @override
    @repeated
    def head(self, uri: str) -> StoredObject:
        try:
            with Path(uri).open("rb") as file:
                status = os.fstat(file.fileno())
        except OSError as error:
            raise _unreadable(uri, error) from error
        return StoredObject(
            uri=uri,
            size_bytes=status.st_size,
            etag=f"{status.st_size}-{status.st_mtime_ns}",
            modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
        )

    @override
    @repeated
    def read(self, uri: str) -> bytes:
        try:
            return Path(uri).read_bytes()
        except OSError as error:
            raise _unreadable(uri, error) from error

    @override
    def write(self, uri: str, content: bytes) -> NoReturn:
        raise _read_only(uri)

    @override
    def create(self, uri: str, content: bytes) -> NoReturn:
        raise _read_only(uri)

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> NoReturn:
        raise _read_only(destination_uri)

    @override
    def _remove(self, uris: Sequence[str]) -> NoReturn:
        raise _read_only(uris[0])

    @override
    def lifecycle(self, bucket: str) -> Lifecycle:
        return Lifecycle()

    @override
    def polars_source(self, uri: str) -> PolarsSource:
        # Spark's workers have another working folder.
        return PolarsSource(location=f"{Path(uri).absolute()}{'/' if uri.endswith('/') else ''}")

    @override
    def browse_url(self, uri: str) -> str:
        return Path(uri).absolute().as_uri()


def _unreadable(path: str, error: OSError) -> ObjectStoreError:
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return ObjectNotFoundError(f"there is no file {path}; it was removed, or the path is wrong")
    return error_kind(error)(f"{path} cannot be read: {error.strerror}; repair the file or its permissions")


def _read_only(path: str) -> ObjectStoreError:
    return ObjectStoreWrongData(f"{path} is not written: folders named on the command line are only read")
