"""A whole world whose segment index is a DynamoDB table; everything else lies in its folder."""

import shutil
from pathlib import Path

import pytest

from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.cli import refresh
from logcache_assets.domain.instances import Instance
from logcache_assets.local_platform.accidents import accidents_of
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_tests.adapters.dynamodb_tables import access_to
from logcache_tests.conftest import silent
from logcache_tests.servers.server import Server
from logcache_tests.worlds import settings_at, write_feed_data

FEED = [Instance(database="feed", prototype=prototype) for prototype in ("s0", "s1")]


@pytest.fixture
def table(moto_server: Server, request: pytest.FixtureRequest) -> SegmentTable:
    """The table of one test's world."""
    return SegmentTable(access=access_to(moto_server, max_attempts=2), name=f"world-{request.node.name}"[:40])


def world_on(table: SegmentTable, home: Path) -> World:
    """A world that does not exist yet."""
    return World(
        settings_at(
            home,
            segment_index="dynamodb",
            segment_table=table.name,
            aws_region=str(table.access.region),
            aws_max_attempts=str(table.access.max_attempts),
            dynamodb_endpoint=str(table.access.endpoint_url),
        )
    )


def test_a_world_on_dynamodb_is_refreshed(feed_world: World, table: SegmentTable, tmp_path: Path) -> None:
    """The index has the items of a world that keeps them in SQLite; a refresh, in all its processes, asks the table."""
    write_feed_data(tmp_path / "data")
    world = world_on(table, tmp_path / "on_dynamodb")

    build_world(world, tmp_path / "data", silent)
    refresh.run(world.settings, databases=(), transaction=None, dry_run=False, say=silent)

    assert [world.segment_index.segments(i) for i in FEED] == [feed_world.segment_index.segments(i) for i in FEED]
    assert not world.files.segment_index.exists()
    assert [request.number for request in world.repository.open_pull_requests()] == [1]


def test_an_accident_loses_an_item_of_the_table(
    feed_template: Path, feed_world: World, table: SegmentTable, tmp_path: Path
) -> None:
    """`logcache local break gap` works on the index that the settings name."""
    shutil.copytree(feed_template, tmp_path / "on_dynamodb")
    world = world_on(table, tmp_path / "on_dynamodb")
    world.segment_items.make_empty()
    world.segment_items.put(segment for i in FEED for segment in feed_world.segment_index.segments(i))
    before = sum(len(world.segment_index.segments(i)) for i in FEED)

    next(fault for fault in accidents_of(world) if fault.name == "gap").inject()

    assert sum(len(world.segment_index.segments(i)) for i in FEED) == before - 1
