"""How far a build is: told every few seconds at most, to whoever asked (Dagster's log, the command's progress line)."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a build is: it reads datoms first, then computes buckets."""

    datoms: int
    """Read from segments so far."""
    buckets_done: int
    buckets: int
    """Of all instances; 0 while logs are still being read."""
    seconds: float
    """Since the reading began, or since the first bucket did."""

    @property
    def per_second(self) -> float:
        """Datoms while logs are read, then buckets."""
        done = self.buckets_done if self.buckets else self.datoms
        return done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the rate of the buckets so far; None before the first is done."""
        return self.seconds / self.buckets_done * (self.buckets - self.buckets_done) if self.buckets_done else None

    def __str__(self) -> str:
        """One line for a person."""
        if not self.buckets:
            return f"{self.datoms:,} datoms read ({self.per_second:,.0f}/s)"
        done = f"{self.datoms:,} datoms read, {self.buckets_done} of {self.buckets} buckets done"
        left = self.seconds_left
        return done if left is None else f"{done} ({self.per_second:.1f}/s, {left:.0f} s left)"


OnProgress = Callable[[Progress], None]

INTERVAL_SECONDS = 3.0


class Meter:
    """Counts what is done and reports it; used by several threads.

    Args:
        report: told of progress.
        interval_seconds: how often at most.
    """

    def __init__(self, report: OnProgress, *, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._report, self._interval = report, interval_seconds
        self._began = self._told = time.monotonic()
        self._datoms = self._done = self._buckets = 0
        self._lock = threading.Lock()

    def expect(self, buckets: int) -> None:
        """From now on this many buckets are computed."""
        self._done, self._buckets, self._began = 0, buckets, time.monotonic()

    def add(self, *, datoms: int = 0, buckets: int = 0) -> None:
        """Count what was done since."""
        with self._lock:
            self._datoms += datoms
            self._done += buckets
            now = time.monotonic()
            if now - self._told >= self._interval:
                self._told = now
                self._report(
                    Progress(
                        datoms=self._datoms,
                        buckets_done=self._done,
                        buckets=self._buckets,
                        seconds=now - self._began,
                    )
                )


def ignore(_: Progress) -> None:
    """Tells nobody."""
