"""Buckets of a local world on S3: made and emptied, unless they are somebody's own."""

import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.domain.lifecycle import ExpiryRule, Lifecycle
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world_buckets import MARK, S3Buckets
from logcache_assets.ports import ObjectNotFoundError
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.server import Server


@pytest.fixture
def access(moto_server: Server) -> AwsAccess:
    """Of a server without buckets."""
    empty_buckets(moto_server)
    return AwsAccess(endpoint_url=moto_server.endpoint_url)


def test_buckets_are_made_with_their_rule(access: AwsAccess) -> None:
    """One of them deletes after a week; a second world finds them empty again."""
    buckets, store = S3Buckets(access), S3ObjectStore(access)
    for _ in range(2):
        buckets.make_empty(["ephemeral", "permanent"], retention_days={"ephemeral": 7})

        assert [item.uri for name in ("ephemeral", "permanent") for item in store.list_objects(f"s3://{name}/")] == [
            f"s3://ephemeral/{MARK}",
            f"s3://permanent/{MARK}",
        ]
        store.write("s3://ephemeral/raw/1.parquet", b"x")
    assert store.lifecycle("ephemeral") == Lifecycle((ExpiryRule(days=7),))
    assert store.lifecycle("permanent") == Lifecycle()


def test_a_bucket_of_somebody_else_is_never_emptied(access: AwsAccess) -> None:
    """Nor is any other one then, although that is the world's own."""
    buckets, store = S3Buckets(access), S3ObjectStore(access)
    buckets.make_empty(["ephemeral"], retention_days={})
    store.write("s3://ephemeral/a", b"x")
    access.client("s3").create_bucket(Bucket="permanent")
    store.write("s3://permanent/cache/feed-s0/manifest.json", b"{}")

    with pytest.raises(Refused, match="the bucket permanent holds 1 objects, and no `logcache local reset` made it"):
        buckets.make_empty(["ephemeral", "permanent"], retention_days={})

    assert store.read("s3://permanent/cache/feed-s0/manifest.json") == b"{}"
    assert store.read("s3://ephemeral/a") == b"x"


def test_an_object_is_removed(access: AwsAccess) -> None:
    """As an accident does."""
    buckets, store = S3Buckets(access), S3ObjectStore(access)
    buckets.make_empty(["ephemeral"], retention_days={})
    store.write("s3://ephemeral/a", b"x")

    buckets.remove("s3://ephemeral/a")

    with pytest.raises(ObjectNotFoundError):
        store.read("s3://ephemeral/a")
