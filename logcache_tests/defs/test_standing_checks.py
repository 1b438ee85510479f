"""The standing checks in Dagster: once a day by the platform's clock, in one step, with figures that can be plotted."""

from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from logcache_assets.cli import status
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.defs.standing_checks import STANDING_JOB
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.standing import StandingCheck
from logcache_assets.local_platform.world import World
from logcache_tests.worlds import definitions_of

FEED = dg.AssetKey(["log_cache", "feed"])


@pytest.fixture
def published_world(refreshed_feed_world: World) -> World:
    """A small world whose refresh was merged."""
    refreshed_feed_world.repository.merge(1)
    return refreshed_feed_world


def checked(world: World, instance: dg.DagsterInstance) -> dict[str, dg.AssetCheckEvaluation]:
    """Run the job of the standing checks; returns what it says of feed."""
    job = definitions_of(world).resolve_job_def(STANDING_JOB)
    done = job.execute_in_process(instance=instance, run_config={"loggers": {"plain": {}}})
    assert done.success
    return {found.check_name: found for found in done.get_asset_check_evaluations() if found.asset_key == FEED}


def test_an_excision_reddens_the_published_cache(published_world: World) -> None:
    """The job stays green and the check turns red, with the instance, what to do, and that a refresh is due."""
    feed = parse_instance("feed-s0")
    with dg.DagsterInstance.ephemeral() as instance:
        before = checked(published_world, instance)
        old = published_world.segment_index.segments(feed)[0]
        published_world.segment_items.put(
            [replace(old, timestamp_ms=int(published_world.clock.now().timestamp() * 1000))]
        )
        after = checked(published_world, instance)

    assert set(before) == {check.value for check in StandingCheck}
    assert all(found.passed for found in before.values())
    red = after["personal_data_current"]
    assert [name for name, found in after.items() if not found.passed] == ["personal_data_current"]
    assert red.metadata["stale_caches"].value == 1
    assert red.metadata["refresh"].value == "a refresh is due: a new cache ends this"
    (row,) = red.metadata["problems"].value.records  # type: ignore[union-attr]
    assert (row.data["instance"], row.data["code"]) == ("feed-s0", "C7")


def test_whoever_asks_what_is_next_is_told_what_failed(published_world: World) -> None:
    """The next night is waited for; as long as another map is active, the last checks say nothing of it."""
    world, feed = published_world, parse_instance("feed-s0")
    old = world.segment_index.segments(feed)[0]
    world.segment_items.put([replace(old, timestamp_ms=int(world.clock.now().timestamp() * 1000))])
    with dg.DagsterInstance.ephemeral() as instance:
        checked(world, instance)
    told = status.run(world.settings).next
    world.repository.commit_to_base({"docs/README.md": "new"}, "Edit")

    assert "; the next good one is waited for, as the published cache fails personal_data_current of feed" in told
    assert "personal_data_current" not in status.run(world.settings).next


def test_a_refresh_begins_with_the_standing_checks(published_world: World) -> None:
    """What it replaces is checked once more, whoever asks for the refresh."""
    steps = [node.name for node in definitions_of(published_world).resolve_job_def(REFRESH_JOB).nodes]

    assert "standing_checks" in steps


def test_one_check_is_made_alone(published_world: World) -> None:
    """A person who presses Execute on one check makes that one."""
    job = definitions_of(published_world).resolve_job_def(STANDING_JOB)
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.get_subset(asset_check_selection={dg.AssetCheckKey(FEED, "map_canonical")}).execute_in_process(
            instance=instance
        )

    assert [found.check_name for found in done.get_asset_check_evaluations()] == ["map_canonical"]


def test_the_checks_are_asked_for_once_a_day(published_world: World) -> None:
    """By the platform's clock: the second tick of a day says so, and the next day asks again."""
    sensor = definitions_of(published_world).resolve_sensor_def("daily_standing_checks")
    resources = {
        "clock": published_world.clock,
        "settings": published_world.settings,
        "repository": published_world.repository,
    }
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, resources=resources) as context,
    ):
        first = sensor(context)
        again = sensor(context)
        published_world.clock.set(published_world.clock.now() + timedelta(days=1))
        next_day = sensor(context)

    assert isinstance(first, dg.RunRequest)
    assert isinstance(again, dg.SkipReason)
    assert str(again.skip_message).startswith("the checks of 2018-")
    assert isinstance(next_day, dg.RunRequest)
    assert next_day.run_key != first.run_key
