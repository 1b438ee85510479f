"""Pull requests of the repository: found, opened, brought up to date, closed; and the status of their commits.

Each write looks first, so it can be done again. 422 often means that somebody, or a lost request of our own, was first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from logcache_assets.adapters.github.access import Audience
from logcache_assets.adapters.github.answers import (
    Answer,
    Comment,
    FoundInRepository,
    FoundPull,
    Pull,
    Review,
    Status,
    Statuses,
)
from logcache_assets.adapters.github.api import GitHubApi
from logcache_assets.adapters.github.faults import GitHubRefused
from logcache_assets.domain.merge_status import STATUS_NAME, MergeStatus
from logcache_assets.ports import PullRequest, RepositoryWrongData

OPEN_PULL_REQUESTS = """\
query OpenPullRequests($owner: String!, $name: String!, $base: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequests(
      states: [OPEN], baseRefName: $base, first: 50, after: $after, orderBy: {field: CREATED_AT, direction: DESC}
    ) {
      pageInfo { hasNextPage endCursor }
      nodes {
        number url title body headRefName headRefOid changedFiles
        headRepository { nameWithOwner }
        files(first: 100) { nodes { path } }
      }
    }
  }
}
"""
"""The REST API would need a request for each pull request to tell what it changes."""
_STATES: Mapping[str, Literal["success", "pending"]] = {"success": "success", "pending": "pending"}
"""GitHub's states that are not a failure."""


@dataclass(frozen=True, slots=True)
class PullRequests:
    """The pull requests into one branch."""

    api: GitHubApi
    base: str
    audience: Audience

    def numbered(self, number: int) -> Pull:
        """The pull request with this number; raises RepositoryWrongData if there is none into this branch."""
        found = self.api.find(f"pulls/{number}", Pull)
        if found is None:
            raise RepositoryWrongData(f"pull request {number} does not exist; name an open one")
        if found.base.ref != self.base:
            raise RepositoryWrongData(
                f"pull request {number} goes into {found.base.ref}, not into {self.base}; name another one"
            )
        return found

    def open_of(self, branch: str) -> Pull | None:
        """The open pull request of a branch of this repository; None when it has none."""
        # A bare name would be passed over, and the list would have all.
        head = f"{self.api.access.owner}:{branch}"
        found = self.api.pages("pulls", Pull, state="open", head=head, base=self.base)
        return next((pull for pull in found if self.branch_of(pull) == branch), None)

    def changing(self, path: str) -> Iterator[PullRequest]:
        """The open pull requests that change a file, newest first: one request for many, whatever they change."""
        owner, _, name = self.api.access.repository.partition("/")
        variables: dict[str, object] = {"owner": owner, "name": name, "base": self.base, "after": None}
        while True:
            answer = self.api.query(OPEN_PULL_REQUESTS, variables, FoundInRepository)
            page = answer.repository.pull_requests
            yield from (self._listed(found) for found in page.nodes if _may_change(found, path))
            if not page.page_info.has_next_page:
                return
            variables["after"] = page.page_info.end_cursor

    def _listed(self, found: FoundPull) -> PullRequest:
        origin = found.head_repository.name_with_owner if found.head_repository else None
        return PullRequest(
            number=found.number,
            url=found.url,
            branch=self._own_branch(found.head_ref_name, origin),
            title=found.title,
            body=found.body,
            state="open",
            head_sha=found.head_ref_oid,
        )

    def branch_of(self, pull: Pull) -> str:
        """The branch of a pull request; one of a fork has the fork's owner in front, so it is no branch of ours."""
        return self._own_branch(pull.head.ref, pull.head.repo.full_name if pull.head.repo else None)

    def _own_branch(self, branch: str, origin: str | None) -> str:
        if origin is not None and origin.lower() == self.api.access.repository.lower():
            return branch
        return f"{(origin or 'unknown').partition('/')[0]}:{branch}"

    def open(self, branch: str, *, title: str, body: str) -> Pull:
        """Open the pull request of a branch; the open one if somebody was first."""
        sent = {"title": title, "body": body, "head": branch, "base": self.base}
        try:
            return self.api.post("pulls", Pull, sent)
        except GitHubRefused as refused:
            if refused.refusal.says("no commits between"):
                raise RepositoryWrongData(
                    f"{self.base} already holds everything on {branch}: there is nothing to propose"
                ) from refused
            found = self.open_of(branch) if refused.refusal.is_unprocessable else None
            if found is None:
                raise
            return self.updated(found, title=title, body=body)

    def updated(self, pull: Pull, *, title: str, body: str) -> Pull:
        """The pull request with this text."""
        if (pull.title, _lines(pull.body)) == (title, _lines(body)):
            return pull
        return self.api.patch(f"pulls/{pull.number}", Pull, {"title": title, "body": body})

    def show_to_audience(self, pull: Pull) -> None:
        """Give it the labels that it lacks, and ask the reviewers who were not asked yet."""
        shown = {label.name.lower() for label in pull.labels}
        if labels := [label for label in self.audience.labels if label.lower() not in shown]:
            self._show(pull, f"issues/{pull.number}/labels", {"labels": labels}, setting="LOGCACHE_GITHUB_LABELS")
        if sent := self._unasked(pull):
            setting = "LOGCACHE_GITHUB_REVIEWERS and LOGCACHE_GITHUB_TEAM_REVIEWERS"
            self._show(pull, f"pulls/{pull.number}/requested_reviewers", sent, setting=setting)

    def _show(self, pull: Pull, path: str, sent: dict[str, list[str]], *, setting: str) -> None:
        try:
            self.api.post(path, object, sent)
        except GitHubRefused as refused:
            names = ", ".join(name for names in sent.values() for name in names)
            raise RepositoryWrongData(
                f"pull request {pull.number} is open, but GitHub refused {names} ({refused.refusal.words}); correct "
                f"{setting}, then run again"
            ) from refused

    def _unasked(self, pull: Pull) -> dict[str, list[str]]:
        """Whom to ask for a review; nobody once somebody reviewed, because GitHub then takes people off its list."""
        asked = {person.login.lower() for person in pull.requested_reviewers or ()}
        author = pull.user.login.lower() if pull.user else ""
        people = [login for login in self.audience.reviewers if login.lower() not in {*asked, author}]
        teams_asked = {team.slug.lower() for team in pull.requested_teams or ()}
        teams = [slug for slug in self.audience.team_reviewers if slug.lower() not in teams_asked]
        sent = {name: names for name, names in (("reviewers", people), ("team_reviewers", teams)) if names}
        if sent and any(True for _ in self.api.pages(f"pulls/{pull.number}/reviews", Review)):
            return {}
        return sent

    def close(self, pull: Pull, *, comment: str) -> None:
        """Close an open pull request with a comment."""
        said = self.api.pages(f"issues/{pull.number}/comments", Comment)
        if all(_lines(other.body) != _lines(comment) for other in said):
            self.api.post(f"issues/{pull.number}/comments", Comment, {"body": comment})
        self.api.patch(f"pulls/{pull.number}", Answer, {"state": "closed"})

    def status_of(self, sha: str) -> MergeStatus | None:
        """The status of a commit under our name; None if it has none."""
        shown = next((status for status in self._statuses(sha) if status.context == STATUS_NAME), None)
        if shown is None:
            return None
        return MergeStatus(
            state=_STATES.get(shown.state, "failure"),
            sentence=shown.description or "",
            url=shown.target_url or None,
        )

    def _statuses(self, sha: str) -> Iterator[Status]:
        """The newest status of each name, which may be more than a page."""
        number, seen = 1, 0
        while True:
            page = self.api.find(f"commits/{sha}/status", Statuses, per_page=100, page=number)
            if page is None:
                raise RepositoryWrongData(f"{self.api.access.repository} has no commit {sha}; name one that exists")
            yield from page.statuses
            number, seen = number + 1, seen + len(page.statuses)
            if not page.statuses or seen >= page.total_count:
                return

    def set_status(self, sha: str, status: MergeStatus) -> None:
        """Give a commit this status."""
        sent = {"state": status.state, "context": STATUS_NAME, "description": status.sentence}
        self.api.post(f"statuses/{sha}", Answer, sent | ({"target_url": status.url} if status.url else {}))

    def shown(self, pull: Pull) -> PullRequest:
        """The pull request as the port shows it."""
        return PullRequest(
            number=pull.number,
            url=pull.html_url,
            branch=self.branch_of(pull),
            title=pull.title,
            body=pull.body or "",
            state="merged" if pull.merged_at else pull.state,
            head_sha=pull.head.sha,
        )


def _may_change(found: FoundPull, path: str) -> bool:
    """True if a pull request changes a file, or so many files that not all are told."""
    told = found.files.nodes if found.files else ()
    return found.changed_files > len(told) or any(file.path == path for file in told)


def _lines(text: str | None) -> list[str]:
    """Lines without their ends, which a web form changes."""
    return (text or "").rstrip().splitlines()
