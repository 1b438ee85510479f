"""A whole world whose objects lie on S3 and whose segment index is a DynamoDB table."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from logcache_assets.cli import adopt, check_merge, local, refresh
from logcache_assets.connect import connect
from logcache_assets.defs.resources import configured_resources
from logcache_assets.domain.documents import parse_document
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MAP_PATH, instances_of, parse_map
from logcache_assets.domain.log_documents import Manifest
from logcache_assets.engine.log.proven_files import load_manifest
from logcache_assets.errors import Refused
from logcache_assets.local_platform.accidents import accidents_of
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_assets.ports import ObjectStore
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_tests.conftest import silent
from logcache_tests.servers.buckets import empty_buckets, no_tables
from logcache_tests.servers.server import Server
from logcache_tests.worlds import settings_at, write_feed_data

Build = Callable[..., World]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Builds a small world on servers of S3 and DynamoDB."""

    def on(s3: Server, dynamodb: Server) -> World:
        empty_buckets(s3)
        no_tables(dynamodb)
        write_feed_data(tmp_path / "data")
        settings = settings_at(
            tmp_path / "home",
            store="s3",
            s3_endpoint=s3.endpoint_url,
            segment_index="dynamodb",
            segment_table="segments",
            dynamodb_endpoint=dynamodb.endpoint_url,
        )
        world = World(settings)
        build_world(world, tmp_path / "data", silent)
        return world

    return on


def refreshed(world: World) -> dict[Instance, int]:
    """Refresh everything; the t of every instance in the map of the pull request."""
    refresh.run(world.settings, databases=(), transaction=None, dry_run=False, say=silent)
    (request,) = world.repository.open_pull_requests()
    entries = parse_map(world.repository.read(MAP_PATH, ref=request.head_sha), where="map")
    return {instance: entry.last_t for instance, entry in instances_of(entries)}


@pytest.mark.servers
def test_a_world_on_s3_and_dynamodb_is_refreshed(
    build: Build, versitygw_server: Server, dynamodb_server: Server
) -> None:
    """To the t that Datomic had at the night; nothing lies in the world's folder of buckets."""
    world = build(versitygw_server, dynamodb_server)

    reached = refreshed(world)

    assert {instance.name: t for instance, t in reached.items()} == {"feed-s0": 4836, "feed-s1": 4770}
    assert not world.buckets.exists()


@pytest.mark.servers
@pytest.mark.parametrize("accident", ["truncated-copy", "lost-files", "lost-datom", "gap"])
def test_accidents_on_s3_are_refused(
    build: Build, versitygw_server: Server, dynamodb_server: Server, accident: str
) -> None:
    """As in a world of folders; no pull request is opened."""
    world = build(versitygw_server, dynamodb_server)
    next(fault for fault in accidents_of(world) if fault.name == accident).inject()

    with pytest.raises(Refused):
        refresh.run(world.settings, databases=(), transaction=None, dry_run=False, say=silent)

    assert list(world.repository.open_pull_requests()) == []


def test_dagster_reads_the_same_objects(moto_server: Server, tmp_path: Path) -> None:
    """Its resource and `connect` give stores with the same objects and dates."""
    empty_buckets(moto_server)
    settings = settings_at(tmp_path / "home", store="s3", s3_endpoint=moto_server.endpoint_url)
    world = World(settings)
    world.clock.set(datetime(2018, 5, 24, 14, tzinfo=UTC))
    world.world_buckets.make_empty([settings.permanent_bucket], retention_days={})
    uri = f"s3://{settings.permanent_bucket}/cache/a"
    resource = configured_resources(settings)["store"]
    assert isinstance(resource, dg.ConfigurableResource)
    store = resource.process_config_and_initialize()

    assert isinstance(store, ObjectStore)
    assert connect(settings).store.write(uri, b"x") == store.head(uri)


def test_a_map_written_by_hand_is_adopted_on_s3(moto_server: Server, tmp_path: Path) -> None:
    """Objects of old clients, whose checksums S3 does not keep, are read for them; nothing else is written."""
    empty_buckets(moto_server)
    write_feed_data(tmp_path / "data")
    world = World(settings_at(tmp_path / "home", store="s3", s3_endpoint=moto_server.endpoint_url))
    build_world(world, tmp_path / "data", silent)
    bucket, s3 = world.settings.permanent_bucket, moto_server.client("s3")
    (entry,) = [e for i, e in instances_of(read_base_map(world.repository).entries) if i.name == "feed-s0"]
    lost = load_manifest(entry, world.store)[0]
    local.break_(world.settings, "hand-written-map")
    before = set(world.store.list_uris(f"s3://{bucket}/cache/"))
    for uri in before:
        key = uri.removeprefix(f"s3://{bucket}/")
        s3.put_object(Bucket=bucket, Key=key, Body=world.store.read(uri), ChecksumAlgorithm="CRC32")
    assert {world.store.head(uri).checksum for uri in before} == {None}

    result = adopt.run(world.settings, databases=(), driver="local", dry_run=False, tell=silent)

    assert [cache.instance for cache in result.adopted] == ["feed-s0", "feed-s1"]
    written = sorted(set(world.store.list_uris(f"s3://{bucket}/cache/")) - before)
    assert [uri.rpartition("/")[2] for uri in written] == ["manifest.json", "manifest.json"]
    manifest = parse_document(world.store.read(written[0]), Manifest, where=written[0])
    assert (manifest.log, manifest.ranges) == (lost.log, lost.ranges)
    assert check_merge.run(world.settings, "log-cache/adopt").changes_map
