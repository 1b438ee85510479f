"""Copies one object in parts, because S3 copies no more than 5 GiB in one request.

s3transfer's managed copy is not used: it cannot be told not to overwrite, and sets tags after the object exists.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_buckets import BucketTerms
from logcache_assets.adapters.aws.s3_errors import asking
from logcache_assets.adapters.aws.s3_objects import checksum_text, split_object
from logcache_assets.ports import CopyRequest, ObjectStoreError, StoredObject

LEAST_PART_BYTES = 5 << 20
_MOST_PARTS = 10_000
_PARTS_AT_ONCE = 10
_KEPT = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Metadata")
"""What HEAD tells of an object and a copy keeps."""


def copy_in_parts(
    request: CopyRequest, access: AwsAccess, *, source: BucketTerms, terms: BucketTerms, part_bytes: int
) -> StoredObject:
    """Copy one object: every part pinned to the listed etag; metadata, content type and tags are kept.

    Args:
        request: what to copy.
        access: how S3 is reached.
        source: terms of the source's bucket.
        terms: terms of the destination's bucket.
        part_bytes: size of a part; larger where there would be too many.

    Raises:
        ObjectStoreError: the source changed or vanished, something lies at the destination, or S3 refused.
    """
    client = access.client("s3")
    (bucket, key), origin = split_object(request.destination_uri), split_object(request.source.uri)
    place = {"Bucket": bucket, "Key": key}
    with asking("CopyObject", request.source.uri):
        kept = _kept(client, origin, source, terms, etag=request.source.etag)
    with asking("CopyObject", request.destination_uri):
        upload = client.create_multipart_upload(
            **place, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT", **terms.for_writes, **kept
        )["UploadId"]
    try:
        with asking("CopyObject", request.destination_uri):
            pinned = {
                "CopySource": dict(zip(("Bucket", "Key"), origin, strict=True)),
                "CopySourceIfMatch": f'"{request.source.etag}"',
                **terms.for_requests,
                **({"ExpectedSourceBucketOwner": source.account} if source.account else {}),
            }
            ranges = list(_ranges(request.source.size_bytes, part_bytes))
            with ThreadPoolExecutor(_PARTS_AT_ONCE) as pool:
                parts = list(
                    pool.map(lambda part: _copy_part(client, place | pinned, upload, part), enumerate(ranges, start=1))
                )
            ended = client.complete_multipart_upload(
                **place, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*", **terms.for_requests
            )
            found = client.head_object(**place, ChecksumMode="ENABLED", **terms.for_requests)
    except ObjectStoreError:
        with suppress(Exception):  # what is left over is removed by the bucket's rule for unfinished uploads
            client.abort_multipart_upload(**place, UploadId=upload, **terms.for_requests)
        raise
    return StoredObject(
        uri=request.destination_uri,
        size_bytes=found["ContentLength"],
        etag=ended["ETag"].strip('"'),
        modified_at=found["LastModified"],
        checksum=checksum_text(found.get("ChecksumCRC64NVME")),
        storage_class=terms.storage_class,
    )


def _kept(
    client: Any,  # noqa: ANN401 - the SDK has no types
    origin: tuple[str, str],
    source: BucketTerms,
    terms: BucketTerms,
    *,
    etag: str,
) -> dict[str, Any]:
    """Arguments that give the copy what its source has: metadata, content type, and tags unless the terms set them."""
    place = {"Bucket": origin[0], "Key": origin[1], **source.for_requests}
    head = client.head_object(**place, IfMatch=f'"{etag}"')
    kept = {name: head[name] for name in _KEPT if name in head}
    if not terms.tags and (tags := client.get_object_tagging(**place)["TagSet"]):
        kept["Tagging"] = urlencode({tag["Key"]: tag["Value"] for tag in tags})
    return kept


def _ranges(size_bytes: int, part_bytes: int) -> Iterator[str]:
    """The parts as ranges of bytes."""
    part = max(part_bytes, LEAST_PART_BYTES, -(-size_bytes // _MOST_PARTS))
    for begin in range(0, size_bytes, part):
        yield f"bytes={begin}-{min(begin + part, size_bytes) - 1}"


def _copy_part(
    client: Any,  # noqa: ANN401 - the SDK has no types
    arguments: Mapping[str, Any],
    upload: str,
    part: tuple[int, str],
) -> dict[str, Any]:
    number, piece = part
    answer = client.upload_part_copy(**arguments, UploadId=upload, PartNumber=number, CopySourceRange=piece)
    result = answer["CopyPartResult"]
    return {"PartNumber": number, **{name: result[name] for name in ("ETag", "ChecksumCRC64NVME") if name in result}}
