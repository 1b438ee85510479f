"""What a repository on GitHub says of itself and of our rights there, for `logcache doctor`."""

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from logcache_assets.adapters.github.answers import Answer, Named
from logcache_assets.adapters.github.api import GitHubApi
from logcache_assets.adapters.github.faults import GitHubRefused
from logcache_assets.domain.repository_health import RepositoryRights


class _Checks(Answer, frozen=True, kw_only=True):
    contexts: tuple[str, ...] = ()


class _Protection(Answer, frozen=True, kw_only=True):
    required_status_checks: _Checks | None = None


class _Branch(Answer, frozen=True, kw_only=True):
    protection: _Protection | None = None


class _Check(Answer, frozen=True, kw_only=True):
    context: str


class _Parameters(Answer, frozen=True, kw_only=True):
    required_status_checks: tuple[_Check, ...] = ()


class _Rule(Answer, frozen=True, kw_only=True):
    type: str
    parameters: _Parameters | None = None


class GitHubFacts:
    """Questions about the repository; nothing but `try_writing` writes.

    Args:
        api: of the repository.
        base_branch: the branch whose map is active.
    """

    def __init__(self, api: GitHubApi, base_branch: str) -> None:
        self._api = api
        self._base = base_branch

    def rights(self) -> RepositoryRights:
        """What we may do there."""
        about = self._api.about
        return RepositoryRights(
            repository=about.full_name,
            is_archived=about.archived,
            may_push=about.permissions is None or about.permissions.push,
            of_app=self._api.app_permissions(),
        )

    def required_statuses(self) -> frozenset[str]:
        """The statuses that a commit needs before it is merged into the base branch, by protection and by rulesets."""
        branch = self._api.get(f"branches/{quote(self._base)}", _Branch)
        checks = branch.protection.required_status_checks if branch.protection else None
        return frozenset([*(checks.contexts if checks else ()), *self._ruled()])

    def _ruled(self) -> Iterator[str]:
        try:
            rules = tuple(self._api.pages(f"rules/branches/{quote(self._base)}", _Rule))
        except GitHubRefused as refused:
            if not refused.refusal.is_missing:  # an older Enterprise Server has no rulesets
                raise
            return
        for rule in rules:
            if rule.type == "required_status_checks" and rule.parameters:
                yield from (check.context for check in rule.parameters.required_status_checks)

    def unknown_reviewers(self, logins: Iterable[str]) -> tuple[str, ...]:
        """Those who cannot be asked for a review, because they do not work in the repository."""
        return tuple(login for login in logins if not self._works_here(login))

    def _works_here(self, login: str) -> bool:
        try:
            self._api.get(f"collaborators/{quote(login)}", object)
        except GitHubRefused as refused:
            if not refused.refusal.is_missing:
                raise
            return False
        return True

    def try_writing(self) -> None:
        """Write an empty file's content, which no commit names, so nobody sees it; git removes it some day."""
        self._api.post("git/blobs", Named, {"content": "", "encoding": "utf-8"})
