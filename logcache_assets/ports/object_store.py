"""Objects by `s3://bucket/key`: listed, read, written and copied."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from logcache_assets.domain.data_files import is_data_file
from logcache_assets.domain.lifecycle import Lifecycle
from logcache_assets.domain.scratch_folders import is_scratch_folder
from logcache_assets.errors import LogCacheError, Unavailable, WrongData


class ObjectStoreError(LogCacheError):
    """Base of the object store's errors; one of its subclasses is raised."""


class ObjectStoreUnavailable(ObjectStoreError, Unavailable):
    """The object store could not answer; this is never the same as an empty answer."""


class ObjectStoreDenied(ObjectStoreUnavailable):
    """The object store may not be asked: by these credentials, for this object. Nothing is known of what it holds.

    It is no wrong data, which might be passed over; and only a person can change it.
    """

    is_passing = False


class ObjectStoreWrongData(ObjectStoreError, WrongData):
    """The object store refused a request: no such bucket, or a URI that it cannot hold."""


class ObjectNotFoundError(ObjectStoreWrongData):
    """No object lies at this URI."""


class ObjectExistsError(ObjectStoreWrongData):
    """Another object already lies at this URI and is not overwritten."""


class ObjectChangedError(ObjectStoreWrongData):
    """The source is no longer the object that was listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One version of one object, as a listing, a HEAD or a copy describes it."""

    uri: str
    size_bytes: int
    etag: str
    """Names this version of this object and changes whenever its bytes do. It proves nothing about another object:
    equal bytes may have different etags, as on S3 when one of them was uploaded in parts."""
    modified_at: datetime
    checksum: str | None = None
    """`crc64nvme:<16 hex digits>` of the bytes, equal for equal bytes; None in listings, which show no checksum."""
    expires_at: datetime | None = field(default=None, compare=False)
    """When the store says that it deletes the object; None where it does not say so: in listings, and if never."""
    storage_class: str = field(default="STANDARD", compare=False)
    """In which of the store's classes the object lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRequest:
    """One object to copy, as it was listed, and where to."""

    source: StoredObject
    destination_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCopy:
    """A copy that was not made, and why."""

    request: CopyRequest
    error: ObjectStoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class PolarsSource:
    """With what polars opens an object by itself."""

    location: str
    """A path or a URL."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Polars' storage options, without credentials."""
    credentials: Callable[[], tuple[dict[str, str], int | None]] | None = None
    """Polars' credential provider."""


_COPIES_AT_ONCE = 8


class ObjectStore(ABC):
    """Objects by `s3://bucket/key`. Only the store knows where they really are.

    Reads that could not be answered are repeated inside the store; writes and copies are not, unless repeating changes
    nothing.
    """

    reads_whole_objects = False
    """Whether reading a small object whole costs less than several of its parts, as behind a network."""

    @abstractmethod
    def list_pages(self, prefix_uri: str) -> Iterator[tuple[StoredObject, ...]]:
        """Pages of up to 1,000 objects whose URIs begin with the prefix, ascending by URI (by code point).

        A page is read when it is asked for. No page, or only empty ones, means that there is no such object.

        Raises:
            ObjectStoreError: this page could not be read, or there is no such bucket; never reported as the end.
        """

    def list_objects(self, prefix_uri: str) -> Iterator[StoredObject]:
        """The objects of list_pages one by one, without holding more than a page; raises what list_pages raises."""
        for page in self.list_pages(prefix_uri):
            yield from page

    def list_uris(self, prefix_uri: str) -> Iterator[str]:
        """The URIs of list_objects, for callers that need nothing else; raises what list_pages raises."""
        return (item.uri for item in self.list_objects(prefix_uri))

    def list_data(self, folder_uri: str) -> Iterator[StoredObject]:
        """The data files of a dataset's folder, without what writers leave beside them (domain/data_files.py).

        Raises:
            ObjectStoreError: as list_pages does.
        """
        folder = folder_uri.rstrip("/") + "/"
        listed = self.list_objects(folder)
        return (item for item in listed if is_data_file(item.uri.removeprefix(folder), item.size_bytes))

    @abstractmethod
    def head(self, uri: str) -> StoredObject:
        """Describe one object, with its checksum if the store keeps one; raises ObjectNotFoundError."""

    @abstractmethod
    def read(self, uri: str) -> bytes:
        """Return all bytes of one object; raises ObjectNotFoundError."""

    @abstractmethod
    def write(self, uri: str, content: bytes) -> StoredObject:
        """Put an object, replacing one that lies there."""

    @abstractmethod
    def create(self, uri: str, content: bytes) -> StoredObject:
        """Put an object where none lies; equal bytes are accepted, others raise ObjectExistsError."""

    @abstractmethod
    def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
        """Copy exactly the listed version of an object, without overwriting.

        Returns the destination as the copy itself describes it: with its own etag, its size, and the checksum computed
        while copying.

        Raises:
            ObjectChangedError: the source no longer has the listed etag.
            ObjectNotFoundError: the source vanished.
            ObjectExistsError: something lies at the destination.
        """

    def copy_all(self, requests: Iterable[CopyRequest]) -> Iterator[StoredObject | FailedCopy]:
        """Copy many objects at once; yields what `copy` returns or raises for each, in any order.

        Requests are taken as room becomes free, so no more than those under way are held. The caller has seen by a
        listing that nothing lies at the destinations; the store refuses to overwrite what it finds nevertheless.
        """

        def copied(request: CopyRequest) -> StoredObject | FailedCopy:
            try:
                return self.copy(request.source, request.destination_uri)
            except ObjectStoreError as error:
                return FailedCopy(request=request, error=error)

        waiting = iter(requests)
        with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
            while batch := list(islice(waiting, 2 * _COPIES_AT_ONCE)):
                yield from pool.map(copied, batch)

    def remove_scratch(self, folder_uri: str) -> None:
        """Remove the folder of one piece of work with all objects in it; nothing else is ever removed.

        Raises:
            ValueError: the folder is none of domain/scratch_folders.py; nothing was removed.
            ObjectStoreError: not all objects could be removed.
        """
        if not is_scratch_folder(folder_uri):
            raise ValueError(f"{folder_uri} is no scratch folder, and nothing else is removed")
        for page in list(self.list_pages(f"{folder_uri.removesuffix('/')}/")):
            if page:
                self._remove([item.uri for item in page])

    @abstractmethod
    def _remove(self, uris: Sequence[str]) -> None:
        """Remove up to 1,000 objects of one bucket, for remove_scratch alone."""

    @abstractmethod
    def lifecycle(self, bucket: str) -> Lifecycle:
        """The bucket's current rules that delete objects, read anew each time."""

    @abstractmethod
    def polars_source(self, uri: str) -> PolarsSource:
        """Return with what polars opens this URI.

        Polars then reads by itself: the store does not repeat these reads. engine/storage/parquet.py raises
        ObjectStoreUnavailable for those that could not be answered.
        """

    @abstractmethod
    def browse_url(self, uri: str) -> str:
        """Return a URL at which a person can open the object or folder."""
