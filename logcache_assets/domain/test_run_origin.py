"""Whose tables did a test run give? Only those of a run that began for this candidate show what the candidate gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.clocks import SKEW
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.pull_request import shortened
from logcache_assets.domain.transactions import Transaction, TransactionType, find_impossible_instants

REMEDY = (
    "look in sabesp's output for the transaction of this run; if it attached to another run, wait until that one has "
    "ended; then run again"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart:
    """What was known just before sabesp was started for a candidate."""

    at: datetime
    """By our own clock."""
    night: str
    """Id of the nightly transaction that the candidate was made from."""
    known: frozenset[str]
    """Ids of the transactions that metapod showed already."""


def find_foreign_tables(named: Transaction, start: RunStart, *, now: datetime) -> Problem | None:
    """Say why the transaction that sabesp named cannot hold this candidate's contracts (C29); None if it can."""
    found = tuple(_signs(named, start, now))
    if not found:
        return None
    first, *more = found
    return Problem(
        code="C29",
        found=(f"the transaction {named.id} that sabesp named is not of this test run: {first}", *more),
        why="its tables do not show what the candidate gives",
        remedy=REMEDY,
    )


def _signs(named: Transaction, start: RunStart, now: datetime) -> Iterator[str]:
    if named.id == start.night:
        yield "it is the nightly run whose logs the candidate holds"
    if named.type != TransactionType.CUSTOM:
        yield f"its type is {named.type}, and a test run's is {TransactionType.CUSTOM.value}"
    begun = utc_text(start.at)
    if start.at - named.started_at > SKEW:
        yield f"it began at {utc_text(named.started_at)}, before the test run was started at {begun}"
    elif named.id in start.known:
        yield f"metapod showed it before the test run was started at {begun}"
    early = [d.name for d in named.datasets.values() if d.committed_at and start.at - d.committed_at > SKEW]
    if early:
        yield f"it held {shortened(early)} already before that"
    yield from find_impossible_instants(named, now=now)
