"""A week in which nobody touches anything but the button that merges: accidents are told once, and caches stay fresh.

Web server and daemon are real processes; the world's date is moved through the nights. `make test-week` runs it.
"""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, time, timedelta
from pathlib import Path

import pytest

from logcache_assets.cli import local
from logcache_assets.domain.alerts import RUNBOOK
from logcache_assets.domain.locations import Stage, stage_of
from logcache_assets.local_platform.metapod_service import build_schema_over
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_tests.conftest import silent
from logcache_tests.servers.metapod_server import Server, served
from logcache_tests.week import nights, once
from logcache_tests.week.dagit import serving
from logcache_tests.week.data import DATABASES, write_week_data
from logcache_tests.week.watch import Watch
from logcache_tests.worlds import settings_at

pytestmark = pytest.mark.week

WELL = "All is well again"
DEAD = (503, "metapod is being repaired")
JUST_PAST_MIDNIGHT = time(0, 20, tzinfo=UTC)
A_DAY_AFTER_THE_NIGHT = time(0, 31, tzinfo=UTC)
WINDOW_IS_OPEN = time(13, 5, tzinfo=UTC)


@pytest.fixture
def metapod(tmp_path: Path) -> Iterator[Server]:
    """The server of a new world's metapod, at which a refresh is due."""
    write_week_data(tmp_path / "data")
    world = World(settings_at(tmp_path / "home"))
    build_world(world, tmp_path / "data", silent)
    with served(build_schema_over(world.metapod_store)) as server:
        yield server


@pytest.fixture
def watch(metapod: Server, tmp_path: Path) -> Iterator[Watch]:
    """The world with Dagit, all sensors of which are switched on; a test that fails prints what happened."""
    world = World(settings_at(tmp_path / "home", metapod="graphql", metapod_url=metapod.url))
    with serving(world, tmp_path / "log") as dagit:
        watch = Watch.begin(world, dagit, tmp_path / "log")
        with watch.told_on_failure():
            dagit.start_sensors()
            yield watch


def test_a_week_left_alone(watch: Watch, metapod: Server) -> None:
    """Each accident is told once, every night is published, nothing runs twice, and nothing lives on."""
    a_worker_is_killed(watch)
    a_night_fails(watch)
    metapod_is_out_for_hours(watch, metapod)
    a_gap_is_repaired_the_next_day(watch)
    personal_data_is_excised(watch)
    somebody_else_merges(watch)
    a_night_ends_outside_the_window(watch)
    a_database_has_a_gap_for_two_days(watch)

    world = watch.world
    assert once.unpublished(world, nights.nights_of(world)) == []
    assert {once.active_nights(world)[f"{name}-s0"] for name in DATABASES} == {nights.nights_of(world)[-1]}
    assert once.notebook_runs_made_twice(world) == []
    assert once.branches_proposed_twice(world) == []
    assert once.superfluous_test_runs(world) == set()
    assert [alert["lines"] for alert in watch.alerts() if RUNBOOK in " ".join(alert["lines"])] == []
    ticks = watch.dagit.ticks(1000)
    assert [tick for tick in ticks if tick.status == "FAILURE"] == []
    assert [tick for tick in ticks if tick.status == "SKIPPED" and not tick.said] == []


def merge(watch: Watch) -> None:
    """Somebody merges what is proposed; a while later all know."""
    local.merge(watch.world.settings, None)
    nights.later(watch.world, timedelta(minutes=15))
    watch.settle()


def signs_of_gap(database: str) -> tuple[str, ...]:
    """How a gap may be told: by the daily check, or by the refresh, whichever sees it first."""
    return f"the check segments_complete of log_cache/{database} is red", f"{database} is left out: "


def has_document(watch: Watch, night: str, stage: Stage) -> bool:
    """Whether a stage of a night's refresh has ended."""
    folder = watch.world.settings.locations.refresh(transaction=night)
    return any(stage_of(uri) == stage for uri in watch.world.store.list_uris(folder))


def a_worker_is_killed(watch: Watch) -> None:
    """The process of the refresh is killed in its middle; the next one goes on from its documents."""
    (night,) = nights.nights_of(watch.world)[1:]
    watch.until(lambda: has_document(watch, night, Stage.EXPORT), poll_seconds=0.02)
    killed, *_ = watch.runs_of(night)
    os.kill(watch.process_of(killed), signal.SIGKILL)

    watch.settle()

    states = [run.status for run in watch.runs_of(night)]
    assert (states[0], states[-1]) == ("FAILURE", "SUCCESS")
    watch.require_told("the process of the run died or was not started", WELL)
    merge(watch)
    watch.require_told()


def a_night_fails(watch: Watch) -> None:
    """Nobody is told before a day has passed without a better one."""
    nights.failed_night(watch.world)
    watch.settle()
    nights.day(watch.world)
    watch.require_told()
    assert "the active map already points to transaction" in watch.sentence()

    nights.at(watch.world, A_DAY_AFTER_THE_NIGHT)
    watch.settle()

    watch.require_told("no night since 2026-03-05 could be used")


def metapod_is_out_for_hours(watch: Watch, metapod: Server) -> None:
    """It dies while the next night's refresh works, whose run fails; what is due waits for it, and then goes on."""
    night = nights.good_night(watch.world)
    watch.until(lambda: has_document(watch, night, Stage.EXPORT), poll_seconds=0.02)
    metapod.outage = DEAD
    watch.settle()
    watch.require_told("metapod did not answer the query")
    for _ in range(2):
        nights.later(watch.world, timedelta(hours=2))
        watch.settle()
        assert "metapod did not answer the query" in watch.last_tick("new_nightly_transaction")
    watch.require_told()

    metapod.outage = None
    nights.later(watch.world, timedelta(minutes=15))
    watch.settle()

    assert "is already proposed in pull request" in watch.sentence()
    watch.require_told(WELL)
    merge(watch)


def a_gap_is_repaired_the_next_day(watch: Watch) -> None:
    """The night gives up the database that lacks a segment; the others are published."""
    nights.day(watch.world)
    lost = nights.lose_segment(watch.world, "cards")
    nights.good_night(watch.world)
    watch.settle()
    assert ", without cards, whose active caches stay: " in watch.sentence()
    merge(watch)
    watch.require_told(signs_of_gap("cards"))

    nights.day(watch.world)
    watch.world.segment_items.put([lost])


def personal_data_is_excised(watch: Watch) -> None:
    """The published cache still holds it; a check says so within a day, and the next refresh ends this and the gap."""
    nights.excise(watch.world)
    nights.at(watch.world, JUST_PAST_MIDNIGHT)
    watch.settle()
    watch.require_told("the check personal_data_current of log_cache/accounts is red")

    nights.good_night(watch.world)
    watch.settle()
    merge(watch)
    nights.day(watch.world)
    nights.at(watch.world, JUST_PAST_MIDNIGHT)
    watch.settle()

    watch.require_told(WELL)


def somebody_else_merges(watch: Watch) -> None:
    """Another entry is merged while a refresh works: the candidate is committed again, with its evidence."""
    night = nights.good_night(watch.world)
    watch.until(lambda: has_document(watch, night, Stage.CANDIDATE), poll_seconds=0.02)
    nights.somebody_adds_a_database(watch.world)
    watch.settle()

    watch.require_told("the base branch", WELL)
    merge(watch)


def a_night_ends_outside_the_window(watch: Watch) -> None:
    """All is prepared at once, and proposed when the window opens."""
    nights.day(watch.world)
    nights.good_night(watch.world, until=nights.EARLY)
    watch.settle()
    assert "it is proposed when the publish window" in watch.sentence()
    watch.require_told("it is 05:00 UTC, outside the publish window")

    nights.at(watch.world, WINDOW_IS_OPEN)
    watch.settle()

    watch.require_told(WELL)
    merge(watch)


def a_database_has_a_gap_for_two_days(watch: Watch) -> None:
    """It is told once, and the others are published each night."""
    nights.day(watch.world)
    lost = nights.lose_segment(watch.world, "bills")
    for _ in range(2):
        nights.good_night(watch.world)
        watch.settle()
        assert "without bills" in watch.sentence()
        merge(watch)
        nights.day(watch.world)
    watch.require_told(signs_of_gap("bills"))

    watch.world.segment_items.put([lost])
    nights.good_night(watch.world)
    watch.settle()
    merge(watch)

    watch.require_told(WELL)
