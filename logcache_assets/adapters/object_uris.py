"""Parses URIs of objects in a folder of buckets; refuses keys that would not be exactly one file there."""

import re

from logcache_assets.ports import ObjectStoreWrongData

_URI = re.compile(r"s3a?://(?P<bucket>[a-z0-9][a-z0-9.-]{2,62})(?:/(?P<key>[^\0]*))?", re.DOTALL)


def split_uri(uri: str) -> tuple[str, str]:
    """Split a URI into bucket and key.

    Raises:
        ObjectStoreWrongData: the key would not be exactly one file inside the bucket's folder.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ObjectStoreWrongData(f"{uri!r} is no URI of this store; write s3://<bucket>/<key>")
    bucket, key = match["bucket"], match["key"] or ""
    if any(part in {"", ".", ".."} for part in key.removesuffix("/").split("/")) and key:
        raise ObjectStoreWrongData(
            f"{uri!r} is refused: a part of the key is empty, `.` or `..`; write the key without it"
        )
    return bucket, key


def canonical_uri(uri: str) -> str:
    """Return the URI as `s3://bucket/key`, also if it was given as `s3a://`."""
    bucket, key = split_uri(uri)
    return f"s3://{bucket}/{key}"
