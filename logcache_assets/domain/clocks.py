"""Compares instants that different clocks gave: metapod's, the object store's, the segment index's, our own.

A cached log is trusted by the instant at which its segments were read (C7), so instants that contradict each other are
no evidence.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.transactions import Transaction

SKEW = timedelta(minutes=1)
"""How far two sound clocks may differ. Synchronised ones differ by less than a second; S3 cuts LastModified to whole
seconds. Start and commits of one run come from one clock, so they are compared exactly."""


def find_impossible_instants(transaction: Transaction, *, now: datetime) -> Iterator[str]:
    """Clauses that say which instants of a run cannot be true: start <= every commit and abort of the run <= now."""
    if transaction.started_at > now + SKEW:
        yield f"it began at {utc_text(transaction.started_at)}, and now is {utc_text(now)}"
    ended = sorted(_ends(transaction))
    if ended and ended[0][0] < transaction.started_at:
        instant, what = ended[0]
        yield f"{what} at {utc_text(instant)}, before the run began at {utc_text(transaction.started_at)}"
    if ended and ended[-1][0] > now + SKEW:
        instant, what = ended[-1]
        yield f"{what} at {utc_text(instant)}, and now is {utc_text(now)}"


def _ends(transaction: Transaction) -> Iterator[tuple[datetime, str]]:
    for dataset in transaction.datasets.values():
        if dataset.committed_at is not None:
            yield dataset.committed_at, f"{dataset.name} was committed"
        if dataset.aborted_at is not None:
            yield dataset.aborted_at, f"{dataset.name} was aborted"
