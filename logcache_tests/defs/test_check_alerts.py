"""What a refresh says of the published caches that it replaces keeps an alert open, and opens none."""

import time
from dataclasses import replace

import dagster as dg

from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.defs.standing_checks import STANDING_JOB
from logcache_assets.domain.instances import parse_instance
from logcache_assets.local_platform.world import World
from logcache_tests.defs.test_alert_sensor import look, told
from logcache_tests.worlds import definitions_of, materialize

SAID = "feed-s0: a segment that the cache holds was extracted again (C7); refresh it"


def check_all(world: World) -> None:
    """Make the checks of the day."""
    job = definitions_of(world).resolve_job_def(STANDING_JOB)
    with open_storage(world.dagster_home) as instance:
        job.execute_in_process(instance=instance, raise_on_error=False, run_config={"loggers": {"plain": {}}})


def subjects(world: World) -> list[str]:
    """Of all messages."""
    look(world)
    return [message["subject"].partition(": feed-s0")[0] for message in told(world)]


def test_a_refresh_that_goes_on_ends_no_alert(refreshed_feed_world: World) -> None:
    """It has checked the stale cache once more, and may work for hours: nobody reads that all is well, nor twice."""
    world, stale = refreshed_feed_world, ["the check personal_data_current of log_cache/feed is red"]
    world.repository.merge(1)
    look(world)
    old = world.segment_index.segments(parse_instance("feed-s0"))[0]
    world.segment_items.put([replace(old, timestamp_ms=int(world.clock.now().timestamp() * 1000))])
    check_all(world)
    first = subjects(world)
    red = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(["log_cache", "feed"]),
        check_name="personal_data_current",
        passed=False,
        metadata={},
        severity=dg.AssetCheckSeverity.ERROR,
        description=SAID,
    )
    with open_storage(world.dagster_home) as instance:
        run = instance.add_run(dg.DagsterRun(job_name=REFRESH_JOB, status=dg.DagsterRunStatus.STARTED))
        kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION.value
        event = dg.DagsterEvent(kind, job_name=REFRESH_JOB, event_specific_data=red)
        entry = dg.EventLogEntry(  # type: ignore[no-untyped-call]
            error_info=None,
            level=20,
            user_message="",
            run_id=run.run_id,
            timestamp=time.time(),
            dagster_event=event,
        )
        instance.event_log_storage.store_event(entry)
    while_it_works = subjects(world)
    with open_storage(world.dagster_home) as instance:
        success = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, job_name=REFRESH_JOB)
        instance.report_dagster_event(success, run.run_id)

    assert first == stale
    assert while_it_works == stale
    assert subjects(world) == stale


def test_a_refresh_of_an_old_cache_is_no_accident(feed_world: World) -> None:
    """The cache before it is too old, which is why it is refreshed."""
    look(feed_world)
    materialize(feed_world)

    assert subjects(feed_world) == []


def test_the_checks_are_asked_for_again_when_another_map_is_published(refreshed_feed_world: World) -> None:
    """What was red of the cache before is judged by the new one within minutes, not the next day."""
    world = refreshed_feed_world
    sensor = definitions_of(world).resolve_sensor_def("daily_standing_checks")
    resources = {"clock": world.clock, "settings": world.settings, "repository": world.repository}
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, resources=resources) as context,
    ):
        first, again = sensor(context), sensor(context)
        world.repository.merge(1)
        merged = sensor(context)

    assert isinstance(first, dg.RunRequest)
    assert isinstance(again, dg.SkipReason)
    assert isinstance(merged, dg.RunRequest)
    assert merged.run_key != first.run_key
