"""When a refresh may be published."""

from datetime import UTC, datetime, time

import pytest

from logcache_assets.domain.publish_window import PublishWindow
from logcache_tests.domain.samples import READ_AT


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        pytest.param(time(12, 59, 59, 999999), False, id="just before"),
        pytest.param(time(13, 0), True, id="at its start"),
        pytest.param(time(18, 0), True, id="in the middle"),
        pytest.param(time(22, 59, 59, 999999), True, id="just before its end"),
        pytest.param(time(23, 0), False, id="at its end"),
        pytest.param(time(0, 0), False, id="midnight"),
    ],
)
def test_the_publish_window_holds_its_start_and_not_its_end(*, at: time, inside: bool) -> None:
    """13:00 to 23:00 UTC: outside of it contracts are computed."""
    window = PublishWindow(start_hour=13, end_hour=23)

    assert window.holds(datetime.combine(READ_AT, at, tzinfo=UTC)) is inside
    assert str(window) == "13:00-23:00 UTC"


def test_a_window_of_a_whole_day_holds_every_hour() -> None:
    """0 to 24 switches the rule off."""
    window = PublishWindow(start_hour=0, end_hour=24)

    assert all(window.holds(READ_AT.replace(hour=hour)) for hour in range(24))
