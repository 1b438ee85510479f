"""The times of the local world."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.local_platform.timeline import (
    DAY,
    EARLIEST,
    MORNING,
    NIGHT,
    last_at_or_before,
    newest_extraction,
    next_at,
    plan_night,
)
from logcache_assets.settings import Settings
from logcache_tests.domain.samples import segment

INSTANTS = st.datetimes(timezones=st.just(UTC)).filter(lambda instant: 1 < instant.year < 9999)
HOURS = st.sampled_from([NIGHT, MORNING, DAY])


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of May 2018."""
    return datetime(2018, 5, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "hour", "following"),
    [
        pytest.param(at(24, 0, 29), NIGHT, at(24, 0, 30), id="later the same day"),
        pytest.param(at(24, 0, 30), NIGHT, at(25, 0, 30), id="never the same instant"),
        pytest.param(at(24, 13, 30), DAY, at(24, 14), id="half an hour on"),
        pytest.param(at(31, 14), DAY, datetime(2018, 6, 1, 14, tzinfo=UTC), id="over the end of a month"),
    ],
)
def test_the_next_time_of_day_is_strictly_later(instant: datetime, hour: time, following: datetime) -> None:
    """So a second `local day` is another day."""
    assert next_at(instant, hour) == following


@pytest.mark.parametrize(
    ("instant", "last"),
    [
        pytest.param(at(24, 0, 29), at(23, 0, 30), id="the day before"),
        pytest.param(at(24, 0, 30), at(24, 0, 30), id="the same instant"),
        pytest.param(at(24, 23), at(24, 0, 30), id="earlier the same day"),
    ],
)
def test_the_last_time_of_day_may_be_now(instant: datetime, last: datetime) -> None:
    """The result is at or before the given instant."""
    assert last_at_or_before(instant, NIGHT) == last


@given(instant=INSTANTS, hour=HOURS)
def test_times_of_day_are_less_than_a_day_away(instant: datetime, hour: time) -> None:
    """For every instant: at that hour, one day apart, with the instant between."""
    before, after = last_at_or_before(instant, hour), next_at(instant, hour)

    assert before <= instant < after
    assert after - before == timedelta(days=1)
    assert before.timetz() == after.timetz() == hour


def test_the_newest_extraction_is_the_latest_timestamp() -> None:
    """It does not depend on t; without segments it is long ago."""
    segments = [segment(0, 10, extracted_at=at(3, 9)), segment(10, 20, extracted_at=at(2, 9))]

    assert newest_extraction(segments) == at(3, 9)
    assert newest_extraction([]) == EARLIEST


@pytest.mark.parametrize(
    ("read", "delivered", "night"),
    [
        pytest.param(at(10, 9), at(20, 9), at(20, 0, 30), id="as late as possible before the delivery"),
        pytest.param(at(10, 9), at(10, 11), at(11, 0, 30), id="never before what it read was there"),
        pytest.param(at(10, 9), at(5, 9), at(11, 0, 30), id="extractors lag"),
    ],
)
def test_the_night_comes_before_the_day_it_did_not_see(read: datetime, delivered: datetime, night: datetime) -> None:
    """After everything it read was extracted, and as late as possible before what the day delivered."""
    planned = plan_night(
        before=[segment(0, 10, extracted_at=read)], delivered_next=[segment(10, 20, extracted_at=delivered)]
    )

    assert planned == night


def test_a_night_is_planned_though_no_day_follows() -> None:
    """The first night after what it read."""
    assert plan_night(before=[segment(0, 10, extracted_at=at(10, 9))], delivered_next=[]) == at(11, 0, 30)


def test_a_day_ends_inside_the_publish_window_and_a_morning_too() -> None:
    """A refresh after `local day` or `local night` may be published, under the default settings."""
    window = Settings().publish_window

    assert window.holds(at(24, DAY.hour, DAY.minute))
    assert window.holds(at(24, MORNING.hour, MORNING.minute))
    assert not window.holds(at(24, NIGHT.hour, NIGHT.minute))
