"""Whether a test run that an earlier process began can be used, must be waited for, or is dead.

    metapod                        the process here   then
    names no transaction           runs               wait
    names no transaction           gone, not known    dead
    every dataset committed        gone, not known    complete
    some dataset aborted           gone, not known    dead: whoever ended it aborted the rest
    some unfinished                runs               wait until the deadline
    some unfinished                gone               dead: on the local platform the process is the run
    some unfinished                not known          wait until the deadline

A bank's sabesp starts a cluster, which goes on without it; of such a run it is not known whether it is alive. It costs
less to wait for it than to pay for a second cluster.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from logcache_assets.domain.transactions import DatasetState, Transaction
from logcache_assets.domain.wording import count_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """All its datasets are committed."""

    transaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """It may still be computing."""

    until: datetime
    """When it counts as dead at the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """It will never be complete."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunRun:
    """What is known of a test run that an earlier process began."""

    started_at: datetime
    deadline: datetime
    transaction: Transaction | None
    """None if it named none, or metapod does not know it."""
    is_running: bool | None
    """Whether its process runs on this machine; None if that says nothing about the run."""
    failures: tuple[str, ...] = ()
    """Why it failed, if its output says so."""


def judge_begun_run(run: BegunRun, *, now: datetime) -> Complete | Going | Dead:
    """Decide by the table above."""
    if run.failures:
        return Dead(reason=run.failures[0])
    if now >= run.deadline:
        return Dead(reason=f"it was not complete at {run.deadline:%Y-%m-%d %H:%M} UTC, its time limit")
    if run.is_running:
        return Going(until=run.deadline)
    return _judge_datasets(run, run.transaction) if run.transaction else Dead(reason="it named no transaction")


def _judge_datasets(run: BegunRun, transaction: Transaction) -> Complete | Going | Dead:
    """Decide on a run whose process does not run here."""
    states = Counter(found.state for found in transaction.datasets.values())
    if set(states) == {DatasetState.COMMITTED}:
        return Complete(transaction=transaction.id)
    if states and not states[DatasetState.UNCOMMITTED]:
        return Dead(reason=f"it aborted {count_of(states[DatasetState.ABORTED], 'dataset')}")
    if run.is_running is not None:
        return Dead(reason="its process ended before everything was committed")
    return Going(until=run.deadline)
