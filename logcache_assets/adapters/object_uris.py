"""Parses URIs of objects; in a folder of buckets, keys that would not be exactly one file there are refused."""

import re

from logcache_assets.ports import ObjectStoreWrongData

_URI = re.compile(r"s3a?://(?P<bucket>[a-z0-9][a-z0-9.-]{2,62})(?:/(?P<key>[^\0]*))?", re.DOTALL)


def parse_uri(uri: str) -> tuple[str, str]:
    """Bucket and key, which may be empty; raises ObjectStoreWrongData for what is no URI of an object store."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise ObjectStoreWrongData(f"{uri!r} is no URI of this store; write s3://<bucket>/<key>")
    return match["bucket"], match["key"] or ""


def split_uri(uri: str) -> tuple[str, str]:
    """Split a URI into bucket and key.

    Raises:
        ObjectStoreWrongData: the key would not be exactly one file inside the bucket's folder.
    """
    bucket, key = parse_uri(uri)
    if any(part in {"", ".", ".."} for part in key.removesuffix("/").split("/")) and key:
        raise ObjectStoreWrongData(
            f"{uri!r} is refused: a part of the key is empty, `.` or `..`; write the key without it"
        )
    return bucket, key


def canonical_uri(uri: str) -> str:
    """Return the URI as `s3://bucket/key`, also if it was given as `s3a://`."""
    bucket, key = split_uri(uri)
    return f"s3://{bucket}/{key}"
