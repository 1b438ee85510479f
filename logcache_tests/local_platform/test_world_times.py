"""The local world's time of objects that a real clock stamped."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logcache_assets.errors import BadInput
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.local_platform.world_times import WorldTimes

NIGHT, DAY = datetime(2018, 5, 24, 2, 30, tzinfo=UTC), datetime(2018, 5, 24, 14, 0, tzinfo=UTC)
REAL = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "date"),
    [
        pytest.param(timedelta(days=-1), NIGHT, id="older than the world"),
        pytest.param(timedelta(0), NIGHT, id="in its first second"),
        pytest.param(timedelta(seconds=9), DAY, id="the second in which the next date begins"),
        pytest.param(timedelta(seconds=11), DAY, id="after it began"),
        pytest.param(timedelta(seconds=8), NIGHT, id="before it"),
    ],
)
def test_an_instant_has_the_date_that_the_world_had_then(tmp_path: Path, after: timedelta, date: datetime) -> None:
    """S3 cuts instants to seconds, so within that second the later date counts."""
    lines = f"{REAL.timestamp():.3f} {NIGHT.isoformat()}\n{REAL.timestamp() + 9.5:.3f} {DAY.isoformat()}\n"
    (tmp_path / "history").write_text(lines)

    assert WorldTimes(tmp_path / "history")(REAL + after) == date


def test_a_clock_writes_its_history(tmp_path: Path) -> None:
    """What is written now has the date that was set last."""
    clock = LocalClock(tmp_path / "clock")
    clock.set(NIGHT)
    clock.set(DAY)

    assert WorldTimes(tmp_path / "clock_history")(datetime.now(UTC)) == DAY


def test_without_a_history_there_is_no_world(tmp_path: Path) -> None:
    """The message says how to make one."""
    with pytest.raises(BadInput, match="logcache local reset"):
        WorldTimes(tmp_path / "none")(REAL)
