"""The turn of a run: it holds the lock of the home while a run works, and writes down how its attempt went.

The first stage that a run executes takes the lock, whoever started the run: a command, the job's page, the sensor. A
run whose lock another process holds fails with that sentence before it has written anything.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import dagster as dg
from pydantic import Field

from logcache_assets.adapters.home_lock import take_lock
from logcache_assets.domain.attempts import Attempt, End
from logcache_assets.domain.documents import LeftOut
from logcache_assets.domain.instances import Instance
from logcache_assets.errors import LogCacheError
from logcache_assets.refresh.attempts import Attempts, end_of


class Turn:
    """Of one run, in one process."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock: BinaryIO | None = None
        self._book: Attempts | None = None
        self._attempt: Attempt | None = None
        self._is_over = False

    def take(self) -> None:
        """Hold the lock of the home, from now on; raises Refused if another process holds it."""
        if self._lock is None:
            self._lock = take_lock(self._home)

    def give_back(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def begin(self, book: Attempts, instances: Collection[Instance], *, transaction: str, selection: str) -> None:
        """Write down that an attempt begins, once per run."""
        if self._attempt is None:
            self._book = book
            self._attempt = book.begin(instances, transaction=transaction, selection=selection)

    def end(self, end: End, *, stage: str, reason: str = "", left_out: Collection[LeftOut] = ()) -> None:
        """Write down how the attempt ended, if the run began one, and which databases it left out.

        Its first end counts: the others follow from it.
        """
        if self._book and self._attempt and not self._is_over:
            self._is_over = True
            why = {left.database: left.reasons for left in left_out}
            self._book.end(self._attempt, end, stage=stage, reason=reason, left_out=why)

    def end_with(self, error: BaseException, *, stage: str) -> None:
        """Write down that this exception ended the attempt.

        If it cannot be written, because the store is what failed, the exception is what must be told; the attempt then
        counts as interrupted.
        """
        end = end_of(error)
        reason = str(error) if end is not End.FAILED else f"{type(error).__name__} in {stage}"
        with suppress(LogCacheError):
            self.end(end, stage=stage, reason=reason)


@contextmanager
def holding_turn(home: Path) -> Iterator[Turn]:
    """Take the turn for the block; raises Refused if another process works."""
    turn = Turn(home)
    try:
        turn.take()
        yield turn
    finally:
        turn.give_back()


class TurnResource(dg.ConfigurableResource[Turn]):
    """Lets one refresh at a time work in the home of this deployment."""

    home: str = Field(description="The folder whose lock a run holds while it works")

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Turn]:  # noqa: ARG002 - Dagster's
        """A turn that ends with the run."""
        turn = Turn(Path(self.home))
        try:
            yield turn
        finally:
            turn.give_back()
