"""Milliseconds of any instant, counted by leap years."""

import re

_INSTANT = re.compile(r"([+-]?\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d\d\d)Z")
_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def milliseconds(text: str) -> int:
    """Milliseconds since 1970 of an instant in the proleptic Gregorian calendar."""
    found = _INSTANT.fullmatch(text)
    assert found, text
    year, month, day, hour, minute, second, thousandth = (int(part) for part in found.groups())
    days = _days_before(year) - _days_before(1970) + sum(_MONTHS[: month - 1]) + day - 1
    days += month > 2 and _days_before(year + 1) - _days_before(year) == 366
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + thousandth


def _days_before(year: int) -> int:
    """Days from the year 1 to the first day of a year."""
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400
