"""Measures the start of `logcache contracts`: a whole process that finds next to nothing to compute; only ours."""

from collections.abc import Sequence
from pathlib import Path

from bank import Bank
from contracts import run_one
from generate import Size
from measure import Cost

NEXT_TO_NOTHING = Size(datoms=50, instances=1, segments=1, delta=0)
"""A log that hardly has more than its schema."""
WORKLOAD = "entity-segments"


class Start:
    """A prepared log of next to nothing.

    Args:
        folder: gets the log and its contracts.
    """

    def __init__(self, folder: Path) -> None:
        self._bank, self._out = Bank(folder / "bank"), folder / "out"
        self._bank.prepare(NEXT_TO_NOTHING)

    def run(self) -> Cost:
        """The cost of one whole process."""
        return run_one(self._bank, WORKLOAD, "ours", self._out)


def run_start(folder: Path, *, repeat: int) -> Sequence[Cost]:
    """The cost of each of several processes."""
    start = Start(folder)
    return [start.run() for _ in range(repeat)]
