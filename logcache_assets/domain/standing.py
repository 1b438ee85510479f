"""The standing checks of published caches: what must stay true of a cache for as long as runs read it.

A refresh proves a cache once. Afterwards the world goes on: segments are extracted again, files are removed, the map is
edited, time passes. Each check sorts problems that other modules find; it has no rule of its own but the age.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.documents import Document
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.wording import count_of

REFRESH = "refresh it: logcache refresh"
HOURS_OF_A_DAY = 24


class StandingCheck(StrEnum):
    """The checks, by the names that Dagit shows."""

    SEGMENTS = "segments_complete"
    PERSONAL_DATA = "personal_data_current"
    FILES = "files_intact"
    MAP = "map_canonical"
    FRESH = "fresh_enough"


SENTENCES: Mapping[StandingCheck, str] = {
    StandingCheck.SEGMENTS: "The segments of the index continue every cached log without a gap or an overlap.",
    StandingCheck.PERSONAL_DATA: (
        "No segment that a cache holds was extracted again since it was read; so no deleted personal data is in it."
    ),
    StandingCheck.FILES: "Every file of every cache is there, and is what its manifest says.",
    StandingCheck.MAP: "The map on the base branch is canonical, and every entry names a manifest.",
    StandingCheck.FRESH: "No cache is older than the deployment allows.",
}
"""What is true of a database's published caches when a check passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one standing check found of the published caches of one database."""

    check: StandingCheck
    database: str
    problems: tuple[Problem, ...]
    """Why it failed; empty if it passed."""
    passed_sentence: str
    """What is told if it passed."""
    figures: Mapping[str, int | float]
    """Numbers under names that never change, so that they can be plotted."""
    makes_refresh_due: bool = False
    """True if a new cache ends what was found; otherwise the index or the map must be corrected."""

    @property
    def passed(self) -> bool:
        """True if nothing was found."""
        return not self.problems

    @property
    def sentence(self) -> str:
        """How many problems there are, if several, and the first; or what is told if it passed."""
        if not self.problems:
            return self.passed_sentence
        several = f"{count_of(len(self.problems), 'problem')}, first " if self.problems[1:] else ""
        return f"{several}{self.problems[0]}"


class StandingReport(Document, frozen=True, kw_only=True):
    """What the last standing checks of all published caches say about the next refresh."""

    base_sha: str
    """The commit on the base branch whose map they read; of another one nothing is known."""
    due: str | None
    """Why a new cache is due, in a clause; None if no check asks for one."""


def find_aged(instance: str, *, source_read_at: datetime, now: datetime, limit: timedelta) -> Iterator[Problem]:
    """A cache that was read too long ago."""
    if now - source_read_at > limit:
        yield Problem(
            subjects=(instance,),
            found=(f"its cache was read {age_text(now - source_read_at)} ago, at {utc_text(source_read_at)}",),
            why=f"a cache shall be no older than {age_text(limit)}",
            remedy=REFRESH,
        )


def age_text(age: timedelta) -> str:
    """`7 hours`, `3 days`: whole hours up to two days, whole days from then on."""
    hours = int(age.total_seconds() // 3600)
    return count_of(hours, "hour") if hours < 2 * HOURS_OF_A_DAY else count_of(hours // HOURS_OF_A_DAY, "day")


def find_due(findings: Iterable[Finding]) -> str | None:
    """Why the standing checks make a refresh due, in a clause; None if they do not."""
    due = [finding for finding in findings if finding.makes_refresh_due]
    if not due:
        return None
    more = f" (and {count_of(len(due) - 1, 'more check')} failed)" if due[1:] else ""
    found = msgspec.structs.replace(due[0].problems[0], remedy="")
    return f"the published cache fails {due[0].check} of {due[0].database}: {found}{more}"
