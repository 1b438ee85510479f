"""What becomes of a test run whose refresh was killed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from logcache_assets.domain.begun_runs import BegunRun, Complete, Dead, Going, judge_begun_run
from logcache_assets.domain.transactions import DatasetState, Transaction
from logcache_tests.domain.samples import NOW, TEST_RUN, dataset, transaction

DEADLINE = NOW + timedelta(hours=6)
UNFINISHED = dataset("contract-feed/accounts", DatasetState.UNCOMMITTED)
FINISHED = replace(dataset("contract-feed/cards"), committed_at=NOW + timedelta(minutes=50))
ABORTED = dataset("contract-feed/merchants", DatasetState.ABORTED)


def named(*contracts: object) -> Transaction:
    """The run's transaction with these datasets."""
    return transaction(transaction_id=TEST_RUN, kind="CUSTOM", contracts=contracts)  # type: ignore[arg-type]


def begun(found: Transaction | None, *, is_running: bool | None, failures: tuple[str, ...] = ()) -> BegunRun:
    """A run that was begun at NOW and may take six hours."""
    return BegunRun(started_at=NOW, deadline=DEADLINE, transaction=found, is_running=is_running, failures=failures)


@pytest.mark.parametrize(
    ("run", "state"),
    [
        pytest.param(begun(None, is_running=True), Going(until=DEADLINE), id="it has not named its transaction yet"),
        pytest.param(begun(None, is_running=False), Dead(reason="it named no transaction"), id="ended before that"),
        pytest.param(begun(None, is_running=None), Dead(reason="it named no transaction"), id="nobody knows it"),
        pytest.param(begun(named(FINISHED), is_running=True), Going(until=DEADLINE), id="about to end"),
        pytest.param(begun(named(FINISHED), is_running=False), Complete(transaction=TEST_RUN), id="complete"),
        pytest.param(begun(named(FINISHED), is_running=None), Complete(transaction=TEST_RUN), id="complete elsewhere"),
        pytest.param(
            begun(named(FINISHED, UNFINISHED), is_running=False),
            Dead(reason="its process ended before everything was committed"),
            id="killed here",
        ),
        pytest.param(
            begun(named(), is_running=False),
            Dead(reason="its process ended before everything was committed"),
            id="killed before its first dataset",
        ),
        pytest.param(
            begun(named(FINISHED, ABORTED), is_running=None), Dead(reason="it aborted 1 dataset"), id="ended gently"
        ),
        pytest.param(
            begun(named(FINISHED, UNFINISHED), is_running=None),
            Going(until=DEADLINE),
            id="a cluster that may go on",
        ),
        pytest.param(
            begun(named(FINISHED), is_running=None, failures=("task itaipu ended with status FAILED",)),
            Dead(reason="task itaipu ended with status FAILED"),
            id="failed",
        ),
    ],
)
def test_a_begun_run_is_judged_an_hour_later(run: BegunRun, state: object) -> None:
    """By what metapod shows, and by whether its process runs on this machine."""
    assert judge_begun_run(run, now=NOW + timedelta(hours=1)) == state


@pytest.mark.parametrize("minutes", [1, 110, 359])
def test_a_cluster_is_waited_for_until_its_time_limit(minutes: int) -> None:
    """However long it commits nothing: it costs less than a second one."""
    run = begun(named(FINISHED, UNFINISHED), is_running=None)

    assert judge_begun_run(run, now=NOW + timedelta(minutes=minutes)) == Going(until=DEADLINE)


@pytest.mark.parametrize("is_running", [True, None], ids=["here", "a cluster"])
def test_no_run_is_waited_for_beyond_its_time_limit(*, is_running: bool | None) -> None:
    """Not even one whose process runs."""
    late = begun(named(FINISHED, UNFINISHED), is_running=is_running)

    assert judge_begun_run(late, now=DEADLINE) == Dead(
        reason="it was not complete at 2018-05-28 20:00 UTC, its time limit"
    )
