"""The sensor tells of every accident once, whoever started the run, and its dead channels stop nothing."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from msgspec.structs import replace

from logcache_assets.adapters.alerts.alert_book_file import AlertBookFile
from logcache_assets.adapters.alerts.heartbeat import Heartbeat, last_beat
from logcache_assets.cli import local, status
from logcache_assets.connect import Channels, connect
from logcache_assets.defs.alert_sensor import build_alerts
from logcache_assets.defs.jobs import COUNTRY_TAG
from logcache_assets.defs.resources import given_resources
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.domain.alert_messages import Message
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import Refused
from logcache_assets.local_platform.timeline import EARLIEST
from logcache_assets.local_platform.world import World
from logcache_assets.settings import Settings
from logcache_tests.adapters.alerts.web_server import running_callee
from logcache_tests.conftest import silent
from logcache_tests.defs.test_attempts import refreshed
from logcache_tests.worlds import definitions_of, settings_at

EndRun = Callable[..., str]
"""Adds a run that ended so, with what Dagster says of it; returns its id."""


def look(
    world: World,
    settings: Settings | None = None,
    *extra: dg.AssetChecksDefinition,
    channels: Channels | None = None,
) -> str:
    """What one evaluation of the sensor says; it tells by the given channels, or by those of the settings."""
    definitions = dg.Definitions.merge(definitions_of(world), dg.Definitions(asset_checks=extra))
    given = given_resources(settings or world.settings, connect(world.settings))
    resources = {**given, "channels": channels} if channels else given
    with (
        open_storage(world.dagster_home) as instance,
        dg.build_sensor_context(instance, resources=resources, definitions=definitions) as context,
    ):
        tick = definitions.resolve_sensor_def("alerts")(context)
    assert isinstance(tick, dg.SkipReason)
    return str(tick.skip_message)


def a_while_passes(world: World) -> None:
    """The last attempts to send were two minutes ago."""
    file = AlertBookFile(world.home)
    book = file.read()
    assert book is not None
    file.write(replace(book, messages=tuple(map(_two_minutes_older, book.messages))))


def _two_minutes_older(message: Message) -> Message:
    earlier = {
        channel: replace(found, began_at=found.began_at - timedelta(minutes=2)) if found.began_at else found
        for channel, found in message.deliveries.items()
    }
    return replace(message, deliveries=earlier)


def told(world: World) -> list[dict[str, Any]]:
    """All messages in the file of the home."""
    file = world.home / "alerts.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def newest_night(world: World) -> str:
    """The newest nightly transaction."""
    return world.metapod.transactions(TransactionType.DAILY, since=EARLIEST)[0].id


@pytest.fixture
def ended(world: World) -> Iterator[EndRun]:
    """Adds a run that ended, as Dagster writes it down."""
    with open_storage(world.dagster_home) as instance:

        def add(status: dg.DagsterRunStatus, *messages: str, job: str = "a_job", **tags: str) -> str:
            run = instance.add_run(
                dg.DagsterRun(job_name=job, tags=tags, run_id=None, status=dg.DagsterRunStatus.STARTED)
            )
            for message in messages:
                instance.report_run_failed(run, message)
            if status is dg.DagsterRunStatus.CANCELED:
                instance.report_run_canceled(run)
            if status is dg.DagsterRunStatus.SUCCESS:
                instance.report_dagster_event(
                    dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, job_name=job), run.run_id
                )
            return run.run_id

        yield add


def test_a_wrong_setting_of_a_run_is_told_in_its_own_words(feed_world: World) -> None:
    """Somebody changed it in the launchpad: Dagster's own first line names a resource alone."""

    @dg.resource
    def settings(_context: dg.InitResourceContext) -> Settings:
        return settings_at(feed_world.home, machines="many")

    @dg.op(required_resource_keys={"settings"})
    def works() -> None:
        """Never begins."""

    @dg.job(resource_defs={"settings": settings}, executor_def=dg.in_process_executor)
    def configured() -> None:
        works()

    with open_storage(feed_world.dagster_home) as instance:
        configured.execute_in_process(instance=instance, raise_on_error=False)

    assert "LOGCACHE_MACHINES is 'many', and must be a whole number above 0" in look(feed_world)


def test_a_refused_refresh_is_told_once_and_so_is_its_end(feed_world: World) -> None:
    """Its run failed because the verdict is a refusal: one accident, one message, with what to do."""
    world = World(settings_at(feed_world.home, fresh_days="3650"))
    quiet = look(world)
    local.break_(world.settings, "wrong-value")
    with pytest.raises(Refused):
        refreshed(world)
    look(world)
    look(world)
    (refusal,) = told(world)

    (world.home / "faults" / "wrong-value").unlink()
    refreshed(world)
    look(world)
    look(world)

    assert quiet.startswith("Nothing is wrong")
    assert refusal["subject"].startswith("the verdict is a refusal: contract-feed/accounts")
    assert refusal["lines"][2].startswith("What to do: read the report, ")
    assert "/validation_report/all.html, and remove the cause; " in refusal["lines"][2]
    assert [line["subject"] for line in told(world)[1:]] == ["All is well again"]


def test_a_run_that_took_too_long_is_told_and_one_that_a_person_ended_is_not(world: World, ended: EndRun) -> None:
    """Dagster writes CANCELED for both."""
    canceled = dg.DagsterRunStatus.CANCELED
    ended(canceled)
    look(world)
    assert told(world) == []

    ended(canceled, "Exceeded maximum runtime of 60 seconds.")
    look(world)

    assert [line["subject"] for line in told(world)] == ["the run took longer than it may and was ended"]


def test_every_job_is_watched_except_those_of_others(world: World, ended: EndRun) -> None:
    """A job that somebody added fails; so do one of another country and one of another code location."""
    failure = dg.DagsterRunStatus.FAILURE
    ended(failure, "the disk is full")
    ended(failure, "theirs", **{COUNTRY_TAG: "MX"})

    look(world)

    assert [line["subject"] for line in told(world)] == ["the disk is full"]


def test_a_run_of_that_job_that_goes_well_ends_an_alert(world: World, ended: EndRun) -> None:
    """Another job's does not."""
    ended(dg.DagsterRunStatus.FAILURE, "the disk is full", job="theirs")
    time.sleep(0.01)
    ended(dg.DagsterRunStatus.SUCCESS, job="another")
    look(world)
    assert len(told(world)) == 1

    ended(dg.DagsterRunStatus.SUCCESS, job="theirs")
    look(world)

    assert told(world)[-1]["subject"] == "All is well again"


def test_a_red_standing_check_is_told_until_it_is_green(world: World) -> None:
    """One that warns is not, nor is a contract's, which the verdict has."""
    spoken = {"passed": False}

    @dg.asset_check(asset=dg.AssetKey(["log_export", "feed"]))
    def chain_is_whole() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(description="feed-s0 has a gap (C2); ask its owners", **spoken)  # type: ignore[arg-type]

    @dg.asset_check(asset=dg.AssetKey(["log_export", "feed"]))
    def fresh() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(asset=dg.AssetKey(["contract", "feed", "accounts"]))
    def unique() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False)

    checks = (chain_is_whole, fresh, unique)

    def evaluate() -> None:
        job = dg.Definitions(
            asset_checks=checks, jobs=[dg.define_asset_job("daily", selection=dg.AssetSelection.all_asset_checks())]
        ).resolve_job_def("daily")
        with open_storage(world.dagster_home) as instance:
            assert job.execute_in_process(instance=instance).success

    evaluate()
    look(world, None, *checks)
    evaluate()
    look(world, None, *checks)
    (red,) = told(world)
    spoken["passed"] = True
    evaluate()
    look(world, None, *checks)

    assert red["subject"] == "the check chain_is_whole of log_export/feed is red: feed-s0 has a gap (C2)"
    assert red["lines"][2].startswith("What to do: ask its owners")
    assert [line["subject"] for line in told(world)[1:]] == ["All is well again"]


def test_a_wait_is_told_after_a_day(feed_world: World) -> None:
    """The night has no raw log, so no night is good; the next day it still is so."""
    world = feed_world
    local.break_(world.settings, "aborted-dataset")
    looked = look(world)
    world.clock.set(world.clock.now() + timedelta(hours=20))
    look(world)
    assert told(world) == []

    world.clock.set(world.clock.now() + timedelta(hours=5))
    look(world)
    look(world)

    assert looked.startswith("Nothing to tell yet; a refresh waits since 2018-05-24 14:00 UTC: no good nightly")
    assert [line["subject"] for line in told(world)] == ["no good nightly transaction"]


def test_a_run_that_died_is_told_in_words(world: World) -> None:
    """Dagster says only that the run was marked from outside."""
    with open_storage(world.dagster_home) as instance:
        run = instance.add_run(dg.DagsterRun(job_name="a_job", run_id=None, status=dg.DagsterRunStatus.STARTED))
        instance.report_run_failed(run)

    look(world)

    (died,) = told(world)
    assert died["subject"].startswith("the process of the run died or was not started, as when it is killed")
    assert died["lines"][2].startswith("What to do: nothing if the next run goes on")


def test_a_test_run_is_no_night_that_could_not_be_used(refreshed_feed_world: World) -> None:
    """A refresh's own began after the night; a day later no newer night is there, and no night was bad."""
    world = refreshed_feed_world
    world.clock.set(world.clock.now() + timedelta(hours=30))

    look(world)

    assert told(world) == []


def test_nights_that_cannot_be_used_are_told_after_a_day(refreshed_feed_world: World) -> None:
    """Since the first of them began."""
    world = refreshed_feed_world
    local.night(world.settings, say=silent)
    for dataset in world.metapod_store.datasets(newest_night(world)):
        world.metapod_store.abort_dataset(newest_night(world), dataset.name, aborted_at=world.clock.now())
    look(world)
    assert told(world) == []

    world.clock.set(world.clock.now() + timedelta(hours=12))
    look(world)

    (unused,) = told(world)
    assert unused["subject"].startswith("no night since 2018-05-25 could be used, the newest, ")
    assert unused["lines"][1] == "Since: 2018-05-25 00:30 UTC"


def test_a_dead_webhook_stops_nothing_and_gets_the_message_later(
    world: World,
    ended: EndRun,
) -> None:
    """The tick says so; the file has the message at once."""
    with running_callee() as callee:
        callee.status = 500
        settings = settings_at(world.home, alert_webhook=callee.url)
        ended(dg.DagsterRunStatus.FAILURE, "the disk is full")
        dead = look(world, settings)
        waits = look(world, settings)
        callee.status = 200
        a_while_passes(world)
        look(world, settings)
        look(world, settings)

        assert len(callee.taken) == 1
    assert "not sent by webhook: the webhook of alerts answered with status 500; it is tried again" in dead
    assert "webhook" not in waits
    assert len(told(world)) == 1


def test_status_shows_what_goes_on(world: World, ended: EndRun) -> None:
    """What happened, since when and what to do; and that nobody looks any more."""
    before = status.run(world.settings).alerts
    ended(dg.DagsterRunStatus.FAILURE, "the disk is full; make room")
    look(world)
    shown = status.run(world.settings)
    Heartbeat(home=world.home).beat(datetime.now(UTC) - timedelta(hours=1))
    lines = list(status.render(status.run(world.settings)))

    assert (before.heartbeat, before.accidents) == (None, [])
    assert shown.alerts.is_alive
    assert [found.cause for found in shown.alerts.accidents] == ["the disk is full"]
    assert any(line.startswith("Not over since ") and line.endswith(" UTC: The disk is full.") for line in lines)
    assert "  what to do: make room; see these words in docs/runbook.md" in lines
    assert any(line.startswith("The daemon has not shown that it lives since ") for line in lines)


def test_each_look_is_a_heartbeat(world: World) -> None:
    """Its age shows whether the daemon lives."""
    assert last_beat(world.home) is None
    look(world)
    assert last_beat(world.home) is not None


def test_the_sensor_works_from_the_start() -> None:
    """Nobody must remember to switch it on; it changes nothing but its own files."""
    assert build_alerts(()).default_status is dg.DefaultSensorStatus.RUNNING
