"""Our own clock against the newest instants that the outside systems show."""

from datetime import datetime, timedelta

import pytest

from logcache_assets.domain.clocks import Witness, find_clock_fault
from logcache_tests.domain.samples import NOW

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def seen(*at: datetime) -> list[Witness]:
    """What as many systems show at these instants."""
    systems = ("metapod", "the object store", "the segment index")
    return [Witness(system=s, shows="something", at=instant) for s, instant in zip(systems, at, strict=False)]


@pytest.mark.parametrize(
    "witnesses",
    [
        pytest.param(seen(), id="nobody shows anything"),
        pytest.param(seen(NOW - MINUTE, NOW - DAY), id="all before now"),
        pytest.param(seen(NOW + MINUTE, NOW + MINUTE), id="clocks that are a minute ahead"),
        pytest.param(seen(NOW + 37 * DAY, NOW - DAY), id="one mistaken instant of the future"),
        pytest.param(seen(NOW - 7 * DAY, NOW - 300 * DAY), id="a world that slept for a week"),
        pytest.param(seen(NOW - 100 * DAY, NOW - 5 * MINUTE), id="nights that stopped, while segments still come"),
    ],
)
def test_a_clock_that_may_be_right_is_no_fault(witnesses: list[Witness]) -> None:
    """A single contradiction, or a short silence, has other explanations."""
    assert find_clock_fault(witnesses, now=NOW) is None


@pytest.mark.parametrize(
    ("witnesses", "parts"),
    [
        pytest.param(
            seen(NOW + 2 * MINUTE, NOW + 365 * DAY),
            (
                (
                    "the clock here is behind: it says 2018-05-28T14:00:00.000Z; metapod shows something at "
                    "2018-05-28T14:02:00.000Z; the object store shows something at 2019-05-28T14:00:00.000Z (C11); set"
                ),
            ),
            id="behind, by two clocks",
        ),
        pytest.param(
            seen(NOW - 37 * DAY, NOW - 38 * DAY),
            (
                "the clock here is ahead, or nothing has happened for 37 days: it says 2018-05-28T14:00:00.000Z; ",
                "metapod shows something at 2018-04-21T14:00:00.000Z (C11); set the clock of this machine if",
            ),
            id="ahead of all",
        ),
    ],
)
def test_a_clock_that_the_world_contradicts_is_a_fault(witnesses: list[Witness], parts: tuple[str, ...]) -> None:
    """The sentence has both instants, ours and the world's (C11)."""
    fault = find_clock_fault(witnesses, now=NOW)

    assert [part for part in parts if part not in str(fault)] == []
