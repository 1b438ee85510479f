"""What a pull request's page says of its commit: whether it may be merged now, in one sentence."""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from logcache_assets.domain.documents import Verdict
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.problems import Problem

STATUS_NAME = "log cache validation"
"""The name of the status, which the protection of the base branch requires."""
_SENTENCE_CHARACTERS = 140
"""The longest description of a status that GitHub keeps."""
_TIME_OF_DAY = re.compile(r"\bit is \d\d:\d\d UTC, ")
_PASSING = frozenset({"C11"})
"""Codes of what waiting remedies."""


class MergeStatus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The status of one commit."""

    state: Literal["success", "pending", "failure"]
    """`pending` where only the hour, or a run of others, is in the way."""
    sentence: str
    url: str | None = None
    """Of the report, if a browser can open it."""


def approved_status(verdict: Verdict, *, url: str | None) -> MergeStatus:
    """The status of a candidate that may be merged now."""
    count = len(verdict.contracts)
    warnings = f", {len(verdict.warnings)} warnings to read" if verdict.warnings else ""
    return _status("success", f"Approved: {count} contracts are as the log says{warnings}", url)


def unvalidated_status() -> MergeStatus:
    """The status of a change that no refresh made, and that may be merged now."""
    return _status("success", "Its entries were active before, or are proven by their manifests", None)


def untouched_status() -> MergeStatus:
    """The status of a commit that leaves the map as it is."""
    return _status("success", "It leaves the log cache map as it is", None)


def obstructed_status(problems: Sequence[Problem], *, url: str | None) -> MergeStatus:
    """The status of a commit that must not be merged now; the problems are the reasons."""
    first, more = problems[0], len(problems) - 1
    ending = f" (and {more} more)" if more else ""
    # The time of the judgement would make each status a new one, and a commit takes a thousand of them at most.
    lasting = _TIME_OF_DAY.sub("it is ", str(first))
    sentence = shortened(lasting, _SENTENCE_CHARACTERS - len(ending)) + ending
    waits = {problem.code for problem in problems} <= _PASSING
    return _status("pending" if waits else "failure", sentence, url)


def doubtful_status(former: MergeStatus) -> MergeStatus:
    """The status of a commit that was approved, and that nobody can judge again now."""
    return _status(
        "pending", "An outside system does not answer, so nobody knows whether it may still be merged", former.url
    )


def _status(state: Literal["success", "pending", "failure"], sentence: str, url: str | None) -> MergeStatus:
    return MergeStatus(state=state, sentence=shortened(sentence, _SENTENCE_CHARACTERS), url=url)
