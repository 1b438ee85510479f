"""Counts the copies of one run and tells how far it is."""

import time
from collections.abc import Callable

from logcache_assets.domain.copying import CopyProgress
from logcache_assets.ports import Tell
from logcache_assets.refresh.copying.ledger import Inventory

OnProgress = Callable[[CopyProgress], None]


def ignore(_: CopyProgress) -> None:
    """Report nothing."""


class CopyMeter:
    """Counts copies, and tells at most once a second."""

    def __init__(self, missing: Inventory, progress: OnProgress) -> None:
        self._missing, self._progress = missing, progress
        self._done = self._bytes = 0
        self._began = self._told = time.monotonic()

    def add(self, size_bytes: int) -> None:
        """Count one copy."""
        self._done += 1
        self._bytes += size_bytes
        if time.monotonic() - self._told >= 1:
            self.tell()

    def tell(self) -> None:
        """Tell how far the run is."""
        self._told = time.monotonic()
        self._progress(
            CopyProgress(
                objects=self._missing.objects,
                objects_done=self._done,
                size_bytes=self._missing.size_bytes,
                bytes_done=self._bytes,
                seconds=self._told - self._began,
            )
        )


LINE_SECONDS = 10.0


class ProgressLines:
    """Tells progress as lines: one every ten seconds, and one at the end of what takes longer."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._told, self._has_told = tell, time.monotonic(), False

    def __call__(self, now: CopyProgress) -> None:
        """Tell it if its time has come."""
        is_due = time.monotonic() - self._told >= LINE_SECONDS
        if is_due or (self._has_told and now.objects_done == now.objects):
            self._told, self._has_told = time.monotonic(), True
            self._tell(str(now))
