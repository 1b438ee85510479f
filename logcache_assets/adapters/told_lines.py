"""Passes on the lines that a program prints, as many and as long as a reader can take.

Telling a line costs: Dagster writes each into its storage, in a millisecond. A program prints a million in that second.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from logcache_assets.domain.plain_text import shortened
from logcache_assets.ports import Tell

LAST_LINES = 20
"""How many lines an error shows."""
LAST_CHARACTERS = 2000
"""How many characters they have together."""

TOLD_AT_ONCE = 1000
TOLD_PER_SECOND = 5


class ToldLines:
    """Tells lines shortened, and leaves out those that come too fast; keeps the last ones for an error.

    Args:
        tell: takes the lines.
        whole: the file that holds all of them, whole.
        now: seconds of a clock that never goes back.
    """

    def __init__(self, tell: Tell, whole: Path, *, now: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._whole = whole
        self._now = now
        self._begun = now()
        self._told = 0
        self._left_out = 0
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    def say(self, line: str) -> None:
        """Tell a line of our own, whole."""
        self._tell(line)

    def tell_all(self, lines: Iterable[str]) -> None:
        """Tell these lines, and how many were left out at their end."""
        for line in lines:
            self.tell(line)
        self.tell_left_out()

    def tell(self, line: str, *, is_event: bool = False) -> None:
        """Tell a line, or count it as left out; an event is always told."""
        line = shortened(line)
        self._last.append(line)
        if is_event or self._told < TOLD_AT_ONCE + TOLD_PER_SECOND * (self._now() - self._begun):
            self.tell_left_out()
            self._tell(line)
            self._told += 1
        else:
            self._left_out += 1

    def tell_left_out(self) -> None:
        """Tell how many lines were left out since the last one that was told."""
        if self._left_out:
            self._tell(f"({self._left_out:,} lines came too fast to be told; they are in {self._whole})")
            self._left_out = 0

    @property
    def last_lines(self) -> str:
        """The last lines, as part of an error message."""
        return last_lines(self._last)


def last_lines(lines: Iterable[str]) -> str:
    """The last lines of an output, as part of an error message."""
    kept: deque[str] = deque()
    room = LAST_CHARACTERS
    for line in reversed(list(lines)[-LAST_LINES:]):
        room -= len(shortened(line))
        if room < 0:
            break
        kept.appendleft(shortened(line))
    return "\n".join(["its last lines:", *kept]) if kept else "it printed nothing"
