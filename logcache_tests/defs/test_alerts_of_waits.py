"""What nobody would notice is told: attempts that are used up, nights that are rejected, and a webhook that hangs."""

import re
from dataclasses import fields, replace
from datetime import timedelta

import dagster as dg

from logcache_assets.adapters.alerts.heartbeat import Heartbeat
from logcache_assets.adapters.alerts.mail import Mail
from logcache_assets.adapters.alerts.webhook import Webhook
from logcache_assets.catalog import load_catalog
from logcache_assets.connect import Channels, channels_of, connect
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.domain.attempts import End
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.next_step import MOST_FAILURES
from logcache_assets.domain.selections import ALL
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.attempts import Attempts
from logcache_assets.refresh.tell_alerts import BUDGET_SECONDS
from logcache_assets.settings import Settings
from logcache_tests.adapters.alerts.mail_server import running_mail_server
from logcache_tests.adapters.alerts.web_server import running_callee
from logcache_tests.defs.test_alert_sensor import a_while_passes, look, newest_night, told
from logcache_tests.defs.test_attempts import refreshed, tick_of
from logcache_tests.week import nights
from logcache_tests.worlds import settings_at

SENSOR_SECONDS = 60
"""Dagster's own limit for an evaluation of a sensor."""
REASON = "S3 could not answer for 10 minutes; see whether it answers, then run again"


def attempted(world: World, end: End, *, reason: str) -> None:
    """An attempt at the newest night ends so, as stages write it down."""
    ports = connect(world.settings)
    book = Attempts(
        store=ports.store,
        segment_index=ports.segment_index,
        repository=ports.repository,
        clock=ports.clock,
        settings=world.settings,
    )
    instances = [instance for definition in load_catalog(world.catalog) for instance in definition.instances]
    attempt = book.begin(instances, transaction=newest_night(world), selection=ALL)
    book.end(attempt, end, stage=Stage.PERMANENT_LOG, reason=reason)


def subjects(world: World) -> list[str]:
    """The subjects of all messages in the file of the home."""
    return [line["subject"] for line in told(world)]


def test_attempts_that_are_used_up_are_told_at_once(feed_world: World) -> None:
    """Four are not, the fifth is: nothing more is tried. A person's refresh that goes well ends it."""
    with running_callee() as callee:
        world = feed_world
        settings = settings_at(world.home, fresh_days="3650", alert_webhook=callee.url)
        for _ in range(MOST_FAILURES - 1):
            attempted(world, End.UNANSWERED, reason=REASON)
        world.clock.set(world.clock.now() + timedelta(hours=1))
        look(world, settings)
        before = list(callee.taken)

        attempted(world, End.UNANSWERED, reason=REASON)
        world.clock.set(world.clock.now() + timedelta(hours=1))
        gave_up, tick = look(world, settings), tick_of(world)
        look(world, settings)
        refreshed(World(settings))
        world.clock.set(world.clock.now() + timedelta(hours=1))
        look(world, settings)

    given_up, well = (text.splitlines() for text in callee.taken)
    assert before == []
    assert "1 message sent by webhook" in gave_up
    assert isinstance(tick, dg.SkipReason)
    assert str(tick.skip_message).startswith(
        "attempt 5 had no answer from the world, as 5 in a row: S3 could not answer"
    )
    assert given_up[0].startswith(
        "*Log cache: attempt 5 had no answer from the world, as 5 in a row: S3 could not answer"
    )
    assert given_up[3].startswith(
        "What to do: nothing more is tried before somebody has looked and called logcache refresh"
    )
    assert "; the runbook says: So many attempts ended by accident: " in given_up[3]
    assert well[0] == "*Log cache: All is well again*"
    assert len(told(world)) == 2


def test_rejected_nights_are_told_once_with_the_newest_reason_until_a_good_one(refreshed_feed_world: World) -> None:
    """Two nights gave up everything; the cause names the newest, and the next good night ends it."""
    with running_callee() as callee:
        world = World(settings_at(refreshed_feed_world.home, fresh_days="3650", alert_webhook=callee.url))
        nights.failed_night(world)
        look(world)
        before = list(callee.taken)
        newest = nights.failed_night(world)
        nights.later(world, timedelta(hours=1))
        look(world)
        nights.later(world, timedelta(hours=1))
        look(world)
        rejected = list(callee.taken)
        nights.good_night(world)
        refreshed(world)
        nights.later(world, timedelta(hours=1))
        look(world)

    assert before == []
    (text,) = rejected
    assert text.startswith("*Log cache: no night since 2018-05-25 could be used, the newest, ")
    assert newest in text
    assert "was aborted" in text
    assert "What to do: ask the owners of the nightly run" in text
    assert [text.splitlines()[0] for text in callee.taken[1:]] == ["*Log cache: All is well again*"]


def in_half_a_second(settings: Settings) -> Channels:
    """The channels of these settings, whose other sides have less time than in production."""
    channels = channels_of(settings)
    file, webhook, mail = channels.notifiers
    assert isinstance(webhook, Webhook)
    heartbeat = replace(channels.heartbeat, seconds=0.5)
    return Channels(notifiers=(replace(webhook, seconds=0.5), file, mail), heartbeat=heartbeat)


def failed(world: World, *jobs: str) -> None:
    """Runs of these jobs failed, each for a cause of its own."""
    with open_storage(world.dagster_home) as instance:
        for job in jobs:
            started = dg.DagsterRun(job_name=job, run_id=None, status=dg.DagsterRunStatus.STARTED)
            instance.report_run_failed(instance.add_run(started), f"{job} has no room; make some")


def test_a_webhook_that_never_answers_keeps_nobody_from_the_other_messages(world: World) -> None:
    """It takes connections and leaves them so: mail and file have every message at once, and it gets them later."""
    with running_callee() as callee, running_mail_server() as (mailbox, port):
        callee.manner = "silent"
        channels = in_half_a_second(
            settings_at(
                world.home,
                alert_webhook=callee.url,
                alert_mail_server=f"127.0.0.1:{port}",
                alert_mail_tls="none",
                alert_mail_from="cache@acme.com",
                alert_mail_to="ana@acme.com",
                heartbeat_url=callee.url,
            )
        )
        failed(world, "one", "another")
        hanging = look(world, channels=channels)
        tried = len(callee.paths)
        callee.manner = "plain"
        a_while_passes(world)
        revived = look(world, channels=channels)

    assert re.search(r"ot sent by webhook: the webhook of alerts does not answer \(\w*Timeout\w*\)", hanging)
    assert "2 messages sent by file; 2 messages sent by mail" in hanging
    assert re.search(r"heartbeat was not heard: the address of the heartbeat does not answer \(\w*Timeout", hanging)
    # The heartbeat and one message: the other one waits for the first.
    assert tried == 2
    assert revived.startswith("2 messages sent by webhook; 2 accidents not over yet")
    assert subjects(world) == ["one has no room", "another has no room"]
    assert [mail["Subject"] for mail in mailbox.mails] == [f"Log cache: {subject}" for subject in subjects(world)]
    assert [text.splitlines()[0] for text in callee.taken] == [f"*Log cache: {subject}*" for subject in subjects(world)]


def seconds_of(kind: type[Webhook | Mail | Heartbeat]) -> float:
    """How long an attempt over a channel may take."""
    return float(next(field.default for field in fields(kind) if field.name == "seconds"))  # type: ignore[arg-type]


def test_an_evaluation_whose_channels_all_hang_ends_before_dagster_gives_it_up() -> None:
    """After 60 seconds it does; an attempt may begin just before the budget is spent."""
    webhook, mail, heartbeat = map(seconds_of, (Webhook, Mail, Heartbeat))

    assert heartbeat + BUDGET_SECONDS + max(webhook, mail) < SENSOR_SECONDS
