"""Two countries in one Dagster: a code location each, whose assets, settings and nights are its own."""

from pathlib import Path

import dagster as dg
import pytest

from logcache_assets.catalog import load_catalog
from logcache_assets.connect import connect
from logcache_assets.definitions import build_definitions
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_tests.conftest import silent
from logcache_tests.worlds import definitions_of, settings_at, write_feed_data

NIGHT = dg.AssetKey("nightly_transaction")
EXPORT = dg.AssetKey(["log_export", "feed"])


@pytest.fixture
def mexico(tmp_path: Path) -> World:
    """A world of another country, with buckets of its own."""
    write_feed_data(tmp_path / "data")
    settings = settings_at(
        tmp_path / "mx", country="MX", ephemeral_bucket="nu-mx-ephemeral", permanent_bucket="nu-mx-permanent"
    )
    world = World(settings)
    build_world(world, tmp_path / "data", silent)
    return world


def refreshed(world: World, instance: dg.DagsterInstance, *assets: dg.AssetKey) -> set[dg.AssetKey]:
    """Materialize these assets of a world, or all; returns the keys of those, and of what was checked."""
    job = definitions_of(world).resolve_job_def(REFRESH_JOB)
    done = job.execute_in_process(
        instance=instance, asset_selection=list(assets) or None, run_config={"loggers": {"plain": {}}}
    )
    made = {event.asset_key for event in done.all_events if event.is_step_materialization and event.asset_key}
    return made | {check.asset_key for check in done.get_asset_check_evaluations()}


def test_two_countries_share_one_dagster(feed_world: World, mexico: World) -> None:
    """Each refreshes its own logs into its own buckets, and neither reads what the other materialized."""
    with dg.DagsterInstance.ephemeral() as instance:
        of_brazil = refreshed(feed_world, instance, NIGHT)
        of_mexico = refreshed(mexico, instance)
        later = refreshed(feed_world, instance, EXPORT)

    assert (of_brazil, later) == ({NIGHT}, {EXPORT})
    assert {key.path[0] for key in of_mexico} == {"mx"}
    assert [request.number for request in mexico.repository.open_pull_requests()] == [1]
    assert list(feed_world.repository.open_pull_requests()) == []
    assert not (mexico.buckets / "nu-spark-metapod").exists()


def test_a_part_of_another_country_is_refreshed(mexico: World) -> None:
    """A selection of assets names its country, and the stages find their databases and documents."""
    keys = [dg.AssetKey(["mx", *key.path]) for key in (NIGHT, EXPORT)]

    with dg.DagsterInstance.ephemeral() as instance:
        assert refreshed(mexico, instance, *keys) == set(keys)
        later = dg.AssetKey(["mx", "permanent_log", "feed"])
        assert refreshed(mexico, instance, later) == {later}


def test_keys_of_brazil_have_no_prefix(feed_world: World) -> None:
    """Those of another country begin with its code, their dependencies too."""
    catalog = load_catalog(feed_world.catalog)
    there = settings_at(feed_world.home, country="CO", ephemeral_bucket="co-one", permanent_bucket="co-two")

    own = definitions_of(feed_world).resolve_asset_graph()
    others = build_definitions(there, catalog=catalog, ports=connect(there)).resolve_asset_graph()

    assert {key.path[0] for key in own.get_all_asset_keys()} & {"br", "co"} == set()
    assert {tuple(key.path) for key in others.get_all_asset_keys()} == {
        ("co", *key.path) for key in own.get_all_asset_keys()
    }
    report = dg.AssetKey(["co", "validation_report"])
    assert {key.path[0] for key in others.get(report).parent_keys} == {"co"}
