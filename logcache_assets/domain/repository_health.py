"""What `logcache doctor` makes of what a repository's host says of our rights and of the base branch."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from logcache_assets.domain.health import Finding, failed, warned
from logcache_assets.domain.merge_status import STATUS_NAME

NEEDED: Mapping[str, str] = {"contents": "write", "pull_requests": "write", "statuses": "write"}
"""The permissions of a GitHub App, beside reading what every App reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRights:
    """What we may do in a repository."""

    repository: str
    """Owner and name."""
    is_archived: bool
    may_push: bool
    of_app: Mapping[str, str] | None
    """Permission → level of an App; None for a token, which does not tell its own."""


def judge_rights(rights: RepositoryRights) -> Finding:
    """Branches, pull requests and statuses must be writable."""
    if rights.is_archived:
        return failed(
            f"{rights.repository} is archived, so nothing can be written", "unarchive it, or name another repository"
        )
    if rights.of_app is None:
        if not rights.may_push:
            return failed(f"the token may not push to {rights.repository}", "give it what docs/operations.md lists")
        return Finding(found=f"may push to {rights.repository}; a token does not tell what else it may")
    lacking = [f"{name}={level}" for name, level in NEEDED.items() if rights.of_app.get(name) != level]
    if lacking:
        return failed(f"the App lacks {', '.join(lacking)}", "change its permissions, and have the owner accept them")
    return Finding(found=f"the App may write {', '.join(NEEDED)}")


def judge_required_status(required: Collection[str], *, base: str) -> Finding:
    """Without it, a merge asks nobody about excisions, pushes and other merges."""
    if STATUS_NAME in required:
        return Finding(found=f"{base} requires {STATUS_NAME!r} before a merge")
    return warned(
        f"{base} does not require {STATUS_NAME!r} before a merge",
        "require that status by a rule of the branch: nothing else keeps stale caches from being merged",
    )


def judge_reviewers(asked: Collection[str], unknown: Collection[str]) -> Finding:
    """Who cannot be asked for a review would be found out at the end of the first refresh."""
    if unknown:
        return failed(
            f"{', '.join(unknown)} cannot be asked for a review",
            "correct LOGCACHE_GITHUB_REVIEWERS, or give them access to the repository",
        )
    return Finding(found=f"{', '.join(asked)} can be asked for a review")
