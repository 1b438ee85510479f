"""Compares instants that different clocks gave: metapod's, the object store's, the segment index's, our own.

A cached log is trusted by the instant at which its segments were read (C7), and published by the hour of the day (C11),
so instants that contradict each other are no evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.problems import Problem

SKEW = timedelta(minutes=1)
"""How far two sound clocks may differ. Synchronised ones differ by less than a second; S3 cuts LastModified to whole
seconds. Start and commits of one run come from one clock, so they are compared exactly."""

SILENCE = timedelta(days=7)
"""After so long without an instant from outside, the clock here is rather ahead than the world asleep: a run comes
every night, and segments come every few minutes."""

AGREEING = 2
"""How many outside clocks must be ahead of ours: a single instant of the future may be a mistake of its own system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """The newest instant that one outside system shows."""

    system: str
    """Whose clock it is: `metapod`."""
    shows: str
    """What happened then: `a commit of raw-feed-s0/log`."""
    at: datetime

    def __str__(self) -> str:
        """`metapod shows a commit of raw-feed-s0/log at 2018-05-24T02:30:00.000Z`."""
        return f"{self.system} shows {self.shows} at {utc_text(self.at)}"


def find_clock_fault(witnesses: Sequence[Witness], *, now: datetime) -> Problem | None:
    """Say why our own clock is wrong, by the newest instant that each outside system shows; None if it may be right.

    A world that sleeps is no fault for a week: what it shows last is then the newest evidence there is.
    """
    later = [witness for witness in witnesses if witness.at - now > SKEW]
    if len(later) >= AGREEING:
        return Problem(
            code="C11",
            found=(f"the clock here is behind: it says {utc_text(now)}", *map(str, later)),
            remedy="set the clock of this machine, then run again",
        )
    newest = max(witnesses, key=lambda witness: witness.at, default=None)
    if newest is not None and now - newest.at > SILENCE:
        return Problem(
            code="C11",
            found=(
                (
                    f"the clock here is ahead, or nothing has happened for {(now - newest.at).days} days: it says "
                    f"{utc_text(now)}"
                ),
                f"the newest instant is that {newest}",
            ),
            remedy="set the clock of this machine if it is wrong, otherwise wait for the next nightly run",
        )
    return None
