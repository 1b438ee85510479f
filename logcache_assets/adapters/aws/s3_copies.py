"""Copies objects inside S3, hundreds at once, through Amazon's C client (docs/decisions/0010-copies-in-c.md).

Each copy is pinned to the listed etag, never overwrites, and its answer has the CRC64NVME that S3 computed. Larger
objects than S3 copies in one request go through boto3 in parts.
"""

import heapq
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.copy_terms import CopyTerms
from logcache_assets.adapters.aws.s3_buckets import NO_TERMS, BucketTerms
from logcache_assets.adapters.aws.s3_copy_answers import read_reply
from logcache_assets.adapters.aws.s3_crt import Request, crt_client, encoded
from logcache_assets.adapters.aws.s3_errors import Reply, asking
from logcache_assets.adapters.aws.s3_large_copies import copy_in_parts
from logcache_assets.adapters.aws.s3_objects import bucket_of, split_object
from logcache_assets.adapters.object_errors import changed, exists_already
from logcache_assets.ports import (
    CopyRequest,
    FailedCopy,
    ObjectChangedError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStoreError,
    ObjectStoreUnavailable,
    StoredObject,
)

Head = Callable[[str], StoredObject]
_FIRST_PAUSE_SECONDS = 0.2
_LARGE_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Ended:
    """A copy that has ended, one way or another."""

    request: CopyRequest
    attempt: int
    outcome: StoredObject | ObjectStoreError


class S3Copies:
    """Sends copies.

    Args:
        access: how S3 is reached.
        buckets: bucket → its terms.
        terms: how copies are sent.
    """

    def __init__(self, access: AwsAccess, buckets: Mapping[str, BucketTerms], terms: CopyTerms) -> None:
        self._access, self._buckets, self._terms = access, buckets, terms

    def run(self, requests: Iterable[CopyRequest], *, head: Head) -> Iterator[StoredObject | FailedCopy]:
        """Yield each copy as it ends; requests are taken as room becomes free."""
        with asking("CopyObject", "s3://"):
            self._access.require_credentials()
        with ThreadPoolExecutor(_LARGE_AT_ONCE) as large:
            yield from _Run(self, iter(requests), head, large).outcomes()

    def send(self, request: CopyRequest, attempt: int, ended: "SimpleQueue[_Ended]", large: ThreadPoolExecutor) -> None:
        """Begin a copy, which goes into the queue when it has ended."""
        if request.source.size_bytes >= self._terms.multipart_bytes:
            large.submit(lambda: ended.put(_Ended(request, attempt, self._copy_large(request))))
            return

        def put(reply: Reply) -> None:
            ended.put(_Ended(request, attempt, read_reply(request, reply, self._terms_of(request.destination_uri))))

        source, destination = self._terms_of(request.source.uri), self._terms_of(request.destination_uri)
        crt_client(self._access, self._terms.at_once).send(copy_request(request, source=source, terms=destination), put)

    @property
    def terms(self) -> CopyTerms:
        """How copies are sent."""
        return self._terms

    def _copy_large(self, request: CopyRequest) -> StoredObject | ObjectStoreError:
        try:
            return copy_in_parts(
                request,
                self._access,
                source=self._terms_of(request.source.uri),
                terms=self._terms_of(request.destination_uri),
                part_bytes=self._terms.part_bytes,
            )
        except ObjectStoreError as error:
            return error

    def _terms_of(self, uri: str) -> BucketTerms:
        return self._buckets.get(bucket_of(uri), NO_TERMS)


class _Run:
    """The copies of one run: those under way, and those that pause before they are sent again."""

    def __init__(
        self, copies: S3Copies, requests: Iterator[CopyRequest], head: Head, large: ThreadPoolExecutor
    ) -> None:
        self._copies, self._requests, self._head, self._large = copies, requests, head, large
        self._ended: SimpleQueue[_Ended] = SimpleQueue()
        self._under_way = 0
        self._pausing: list[tuple[float, int, _Ended]] = []
        self._number = itertools.count()

    def outcomes(self) -> Iterator[StoredObject | FailedCopy]:
        """Every copy's outcome, each once. If the caller stops early, what is under way is waited for."""
        try:
            self._fill()
            while self._under_way or self._pausing:
                ended = self._next_ended()
                if ended is not None:
                    yield from self._judge(ended)
                self._fill()
        finally:
            for _ in range(self._under_way):
                self._ended.get()

    def _fill(self) -> None:
        """Send what has paused long enough, then new requests while there is room."""
        now = time.monotonic()
        while self._pausing and self._pausing[0][0] <= now:
            _, _, ended = heapq.heappop(self._pausing)
            self._send(ended.request, ended.attempt + 1)
        free = self._copies.terms.at_once - self._under_way - len(self._pausing)
        for request in itertools.islice(self._requests, max(0, free)):
            self._send(request, 1)

    def _send(self, request: CopyRequest, attempt: int) -> None:
        self._under_way += 1
        self._copies.send(request, attempt, self._ended, self._large)

    def _next_ended(self) -> _Ended | None:
        """The next copy that has ended; None when one has paused long enough first."""
        patience = max(0.0, self._pausing[0][0] - time.monotonic()) if self._pausing else None
        if not self._under_way:
            time.sleep(patience or 0)
            return None
        try:
            ended = self._ended.get(timeout=patience)
        except Empty:
            return None
        self._under_way -= 1
        return ended

    def _judge(self, ended: _Ended) -> Iterator[StoredObject | FailedCopy]:
        outcome = ended.outcome
        is_passing = isinstance(outcome, ObjectStoreUnavailable) and outcome.is_passing
        if is_passing and ended.attempt < self._copies.terms.attempts:
            due = time.monotonic() + _FIRST_PAUSE_SECONDS * 2 ** (ended.attempt - 1)
            heapq.heappush(self._pausing, (due, next(self._number), ended))
            return
        if isinstance(outcome, ObjectExistsError | ObjectChangedError):
            outcome = self._look(ended.request, outcome)
        yield outcome if isinstance(outcome, StoredObject) else FailedCopy(request=ended.request, error=outcome)

    def _look(self, request: CopyRequest, refused: ObjectStoreError) -> StoredObject | ObjectStoreError:
        """What a refused condition means: S3 answers both with 412, and so the second sending of a copy that was made.

        Returns the object at the destination if it holds the source's bytes, which is then the copy. A source that was
        written with another checksum has no CRC64NVME; etags prove the same, but equal bytes may have different ones.
        """
        try:
            source = self._head(request.source.uri)
        except ObjectStoreError as error:
            return error
        if source.etag != request.source.etag:
            return changed(request.source, etag=source.etag)
        try:
            found = self._head(request.destination_uri)
        except ObjectNotFoundError:
            return refused
        except ObjectStoreError as error:
            return error
        return found if _same_bytes(source, found) else exists_already(request.destination_uri)


def _same_bytes(source: StoredObject, found: StoredObject) -> bool:
    same = source.etag == found.etag or (source.checksum is not None and source.checksum == found.checksum)
    return same and source.size_bytes == found.size_bytes


def copy_request(request: CopyRequest, *, source: BucketTerms, terms: BucketTerms) -> Request:
    """The CopyObject request of a copy: pinned to the listed etag, with a checksum, never overwriting."""
    bucket, key = split_object(request.source.uri)
    optional = {
        "x-amz-expected-bucket-owner": terms.account,
        "x-amz-source-expected-bucket-owner": source.account,
        "x-amz-server-side-encryption": "aws:kms" if terms.kms_key else None,
        "x-amz-server-side-encryption-aws-kms-key-id": terms.kms_key,
        "x-amz-storage-class": terms.storage_class if terms.storage_class != "STANDARD" else None,
        "x-amz-tagging-directive": "REPLACE" if terms.tags else None,
        "x-amz-tagging": terms.tagging or None,
    }
    headers = [
        ("content-length", "0"),
        ("x-amz-copy-source", f"/{bucket}/{encoded(key)}"),
        ("x-amz-copy-source-if-match", f'"{request.source.etag}"'),
        ("x-amz-checksum-algorithm", "CRC64NVME"),
        ("if-none-match", "*"),
        *((name, value) for name, value in optional.items() if value),
    ]
    return Request(operation="CopyObject", method="PUT", uri=request.destination_uri, headers=headers)
