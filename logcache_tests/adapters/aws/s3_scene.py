"""A bucket of small objects on S3 behind the fault proxy, for tests of reading and copying."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.ports import CopyRequest
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.fault_proxy.proxy import FaultProxy

OBJECTS = 300


def content_of(number: int) -> bytes:
    """The bytes of an object, unlike all others."""
    return hashlib.blake2b(str(number).encode()).digest() * 20


@dataclass(frozen=True)
class Scene:
    """A bucket of small objects, a store that reaches it through the proxy, and a client that does not."""

    proxy: FaultProxy
    store: S3ObjectStore
    behind: Any

    def requests(self) -> list[CopyRequest]:
        """A copy of every object that is listed."""
        return [
            CopyRequest(source=listed, destination_uri=listed.uri.replace("source", "target"))
            for listed in self.store.list_objects("s3://source/")
        ]

    def target(self) -> dict[str, bytes]:
        """What really lies at the destination, by its name in the folder."""
        keys = [item["Key"] for item in self.behind.list_objects_v2(Bucket="target").get("Contents", [])]
        with ThreadPoolExecutor(16) as pool:
            read = lambda key: self.behind.get_object(Bucket="target", Key=key)["Body"].read()  # noqa: E731
            return dict(zip((key.removeprefix("f/") for key in keys), pool.map(read, keys), strict=True))


def filled_scene(proxy: FaultProxy) -> Scene:
    """Objects `f/000`, `f/001`, … of a kilobyte each, in `source`; an empty `target`."""
    empty_buckets(proxy.upstream, "source", "target")
    behind = proxy.upstream.client("s3", max_pool_connections=16)

    def put(number: int) -> None:
        behind.put_object(Bucket="source", Key=f"f/{number:03}", Body=content_of(number))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(OBJECTS)))
    access = AwsAccess(endpoint_url=proxy.server.endpoint_url)
    return Scene(proxy, S3ObjectStore(access, reads=RepeatedReads(attempts=4, first_pause_seconds=0.01)), behind)
