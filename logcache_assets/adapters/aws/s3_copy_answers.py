"""Reads S3's answer to one CopyObject request; source: the API reference of CopyObject.

S3 may begin its answer with status 200 before the copy is made, and report a failure in the body.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from logcache_assets.adapters.aws.s3_buckets import BucketTerms
from logcache_assets.adapters.aws.s3_errors import Answer, Question, Reply, error_of, no_answer, refusal_in, texts_in
from logcache_assets.adapters.aws.s3_objects import bucket_of, checksum_text
from logcache_assets.adapters.object_errors import changed, exists_already
from logcache_assets.ports import (
    CopyRequest,
    ObjectNotFoundError,
    ObjectStoreError,
    ObjectStoreWrongData,
    StoredObject,
)

_OK = 200
_KMS_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"


def read_reply(request: CopyRequest, reply: Reply, terms: BucketTerms) -> StoredObject | ObjectStoreError:
    """The copy, or why there is none."""
    question = Question("CopyObject", request.destination_uri)
    if reply.status is None:
        return no_answer(question, reply.failure)
    texts = texts_in(reply.body)
    if not texts:
        return error_of(question, Answer(code=_code_without_body(reply.status), message="", status=reply.status))
    if reply.status != _OK or "Error" in texts:
        return _refused(request, reply, texts, question)
    return _copied(request, reply, texts, terms)


def _code_without_body(status: int) -> str:
    """An answer whose body is cut off may be a failure that was begun with status 200."""
    return "InternalError" if status == _OK else str(status)


def _refused(request: CopyRequest, reply: Reply, texts: Mapping[str, str], question: Question) -> ObjectStoreError:
    code = texts.get("Code", "")
    if code == "PreconditionFailed":
        if "none-match" in texts.get("Condition", "").lower():
            return exists_already(request.destination_uri)
        return changed(request.source)
    if code == "NoSuchKey":
        return ObjectNotFoundError(f"no object lies at {request.source.uri}; it expired or was removed")
    its_bucket = code == "NoSuchBucket" and texts.get("BucketName") == bucket_of(request.source.uri)
    if its_bucket or code == "InvalidObjectState":
        question = Question("CopyObject", request.source.uri)
    return error_of(question, refusal_in(reply, texts, code=code))


def _copied(
    request: CopyRequest, reply: Reply, texts: Mapping[str, str], terms: BucketTerms
) -> StoredObject | ObjectStoreError:
    key = reply.headers.get(_KMS_HEADER, "")
    if terms.kms_key is not None and not _same_key(key, terms.kms_key):
        return ObjectStoreWrongData(
            f"{request.destination_uri} was encrypted with {key or 'no key of KMS'}, not with {terms.kms_key}; correct "
            "LOGCACHE_PERMANENT_KMS_KEY or the bucket's policy"
        )
    return StoredObject(
        uri=request.destination_uri,
        size_bytes=request.source.size_bytes,
        etag=texts.get("ETag", "").strip('"'),
        modified_at=_instant(texts.get("LastModified", "")),
        checksum=checksum_text(texts.get("ChecksumCRC64NVME")),
        storage_class=terms.storage_class,
    )


def _same_key(told: str, wanted: str) -> bool:
    """Whether S3 tells the key that was asked for: an ARN whose last part is the id; an alias cannot be compared."""
    return bool(told) and ("alias/" in wanted or told.rpartition("/")[2] == wanted.rpartition("/")[2])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
