"""Objects by `s3://bucket/key`: listed, read, written and copied."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from logcache_assets.errors import LogCacheError, Unavailable, WrongData


class ObjectStoreError(LogCacheError):
    """Base of the object store's errors; one of its subclasses is raised."""


class ObjectStoreUnavailable(ObjectStoreError, Unavailable):
    """The object store could not answer; this is never the same as an empty answer."""


class ObjectStoreWrongData(ObjectStoreError, WrongData):
    """The object store refused a request: no such bucket, or a URI that it cannot hold."""


class ObjectNotFoundError(ObjectStoreWrongData):
    """No object lies at this URI."""


class ObjectExistsError(ObjectStoreWrongData):
    """Another object already lies at this URI and nothing is overwritten."""


class ObjectChangedError(ObjectStoreWrongData):
    """The source is no longer the object that was listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One object as a listing shows it."""

    uri: str
    size_bytes: int
    etag: str
    """Changes whenever the bytes change; equal for equal single-part objects of one store."""
    modified_at: datetime


class ObjectStore(ABC):
    """Objects by `s3://bucket/key`. Only the store knows where they really are."""

    @abstractmethod
    def list_objects(self, prefix_uri: str) -> tuple[StoredObject, ...]:
        """Every object whose URI begins with the prefix, ascending by URI; empty when there is none.

        Raises:
            ObjectStoreError: the listing failed; it is never reported as empty.
        """

    def list_uris(self, prefix_uri: str) -> tuple[str, ...]:
        """The URIs that list_objects shows, for those who ask nothing else."""
        return tuple(item.uri for item in self.list_objects(prefix_uri))

    @abstractmethod
    def head(self, uri: str) -> StoredObject:
        """One object without its bytes; raises ObjectNotFoundError."""

    @abstractmethod
    def read(self, uri: str) -> bytes:
        """All bytes of one object; raises ObjectNotFoundError."""

    @abstractmethod
    def write(self, uri: str, content: bytes) -> StoredObject:
        """Put an object, replacing one that lies there."""

    @abstractmethod
    def create(self, uri: str, content: bytes) -> StoredObject:
        """Put an object where none lies; equal bytes are accepted, others raise ObjectExistsError."""

    @abstractmethod
    def copy(self, source: StoredObject, destination_uri: str) -> str:
        """Copy exactly the bytes that were listed, without overwriting; returns a checksum `<algorithm>:<hex>`.

        Raises:
            ObjectChangedError: the source no longer has the listed etag.
            ObjectNotFoundError: the source vanished.
            ObjectExistsError: something lies at the destination.
        """

    @abstractmethod
    def retention_days(self, bucket: str) -> int | None:
        """After how many days the bucket's live lifecycle rule deletes objects; None without such a rule."""

    @abstractmethod
    def polars_source(self, uri: str) -> tuple[str, Mapping[str, str]]:
        """What polars opens for this URI: a path or URL, and its storage options."""
