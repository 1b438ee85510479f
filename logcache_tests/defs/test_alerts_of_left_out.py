"""A database that is left out is told once, from the first sign to the refresh that has it again."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from logcache_assets.cli import local
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.defs.standing_checks import STANDING_JOB
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_tests.conftest import built_once, copied, refreshed, silent
from logcache_tests.defs.test_alert_sensor import look, told
from logcache_tests.defs.test_attempts import tick_of
from logcache_tests.week import nights
from logcache_tests.week.data import write_week_data
from logcache_tests.worlds import definitions_of, materialize, settings_at


@pytest.fixture(scope="session")
def merged_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a world of three small databases, whose first refresh was merged."""

    def build(home: Path) -> None:
        first = home.parent / "first"
        write_week_data(home.parent / "data")
        build_world(World(settings_at(first)), home.parent / "data", silent)
        refreshed(first, home)
        local.merge(settings_at(home), None)

    return built_once(tmp_path_factory, "merged-week", build)


@pytest.fixture
def week(merged_template: Path, tmp_path: Path) -> World:
    """A world of the test's own; the next day's segments are there."""
    world = copied(merged_template, tmp_path / "home")
    look(world)
    nights.day(world)
    return world


def standing_checks(world: World) -> None:
    """Make the checks of the published caches, as once a day."""
    job = definitions_of(world).resolve_job_def(STANDING_JOB)
    with open_storage(world.dagster_home) as instance:
        job.execute_in_process(instance=instance, raise_on_error=False, run_config={"loggers": {"plain": {}}})


def night_refreshed_and_merged(world: World) -> None:
    """A whole day, and what is told of it."""
    nights.good_night(world)
    standing_checks(world)
    look(world)
    materialize(world)
    look(world)
    local.merge(world.settings, None)
    nights.later(world, timedelta(minutes=15))
    look(world)


def test_a_gap_for_two_nights_is_one_accident(week: World) -> None:
    """A check is red, and two runs leave the database out; what can be done is said with the first."""
    lost = nights.lose_segment(week, "cards")
    night_refreshed_and_merged(week)
    nights.day(week)
    night_refreshed_and_merged(week)
    week.segment_items.put([lost])
    still = [line["subject"] for line in told(week)]

    night_refreshed_and_merged(week)

    assert still == [line["subject"] for line in told(week)][:1]
    assert still[0].startswith("the check segments_complete of log_cache/cards is red: cards-s0: the segment index has")
    assert [line["subject"] for line in told(week)[1:]] == ["All is well again"]


def test_a_run_that_leaves_out_says_what_to_do(week: World) -> None:
    """The first reason, and the remedy of that reason; it is not over when the others are merged."""
    nights.lose_segment(week, "cards")
    nights.good_night(week)
    materialize(week)
    look(week)
    local.merge(week.settings, None)
    nights.later(week, timedelta(minutes=15))
    look(week)

    (left_out,) = told(week)
    assert left_out["lines"][0].startswith("Cards is left out: raw-cards-s0/log was aborted (C12), and 2 more reasons")
    assert left_out["lines"][2].startswith("What to do: wait for the next nightly run, which computes it again. Pull")


def test_a_night_that_gave_a_database_up_is_not_tried_again_for_it(week: World) -> None:
    """The gap is repaired, and the night's raw log is aborted all the same: only another night has it."""
    lost = nights.lose_segment(week, "cards")
    nights.good_night(week)
    materialize(week)
    local.merge(week.settings, None)
    week.segment_items.put([lost])

    tick = tick_of(week)

    assert isinstance(tick, dg.SkipReason)
    assert ", without cards, whose active caches stay: " in str(tick.skip_message)


def test_a_database_that_is_lost_again_is_told_again(week: World) -> None:
    """Though no refresh was whole between: another database was left out all the time."""
    lost = nights.lose_segment(week, "cards")
    night_refreshed_and_merged(week)
    nights.day(week)
    week.segment_items.put([lost])
    nights.lose_segment(week, "bills")
    night_refreshed_and_merged(week)
    before = len(told(week))
    nights.day(week)
    nights.lose_segment(week, "cards")

    night_refreshed_and_merged(week)

    (again,) = told(week)[before:]
    assert "cards" in again["subject"]


def test_databases_that_are_left_out_together_are_told_once(week: World) -> None:
    """By the refresh that found it; the checks of the day tell nobody again."""
    nights.lose_segment(week, "cards")
    nights.lose_segment(week, "bills")
    nights.good_night(week)
    materialize(week)
    look(week)
    once = len(told(week))

    standing_checks(week)
    look(week)

    assert once == 1
    assert len(told(week)) == once
