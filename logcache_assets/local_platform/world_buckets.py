"""The buckets of a local world: made, emptied and cleared by it, as nothing else in this project does."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_errors import answered, asking
from logcache_assets.adapters.aws.s3_objects import object_uri, split_object
from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.errors import Refused

MARK = "a-local-world-of-logcache"
"""Key of the object that marks a bucket on S3 as a local world's."""


class WorldBuckets(ABC):
    """The buckets of a local world."""

    @abstractmethod
    def make_empty(self, names: Sequence[str], *, retention_days: Mapping[str, int]) -> None:
        """Make these buckets for a new world, with a rule that deletes after so many days; old objects are removed.

        Raises:
            Refused: a bucket holds objects of something else; nothing is removed.
        """

    @abstractmethod
    def remove(self, uri: str) -> None:
        """Remove one object, as an accident does."""


@dataclass(frozen=True, slots=True)
class FolderBuckets(WorldBuckets):
    """Buckets that are folders below the world's own."""

    store: FolderObjectStore
    lifecycle: Path

    @override
    def make_empty(self, names: Sequence[str], *, retention_days: Mapping[str, int]) -> None:
        for name in names:
            self.store.create_bucket(name)
        self.lifecycle.write_text(json.dumps(dict(retention_days)) + "\n", encoding="utf-8")

    @override
    def remove(self, uri: str) -> None:
        self.store.path_of(uri).unlink()


@dataclass(frozen=True, slots=True)
class S3Buckets(WorldBuckets):
    """Buckets on S3. One that no local world made may be an account's own, so it is never emptied."""

    access: AwsAccess

    @override
    def make_empty(self, names: Sequence[str], *, retention_days: Mapping[str, int]) -> None:
        missing = [name for name in names if self._is_missing(name)]
        for name in names:
            if name not in missing:
                self._require_ours(name)
        for name in names:
            self._make(name) if name in missing else self._empty(name)
            self._expire(name, retention_days.get(name))

    @override
    def remove(self, uri: str) -> None:
        bucket, key = split_object(uri)
        with asking("DeleteObject", uri):
            self._client.delete_object(Bucket=bucket, Key=key)

    @property
    def _client(self) -> Any:  # noqa: ANN401 - the SDK has no types
        return self.access.client("s3")

    def _is_missing(self, name: str) -> bool:
        absent = {"404": None, "NoSuchBucket": None}
        with asking("HeadBucket", object_uri(name, "")):
            return answered(lambda: self._client.head_bucket(Bucket=name), unless=absent) is None

    def _require_ours(self, name: str) -> None:
        keys = [key for page in self._pages(name) for key in page]
        if keys and MARK not in keys:
            raise Refused(
                f"the bucket {name} holds {len(keys)} objects, and no `logcache local reset` made it, so it is not "
                "emptied; name buckets of the local world's own in LOGCACHE_EPHEMERAL_BUCKET and "
                "LOGCACHE_PERMANENT_BUCKET"
            )

    def _make(self, name: str) -> None:
        region = self._client.meta.region_name
        place = {} if region in {None, "us-east-1"} else {"LocationConstraint": region}
        with asking("CreateBucket", object_uri(name, "")):
            self._client.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
            self._client.put_object(Bucket=name, Key=MARK)

    def _empty(self, name: str) -> None:
        with asking("DeleteObjects", object_uri(name, "")):
            for keys in self._pages(name):
                objects = [{"Key": key} for key in keys if key != MARK]
                if objects:
                    self._client.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
            self._client.put_object(Bucket=name, Key=MARK)

    def _pages(self, name: str) -> Iterator[list[str]]:
        with asking("ListObjectsV2", object_uri(name, "")):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=name):
                yield [item["Key"] for item in page.get("Contents", [])]

    def _expire(self, name: str, days: int | None) -> None:
        """Set the rule that deletes objects; a server without such rules keeps them."""
        if days is None:
            return
        rule = {"ID": "local-world", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": days}}
        put, rules = self._client.put_bucket_lifecycle_configuration, {"Rules": [rule]}
        with asking("PutBucketLifecycleConfiguration", object_uri(name, "")):
            answered(lambda: put(Bucket=name, LifecycleConfiguration=rules), unless={"NotImplemented": None})
