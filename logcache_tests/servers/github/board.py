"""What the stand-in keeps beside git: pull requests, comments, reviews, statuses, and the rules of branches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from logcache_tests.servers.github.bare import Bare


@dataclass(kw_only=True)
class Request:
    """A pull request."""

    number: int
    author: str
    title: str
    body: str | None
    branch: str
    base: str
    head_sha: str
    created_at: datetime
    fork: str | None = None
    """Owner of the fork that its branch is of."""
    state: str = "open"
    merged_at: datetime | None = None
    merge_sha: str | None = None
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    comments: list[tuple[str, str]] = field(default_factory=list)
    """Who said what."""
    reviews: list[tuple[str, str]] = field(default_factory=list)
    """Who reviewed, with which state."""


@dataclass(kw_only=True)
class Status:
    """A status of a commit."""

    number: int
    sha: str
    name: str
    state: str
    description: str | None
    url: str | None
    creator: str
    at: datetime


@dataclass
class Board:
    """Everything of one repository that is not in git."""

    bare: Bare
    now: Callable[[], datetime]
    requests: dict[int, Request] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    required: list[str] = field(default_factory=list)
    """Names of statuses that the base branch's protection requires."""
    ruled: list[str] = field(default_factory=list)
    """Names of statuses that a ruleset requires."""
    protected: set[str] = field(default_factory=set)
    """Branches that nobody may move by the API."""
    is_archived: bool = False

    def look(self) -> None:
        """See what git says: branches that moved, and commits that came into the base by a push."""
        heads = self.bare.heads()
        for request in self.requests.values():
            if request.state != "open" or request.fork:
                continue
            head = heads.get(request.branch)
            if head is None:
                request.state = "closed"
                continue
            request.head_sha = head
            base = heads.get(request.base)
            if base and self.bare.is_ancestor(head, base):
                request.state, request.merged_at, request.merge_sha = "closed", self.now(), head

    def open(self, **fields: Any) -> Request:  # noqa: ANN401 - those of Request
        """Open a pull request."""
        number = len(self.requests) + 1
        self.requests[number] = Request(number=number, created_at=self.now(), **fields)
        return self.requests[number]

    def say(self, *, sha: str, name: str, state: str, description: str | None, url: str | None, creator: str) -> Status:
        """Add a status."""
        number = len(self.statuses) + 1
        status = Status(
            number=number,
            sha=sha,
            name=name,
            state=state,
            description=description,
            url=url,
            creator=creator,
            at=self.now(),
        )
        self.statuses.append(status)
        return status

    def newest_statuses(self, sha: str) -> dict[str, Status]:
        """Name → the newest status of a commit."""
        return {status.name: status for status in self.statuses if status.sha == sha}
