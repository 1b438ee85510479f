"""The attempts of a refresh: one document for each, written when it begins and again when it ends.

An attempt whose document has no end was killed, unless its process still works.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from logcache_assets.domain.contract_definitions import definition_path
from logcache_assets.domain.documents import Document


class End(StrEnum):
    """How an attempt ended."""

    PUBLISHED = "published"
    """Its pull request is open."""
    REFUSED = "refused"
    """By what it read; the same again as long as that is the same."""
    OUTDATED = "outdated"
    """The base branch moved while it worked."""
    NOT_YET = "not yet"
    """It is prepared, and time alone lifts the refusal: the window opens, a run of others ends."""
    UNANSWERED = "unanswered"
    """The world could not answer."""
    FAILED = "failed"
    """With a defect of the program."""
    INTERRUPTED = "interrupted"
    """Somebody or something ended it."""


class Attempt(Document, frozen=True, kw_only=True):
    """One run of a refresh."""

    transaction: str
    """The nightly transaction of the refresh."""
    selection: str
    number: int
    """1 for the first attempt at this night and selection."""
    started_at: datetime
    base_sha: str
    read_t: dict[str, int]
    """Instance → newest t of the segment index when it began."""
    inputs: dict[str, str]
    """What it read → digest, as that was when it began; the index up to `read_t`."""
    ended_at: datetime | None = None
    end: End | None = None
    """None while it works, and for ever if it was killed."""
    stage: str = ""
    """Where it ended."""
    reason: str = ""
    """The message with which it ended."""
    left_out: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it
    """Database that it did not refresh → why."""


def find_changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the inputs that differ."""
    return tuple(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))


def changes_of(databases: Collection[str], changes: Iterable[str]) -> tuple[str, ...]:
    """Those changed inputs that may let databases be refreshed which were left out."""
    own = tuple(f"{kind} of {name}-" for name in databases for kind in ("the entry", "the log"))
    files = {f"the definitions ({definition_path(name)})" for name in databases}
    return tuple(name for name in changes if name.startswith((*own, "the rules")) or name in files)


def count_failures(attempts: Sequence[Attempt]) -> int:
    """How many attempts in a row, up to the last, ended by accident: unanswered, failed, interrupted or killed."""
    accidents = (None, End.UNANSWERED, End.FAILED, End.INTERRUPTED)
    number = 0
    for attempt in reversed(attempts):
        if attempt.end not in accidents:
            break
        number += 1
    return number
