"""Says on a pull request's page whether it may be merged now, and keeps that true while it is open.

An excision pushes nothing, so no check of the repository's host would run again: whoever watches asks here.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

from logcache_assets.domain.documents import Candidate
from logcache_assets.domain.merge_status import (
    MergeStatus,
    approved_status,
    doubtful_status,
    obstructed_status,
    untouched_status,
    unvalidated_status,
)
from logcache_assets.domain.problems import Problem
from logcache_assets.errors import LogCacheError, Unavailable, WrongData
from logcache_assets.ports import PullRequest
from logcache_assets.refresh.find_candidate import find_candidate
from logcache_assets.refresh.judge_merge import MergeJudge
from logcache_assets.refresh.publish import Publisher, find_evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPullRequest:
    """Whether a pull request may be merged now."""

    pull_request: PullRequest
    changes_map: bool
    problems: tuple[Problem, ...]
    """Reasons not to merge it."""
    status: MergeStatus
    """What its page shall say."""
    is_new: bool = False
    """True if the page said something else before."""


@dataclass(frozen=True, slots=True)
class StatusKeeper:
    """Judges open pull requests and sets their status."""

    publisher: Publisher
    """Reads the state that is judged."""

    def judge(self, shown: PullRequest) -> JudgedPullRequest:
        """Judge the newest commit of a pull request; what is malformed forbids to merge it, an outage is raised."""
        judge = MergeJudge(self.publisher)
        ref = judge.ref_of(shown)
        try:
            changes_map = judge.changes_map(ref)
            problems = judge.find_problems(ref) if changes_map else ()
            status = self._status(ref, changes_map=changes_map, problems=problems)
        except WrongData as error:
            changes_map, problems = True, (Problem(found=(f"it cannot be judged: {error}",)),)
            status = obstructed_status(problems, url=None)
        return JudgedPullRequest(pull_request=shown, changes_map=changes_map, problems=problems, status=status)

    def keep(self, shown: PullRequest) -> JudgedPullRequest:
        """Judge a pull request, and set the status of the commit that was judged unless its page says the same.

        If its branch moved meanwhile nothing is said: what was read may be of either commit. If nobody can judge it,
        the page does not go on to say that it may be merged; the outage is raised.
        """
        repository = self.publisher.repository
        try:
            judged = self.judge(shown)
        except Unavailable:
            with suppress(LogCacheError):  # the outage is what must be told
                self._doubt(shown)
            raise
        has_moved = repository.head(shown.branch) not in {None, shown.head_sha}
        if has_moved or repository.merge_status(shown.head_sha) == judged.status:
            return judged
        repository.set_merge_status(shown.head_sha, judged.status)
        return replace(judged, is_new=True)

    def _doubt(self, shown: PullRequest) -> None:
        """Take back what the page says if it is that the commit may be merged."""
        former = self.publisher.repository.merge_status(shown.head_sha)
        if former is not None and former.state == "success":
            self.publisher.repository.set_merge_status(shown.head_sha, doubtful_status(former))

    def _status(self, ref: str, *, changes_map: bool, problems: tuple[Problem, ...]) -> MergeStatus:
        if not changes_map:
            return untouched_status()
        publisher, candidate = self.publisher, self._candidate(ref)
        url = publisher.report_link(candidate) if candidate else None
        if problems:
            return obstructed_status(problems, url=url)
        verdict, _ = find_evidence(candidate, publisher) if candidate else (None, None)
        return approved_status(verdict, url=url) if verdict else unvalidated_status()

    def _candidate(self, ref: str) -> Candidate | None:
        """The candidate whose report is linked; None if no refresh made the commit, or its map cannot be read."""
        publisher = self.publisher
        try:
            return find_candidate(ref, publisher.store, publisher.repository, publisher.settings.locations)
        except WrongData:
            return None
