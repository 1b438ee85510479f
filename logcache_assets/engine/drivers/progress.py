"""Progress of a build, reported every few seconds to a callback (Dagster's log, the command's progress line)."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a build is: it first reads datoms, then computes buckets."""

    datoms: int
    """Read from segments so far."""
    buckets_done: int
    buckets: int
    """Buckets of all instances; 0 while logs are still being read."""
    seconds: float
    """Since reading began or, once buckets are computed, since the first one began."""

    @property
    def per_second(self) -> float:
        """Datoms per second while logs are read, then buckets per second."""
        done = self.buckets_done if self.buckets else self.datoms
        return done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the buckets so far; None before the first is done."""
        return self.seconds / self.buckets_done * (self.buckets - self.buckets_done) if self.buckets_done else None

    def __str__(self) -> str:
        """One line for people."""
        if not self.buckets:
            return f"{self.datoms:,} datoms read ({self.per_second:,.0f}/s)"
        done = f"{self.datoms:,} datoms read, {self.buckets_done} of {self.buckets} buckets done"
        left = self.seconds_left
        return done if left is None else f"{done} ({self.per_second:.1f}/s, {left:.0f} s left)"


OnProgress = Callable[[Progress], None]

INTERVAL_SECONDS = 3.0


class Meter:
    """Counts finished work and reports it; safe to use from several threads.

    Args:
        report: called with the progress.
        interval_seconds: shortest time between two reports.
    """

    def __init__(self, report: OnProgress, *, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._report, self._interval = report, interval_seconds
        self._began = self._reported = time.monotonic()
        self._datoms = self._done = self._buckets = 0
        self._lock = threading.Lock()

    def expect(self, buckets: int) -> None:
        """Start counting buckets: this many will be computed."""
        self._done, self._buckets, self._began = 0, buckets, time.monotonic()

    def add(self, *, datoms: int = 0, buckets: int = 0) -> None:
        """Add finished work, and report if the interval has passed."""
        with self._lock:
            self._datoms += datoms
            self._done += buckets
            now = time.monotonic()
            if now - self._reported >= self._interval:
                self._reported = now
                self._report(
                    Progress(
                        datoms=self._datoms,
                        buckets_done=self._done,
                        buckets=self._buckets,
                        seconds=now - self._began,
                    )
                )


def ignore(_: Progress) -> None:
    """Report nothing."""
