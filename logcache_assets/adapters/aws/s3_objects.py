"""URIs and checksums of objects as S3 has them."""

import base64

from logcache_assets.adapters.object_uris import parse_uri
from logcache_assets.ports import ObjectStoreWrongData

_DOTS = {".", ".."}
"""Parts of a key that web clients resolve before they send a request, so that another object would be meant."""


def split_prefix(uri: str) -> tuple[str, str]:
    """Bucket and beginning of keys, which may be empty; raises ObjectStoreWrongData for what is no URI of S3."""
    bucket, key = parse_uri(uri)
    if _DOTS & set(key.split("/")):
        raise ObjectStoreWrongData(f"{uri!r} is refused: a part of the key is `.` or `..`; write the key without it")
    return bucket, key


def split_object(uri: str) -> tuple[str, str]:
    """Bucket and key of one object; raises ObjectStoreWrongData if the URI names none."""
    bucket, key = split_prefix(uri)
    if not key:
        raise ObjectStoreWrongData(f"{uri!r} names no object: a key is needed")
    return bucket, key


def bucket_of(uri: str) -> str:
    """The bucket of a URI that was parsed before."""
    return uri.split("/")[2]


def object_uri(bucket: str, key: str) -> str:
    """`s3://bucket/key`."""
    return f"s3://{bucket}/{key}"


def checksum_text(value: str | None) -> str | None:
    """The form of our documents, `crc64nvme:<16 hex digits>`, of S3's base64; None if S3 keeps no such checksum."""
    return None if value is None else f"crc64nvme:{base64.b64decode(value).hex()}"
