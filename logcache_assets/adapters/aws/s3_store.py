"""The object store on S3.

boto3 sends every request but those of which there are thousands: copies and reads go through Amazon's client in C
(s3_crt.py). Bodies are checked against the checksum that S3 keeps of them. Nothing is overwritten: `create` and copies
carry `If-None-Match: *`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from typing_extensions import override

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.copy_terms import CopyTerms
from logcache_assets.adapters.aws.s3_buckets import NO_TERMS, BucketTerms
from logcache_assets.adapters.aws.s3_copies import S3Copies
from logcache_assets.adapters.aws.s3_errors import asking, removal_error
from logcache_assets.adapters.aws.s3_lifecycle import read_lifecycle
from logcache_assets.adapters.aws.s3_objects import checksum_text, object_uri, split_object, split_prefix
from logcache_assets.adapters.aws.s3_reads import read_object
from logcache_assets.adapters.object_errors import exists_already, exists_with_other_bytes
from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.lifecycle import Lifecycle
from logcache_assets.ports import (
    CopyRequest,
    FailedCopy,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStore,
    PolarsSource,
    StoredObject,
)

_CHECKSUM = "CRC64NVME"
_EXPIRY_DATE = re.compile(r'expiry-date="([^"]+)"')


def same_time(instant: datetime) -> datetime:
    """The time as S3 says it."""
    return instant


class S3ObjectStore(ObjectStore):
    """Objects on S3, or on a server that speaks its protocol.

    Args:
        access: how it is reached.
        terms: bucket → its owner, and how objects are written there.
        copies: how copies are sent.
        reads: how often a read is repeated after the SDK's own attempts.
        time_of: makes the world's time of S3's; used by the local world, whose days are not ours.
    """

    reads_whole_objects = True

    def __init__(
        self,
        access: AwsAccess,
        *,
        terms: Mapping[str, BucketTerms] | None = None,
        copies: CopyTerms | None = None,
        reads: RepeatedReads | None = None,
        time_of: Callable[[datetime], datetime] = same_time,
    ) -> None:
        self.access = access
        self.reads = reads or RepeatedReads(attempts=2)
        self._terms = dict(terms or {})
        self._copies = S3Copies(access, self._terms, copies or CopyTerms())
        self._time_of = time_of

    def terms_of(self, bucket: str) -> BucketTerms:
        """The terms of a bucket."""
        return self._terms.get(bucket, NO_TERMS)

    @property
    def _client(self) -> Any:  # noqa: ANN401 - the SDK has no types
        return self.access.client("s3")

    @override
    def list_pages(self, prefix_uri: str) -> Iterator[tuple[StoredObject, ...]]:
        bucket, prefix = split_prefix(prefix_uri)
        token: dict[str, str] = {}
        while True:
            page = self._page(bucket, prefix, token)
            yield tuple(self._listed(bucket, item) for item in page.get("Contents", []))
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    @repeated
    def _page(self, bucket: str, prefix: str, token: Mapping[str, str]) -> Mapping[str, Any]:
        with asking("ListObjectsV2", object_uri(bucket, prefix)):
            page: Mapping[str, Any] = self._client.list_objects_v2(
                Bucket=bucket, Prefix=prefix, **token, **self.terms_of(bucket).for_requests
            )
        return page

    def _listed(self, bucket: str, item: Mapping[str, Any]) -> StoredObject:
        return StoredObject(
            uri=object_uri(bucket, item["Key"]),
            size_bytes=item["Size"],
            etag=item["ETag"].strip('"'),
            modified_at=self._instant(item["LastModified"]),
            storage_class=item.get("StorageClass", "STANDARD"),
        )

    def _instant(self, instant: datetime) -> datetime:
        """An instant in whole seconds, as HEAD tells it; some servers list finer ones."""
        return self._time_of(instant.astimezone(UTC).replace(microsecond=0))

    @override
    @repeated
    def head(self, uri: str) -> StoredObject:
        bucket, key = split_object(uri)
        with asking("HeadObject", object_uri(bucket, key)):
            found = self._client.head_object(
                Bucket=bucket, Key=key, ChecksumMode="ENABLED", **self.terms_of(bucket).for_requests
            )
        expires = _EXPIRY_DATE.search(found.get("Expiration", ""))
        return StoredObject(
            uri=object_uri(bucket, key),
            size_bytes=found["ContentLength"],
            etag=found["ETag"].strip('"'),
            modified_at=self._instant(found["LastModified"]),
            checksum=checksum_text(found.get("ChecksumCRC64NVME")),
            expires_at=self._time_of(parsedate_to_datetime(expires[1])) if expires else None,
            storage_class=found.get("StorageClass", "STANDARD"),
        )

    @override
    @repeated
    def read(self, uri: str) -> bytes:
        bucket, key = split_object(uri)
        terms, at_once = self.terms_of(bucket), self._copies.terms.at_once
        return read_object(object_uri(bucket, key), self.access, terms=terms, at_once=at_once)

    @override
    def write(self, uri: str, content: bytes) -> StoredObject:
        self.put(uri, content)
        return self.head(uri)

    @override
    @repeated
    def create(self, uri: str, content: bytes) -> StoredObject:
        try:
            self.put(uri, content, IfNoneMatch="*")
        except ObjectExistsError as error:
            # Also the answer to a request that was sent again because the first one's answer was lost.
            if self.read(uri) != content:
                raise exists_with_other_bytes(uri) from error
        return self.head(uri)

    def put(self, uri: str, content: bytes, **condition: str) -> None:
        """Put an object without asking what it is then, as `write` does; conditions are those of PutObject."""
        bucket, key = split_object(uri)
        with asking("PutObject", object_uri(bucket, key)):
            self._client.put_object(
                Bucket=bucket,
                Key=key,
                Body=content,
                ChecksumAlgorithm=_CHECKSUM,
                **self.terms_of(bucket).for_writes,
                **condition,
            )

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
        bucket, key = split_object(destination_uri)
        try:
            self.head(destination_uri)
        except ObjectNotFoundError:
            pass
        else:
            raise exists_already(object_uri(bucket, key))
        (outcome,) = self.copy_all([CopyRequest(source=source, destination_uri=object_uri(bucket, key))])
        if isinstance(outcome, FailedCopy):
            raise outcome.error
        return self.head(destination_uri)

    @override
    def copy_all(self, requests: Iterable[CopyRequest]) -> Iterator[StoredObject | FailedCopy]:
        for outcome in self._copies.run(requests, head=self.head):
            if isinstance(outcome, FailedCopy):
                yield outcome
            else:
                yield replace(outcome, modified_at=self._instant(outcome.modified_at))

    @override
    def _remove(self, uris: Sequence[str]) -> None:
        bucket, keys = split_object(uris[0])[0], [split_object(uri)[1] for uri in uris]
        wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        with asking("DeleteObjects", uris[0]):
            found = self._client.delete_objects(Bucket=bucket, Delete=wanted, **self.terms_of(bucket).for_requests)
        for fault in found.get("Errors", []):
            raise removal_error(object_uri(bucket, fault["Key"]), fault)

    @override
    @repeated
    def lifecycle(self, bucket: str) -> Lifecycle:
        with asking("GetBucketLifecycleConfiguration", object_uri(bucket, "")):
            return read_lifecycle(self._client, bucket, **self.terms_of(bucket).for_requests)

    @override
    def polars_source(self, uri: str) -> PolarsSource:
        split_prefix(uri)
        return PolarsSource(
            location=uri.replace("s3a://", "s3://", 1),
            options=self.access.polars_options(),
            credentials=self.access.polars_credentials(),
        )

    @override
    def browse_url(self, uri: str) -> str:
        bucket, key = split_prefix(uri)
        if self.access.endpoint_url is not None:
            return f"{self.access.endpoint_url.rstrip('/')}/{bucket}/{quote(key)}"
        region = self._client.meta.region_name
        kind = "buckets" if key.endswith("/") or not key else "object"
        return f"https://{region}.console.aws.amazon.com/s3/{kind}/{bucket}?region={region}&prefix={quote(key)}"
