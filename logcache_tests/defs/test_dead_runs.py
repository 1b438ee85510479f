"""A run that nobody works on is ended; one that works, or just begins, is not."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from logcache_assets.adapters.home_lock import holding
from logcache_assets.defs.dead_runs import STARTING_SECONDS, fail_dead_runs
from logcache_assets.defs.jobs import COUNTRY_TAG, REFRESH_JOB
from logcache_tests.worlds import settings_at


@dg.job(name=REFRESH_JOB)
def refresh() -> None:
    """A job of that name."""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An empty storage."""
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def started(instance: dg.DagsterInstance, *, seconds_ago: float, country: str = "BR") -> str:
    """The id of a run that was started so long ago."""
    run = instance.create_run_for_job(refresh, status=dg.DagsterRunStatus.STARTED, tags={COUNTRY_TAG: country})
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined] # only Dagster's own can be asked
        connection.exec_driver_sql(
            "UPDATE runs SET start_time = ? WHERE run_id = ?", (time.time() - seconds_ago, run.run_id)
        )
    return run.run_id


def status_of(instance: dg.DagsterInstance, run: str) -> str:
    """The state of a run."""
    found = instance.get_run_by_id(run)
    assert found is not None
    return found.status.value


def test_a_run_without_a_process_fails(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """Nobody holds the lock; what just begins, and another country's run, stay."""
    dead = started(instance, seconds_ago=STARTING_SECONDS + 60)
    beginning = started(instance, seconds_ago=30)
    other = started(instance, seconds_ago=STARTING_SECONDS + 60, country="MX")

    assert fail_dead_runs(instance, settings_at(tmp_path)) == 1

    assert [status_of(instance, run) for run in (dead, beginning, other)] == ["FAILURE", "STARTED", "STARTED"]


def test_a_run_that_works_stays(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """It holds the lock, however long it takes."""
    working = started(instance, seconds_ago=10 * STARTING_SECONDS)

    with holding(tmp_path):
        assert fail_dead_runs(instance, settings_at(tmp_path)) == 0

    assert status_of(instance, working) == "STARTED"
