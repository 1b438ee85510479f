"""Formats numbers, shares, times and findings, for HTML and Markdown alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

NOTHING = "–"  # noqa: RUF001 - a dash is meant
"""Shown for unknown values."""
CLAUSES = 6
"""Clauses shown of a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A statement of a rule or a verdict: its first clause, then the details."""

    lead: str
    clauses: tuple[str, ...]
    more: int
    """Number of clauses left out."""
    subject: str = ""
    """The contract it is about, or the first of several and the number of others."""
    anchor: str | None = None
    """That contract's anchor on the page."""

    def left_out(self, shown: int) -> int:
        """Number of clauses beyond the first `shown`."""
        return len(self.clauses[shown:]) + self.more


def show_clauses(clauses: Sequence[str], *, subject: str = "", anchor: str | None = None) -> Finding:
    """Make a Finding: the first clause leads, the next few follow, and the rest are counted."""
    lead, *rest = clauses
    more = len(rest[CLAUSES:])
    return Finding(lead=lead, clauses=tuple(rest[:CLAUSES]), more=more, subject=subject, anchor=anchor)


def show_number(number: float | None) -> str:
    """A number with thousands separators, such as `1,234,567`."""
    return NOTHING if number is None else f"{int(number):,}"


def show_share(share: float | None) -> str:
    """A share in percent that never rounds a difference away: 99.996 % is `< 100%`, one row of a million `> 0%`."""
    if share is None:
        return NOTHING
    text = f"{share:.2%}"
    if text == "100.00%" and share < 1:
        return "< 100%"
    if text == "0.00%" and share > 0:
        return "> 0%"
    return text


def show_day(moment: datetime) -> str:
    """The day in UTC, such as `2018-05-28`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def show_moment(moment: datetime) -> str:
    """The minute in UTC, such as `2018-05-28 14:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def show_range(first: int | None, last: int | None) -> str:
    """A range of t, such as `4,100 to 4,200`; a single t if both are equal."""
    if first is None or last is None:
        return NOTHING
    return show_number(first) if first == last else f"{show_number(first)} to {show_number(last)}"


def show_prototype(instance: str) -> str:
    """The prototype of an instance: `s0` of `feed-s0`."""
    return instance.rpartition("-")[2]
