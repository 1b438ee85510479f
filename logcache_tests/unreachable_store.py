"""A store that cannot answer for what lies below a prefix, as during an outage."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.ports import ObjectStoreUnavailable, PolarsSource, StoredObject

NOBODY_LISTENS = {
    "aws_endpoint_url": "http://127.0.0.1:1",
    "aws_allow_http": "true",
    "aws_access_key_id": "none",
    "aws_secret_access_key": "none",
    "aws_region": "us-east-1",
}
"""Options with which polars asks an S3 whose computer refuses every connection."""


class UnreachableStore(FolderObjectStore):
    """A folder store of which one part cannot be read; polars' own reads of it are refused a connection.

    Args:
        store: the store, in a folder beside its clock.
        prefix: the URIs that cannot be read begin with it.
        lists: whether they can still be listed.
    """

    def __init__(self, store: FolderObjectStore, prefix: str = "s3://", *, lists: bool = False) -> None:
        buckets = store.path_of("s3://any").parent
        super().__init__(buckets, LocalClock(buckets.parent / "clock"))
        self._prefix, self._lists = prefix, lists

    @override
    def list_pages(self, prefix_uri: str) -> Iterator[tuple[StoredObject, ...]]:
        self._answer(prefix_uri, unless=self._lists)
        return super().list_pages(prefix_uri)

    @override
    def list_uris(self, prefix_uri: str) -> Iterator[str]:
        self._answer(prefix_uri, unless=self._lists)
        return super().list_uris(prefix_uri)

    @override
    def read(self, uri: str) -> bytes:
        self._answer(uri)
        return super().read(uri)

    @override
    def polars_source(self, uri: str) -> PolarsSource:
        if not self._is_out(uri):
            return super().polars_source(uri)
        # Polars wants max_retries as a number, although its other options are texts.
        return PolarsSource(location=uri, options={**NOBODY_LISTENS, "max_retries": 0})  # type: ignore[dict-item]

    def _is_out(self, uri: str) -> bool:
        return uri.startswith(self._prefix)

    def _answer(self, uri: str, *, unless: bool = False) -> None:
        if self._is_out(uri) and not unless:
            raise ObjectStoreUnavailable(f"{uri}: SlowDown")
