"""How the report writes numbers, shares, days and sentences, in HTML and Markdown alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

NOTHING = "–"  # noqa: RUF001 - a dash is meant
"""Stands for what is not known."""
CLAUSES = 6
"""So many clauses of a sentence are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule or a verdict says: its first clause, and what it lists after that."""

    lead: str
    clauses: tuple[str, ...]
    more: int
    """Clauses left out."""
    subject: str = ""
    """The contract that it is about, or the first of several and how many more."""
    anchor: str | None = None
    """Of that contract on the page."""

    def left_out(self, shown: int) -> int:
        """Clauses that are not among the first `shown`."""
        return len(self.clauses[shown:]) + self.more


def show_clauses(clauses: Sequence[str], *, subject: str = "", anchor: str | None = None) -> Finding:
    """The first clause leads: a cause, then rows, then columns."""
    lead, *rest = clauses
    more = len(rest[CLAUSES:])
    return Finding(lead=lead, clauses=tuple(rest[:CLAUSES]), more=more, subject=subject, anchor=anchor)


def show_number(number: float | None) -> str:
    """With thousands separators: `1,234,567`."""
    return NOTHING if number is None else f"{int(number):,}"


def show_share(share: float | None) -> str:
    """Never rounds a difference away: 99.996 % is not 100 %, and one row of a million is not 0 %."""
    if share is None:
        return NOTHING
    text = f"{share:.2%}"
    if text == "100.00%" and share < 1:
        return "< 100%"
    if text == "0.00%" and share > 0:
        return "> 0%"
    return text


def show_day(moment: datetime) -> str:
    """`2018-05-28`, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def show_moment(moment: datetime) -> str:
    """`2018-05-28 14:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def show_range(first: int | None, last: int | None) -> str:
    """`4,100 to 4,200`, or the one t."""
    if first is None or last is None:
        return NOTHING
    return show_number(first) if first == last else f"{show_number(first)} to {show_number(last)}"


def show_prototype(instance: str) -> str:
    """`s0` of `feed-s0`, where the database is named beside it."""
    return instance.rpartition("-")[2]
