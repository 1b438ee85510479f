"""The local world's date."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.ports import ClockUnavailable, ClockWrongData
from logcache_tests.adapters.repaired_reads import RepairedReads


def test_the_date_that_was_set_is_now(tmp_path: Path) -> None:
    """Another process reads what one set, and the file is a line that a person can read."""
    instant = datetime(2018, 5, 28, 14, 20, 23, 944000, tzinfo=UTC)

    LocalClock(tmp_path / "world" / "now").set(instant)

    assert LocalClock(tmp_path / "world" / "now").now() == instant
    assert (tmp_path / "world" / "now").read_text() == "2018-05-28T14:20:23.944Z\n"
    assert sorted(path.name for path in (tmp_path / "world").iterdir()) == ["now", "now_history"]


def test_another_time_zone_becomes_utc(tmp_path: Path) -> None:
    """The file always says UTC."""
    LocalClock(tmp_path / "now").set(datetime(2018, 5, 28, 11, 0, tzinfo=timezone(timedelta(hours=-3))))

    assert (tmp_path / "now").read_text() == "2018-05-28T14:00:00.000Z\n"


def test_a_date_without_time_zone_is_refused(tmp_path: Path) -> None:
    """A naive date is a guess, and the world keeps the date it had."""
    with pytest.raises(BadInput, match="time zone"):
        LocalClock(tmp_path / "now").set(datetime(2018, 5, 28))  # noqa: DTZ001 - what is refused

    assert not (tmp_path / "now").exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no file"),
        pytest.param(b"", id="empty"),
        pytest.param(b"yesterday", id="no date"),
        pytest.param(b"2018-05-28T14:00:00", id="no zone"),
        pytest.param(b"2018-05-28T14:00:00-03:00", id="not UTC"),
        pytest.param(b"\xff\xfe", id="not text"),
    ],
)
def test_a_date_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    """The error names the file and the remedy."""
    if content is not None:
        (tmp_path / "now").write_bytes(content)

    with pytest.raises(ClockWrongData, match=r"now.*logcache local reset"):
        LocalClock(tmp_path / "now").now()


def test_a_date_that_cannot_be_read_now_is_unavailable(tmp_path: Path) -> None:
    """The computer could not open the file, which says nothing of what is in it."""
    (tmp_path / "now").symlink_to("now")

    with pytest.raises(ClockUnavailable, match=r"now: the world's date cannot be read .*; run again"):
        LocalClock(tmp_path / "now", reads=RepeatedReads(attempts=2, first_pause_seconds=0)).now()


def test_a_date_that_could_not_be_read_is_read_again(tmp_path: Path) -> None:
    """A short outage is not noticed."""
    instant, path = datetime(2018, 5, 28, tzinfo=UTC), tmp_path / "now"
    path.symlink_to("now")

    assert LocalClock(path, reads=RepairedReads(repair=lambda: LocalClock(path).set(instant))).now() == instant
