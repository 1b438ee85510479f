"""Reads are repeated while an outside system cannot answer, and only then."""

import time

import pytest

from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.errors import Refused
from logcache_assets.ports import MetapodUnavailable

AT_ONCE = RepeatedReads(first_pause_seconds=0)


class Well:
    """Returns or raises these outcomes, one per call; the last one is repeated."""

    def __init__(self, *outcomes: object, reads: RepeatedReads = AT_ONCE) -> None:
        self.reads = reads
        self.asked = 0
        self._outcomes = outcomes

    @repeated
    def draw(self, unit: str, *, times: int = 1) -> str:
        """One read."""
        outcome = self._outcomes[min(self.asked, len(self._outcomes) - 1)]
        self.asked += 1
        if isinstance(outcome, Exception):
            raise outcome
        return f"{outcome} {unit}" * times


def test_a_read_that_fails_twice_is_answered() -> None:
    """The third attempt succeeds; arguments are the same every time."""
    well = Well(MetapodUnavailable("dry"), MetapodUnavailable("dry"), 3)

    assert well.draw("litres", times=2) == "3 litres3 litres"
    assert well.asked == 3


def test_a_read_that_is_never_answered_ends() -> None:
    """After four attempts the port's own error is raised."""
    well = Well(MetapodUnavailable("dry"))

    with pytest.raises(MetapodUnavailable, match="dry"):
        well.draw("litres")

    assert well.asked == 4


@pytest.mark.parametrize("error", [Refused("salty"), ValueError("a defect")])
def test_other_errors_are_raised_at_once(error: Exception) -> None:
    """Wrong data stays wrong; a defect of the program is not hidden."""
    well = Well(error)

    with pytest.raises(type(error)):
        well.draw("litres")

    assert well.asked == 1


def test_attempts_end_with_the_time() -> None:
    """No attempt begins after the longest time, however many are allowed."""
    well = Well(
        MetapodUnavailable("dry"),
        reads=RepeatedReads(attempts=1000, first_pause_seconds=0.01, longest_pause_seconds=0.01, longest_seconds=0.1),
    )
    started = time.monotonic()

    with pytest.raises(MetapodUnavailable):
        well.draw("litres")

    assert 1 < well.asked < 100
    assert time.monotonic() - started < 5


def test_pauses_grow_and_stay_short() -> None:
    """By default three pauses, doubling from 0.2 seconds, none over 1.1 seconds, all within 5 seconds."""
    pauses: list[float] = []
    retrying = RepeatedReads().retrying().copy(sleep=pauses.append)

    with pytest.raises(MetapodUnavailable):
        retrying(Well(MetapodUnavailable("dry")).draw, "litres")

    assert [0.2 <= pauses[0] < 0.31, 0.4 <= pauses[1] < 0.51, 0.8 <= pauses[2] < 0.91] == [True] * 3
    assert sum(pauses) < 5
