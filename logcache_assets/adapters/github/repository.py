"""The itaipu repository on GitHub, as the port."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from typing_extensions import override

from logcache_assets.adapters.github.access import Audience, GitHubAccess
from logcache_assets.adapters.github.api import GitHubApi
from logcache_assets.adapters.github.faults import WriteInDoubt
from logcache_assets.adapters.github.git_objects import FULL_SHA, GitObjects
from logcache_assets.adapters.github.pull_requests import PullRequests
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.domain.branch_names import is_branch_name
from logcache_assets.domain.merge_status import MergeStatus
from logcache_assets.ports import FileVersion, ItaipuRepository, PullRequest, RepositoryWrongData

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


def _settled(
    write: "Callable[Concatenate[GitHubRepository, _Arguments], _Answer]",
) -> "Callable[Concatenate[GitHubRepository, _Arguments], _Answer]":
    """Do a whole write again while its effect is in doubt: it begins by looking at what is there."""

    @wraps(write)
    def done(self: "GitHubRepository", /, *arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Answer:
        pause = self.reads.first_pause_seconds
        for _ in range(self.reads.attempts - 1):
            try:
                return write(self, *arguments, **named)
            except WriteInDoubt:
                time.sleep(pause)
                pause *= 2
        return write(self, *arguments, **named)

    return done


class GitHubRepository(ItaipuRepository):
    """Branches and pull requests of a repository on GitHub.

    Args:
        access: where it is, and who asks.
        base_branch: the branch that is never written except by a merge.
        audience: who shall look at pull requests.
        reads: how often a request without an answer is repeated.
    """

    def __init__(
        self,
        access: GitHubAccess,
        *,
        base_branch: str = "main",
        audience: Audience | None = None,
        reads: RepeatedReads | None = None,
    ) -> None:
        self.reads = reads or RepeatedReads()
        api = GitHubApi(access, reads=self.reads)
        self._base = base_branch
        self._git = GitObjects(api)
        self._pulls = PullRequests(api, base_branch, audience or Audience())

    @property
    @override
    def base_branch(self) -> str:
        return self._base

    @override
    def head(self, branch: str) -> str | None:
        return self._git.branch_head(branch)

    @override
    def read(self, path: str, *, ref: str) -> str:
        try:
            return self._git.read(path, ref=ref).decode()
        except UnicodeDecodeError as error:
            raise RepositoryWrongData(f"{path!r} at {ref!r} is no UTF-8 text ({error}); correct the file") from error

    @override
    def list_files(self, folder: str, *, ref: str) -> tuple[str, ...]:
        return self._git.list_files(folder, ref=ref)

    @override
    def versions(self, path: str, *, ref: str) -> tuple[FileVersion, ...]:
        return tuple(self._git.versions(path, ref=ref))

    @override
    def changed_files(self, before: str, after: str) -> tuple[str, ...]:
        one, other = (self._git.commit(self._git.resolve(ref)).tree.sha for ref in (before, after))
        return tuple(sorted(self._git.changed_files(one, other)))

    @override
    def merge_base(self, ref: str) -> str:
        return self._git.merge_base(self._git.resolve(self._base), self._git.resolve(ref))

    @override
    @_settled
    def commit(self, *, branch: str, parent: str, files: Mapping[str, str], message: str) -> str:
        self._refuse_base(branch, "committed to")
        if not FULL_SHA.fullmatch(parent):
            raise RepositoryWrongData(
                f"the parent {parent!r} is no full sha of 40 digits; ask the repository for a head"
            )
        for path in files:
            _require_inside(path)
        tree = self._git.tree_with(self._git.commit(parent), files)
        seen = self._git.branch_head(branch)
        if seen is not None and self._is_commit(seen, parent=parent, tree=tree, message=message):
            return seen
        sha = self._git.make_commit(tree=tree, parent=parent, message=message)
        self._git.move_branch(branch, sha, seen=seen)
        return sha

    def _is_commit(self, sha: str, *, parent: str, tree: str, message: str) -> bool:
        """True if a commit has exactly this one parent, this tree and this message."""
        found = self._git.commit(sha)
        parents = [other.sha for other in found.parents]
        return (found.tree.sha, parents, found.message.rstrip("\n")) == (tree, [parent], message.rstrip("\n"))

    @override
    def pull_request(self, number: int) -> PullRequest:
        return self._pulls.shown(self._pulls.numbered(number))

    @override
    def open_pull_request(self, branch: str) -> PullRequest | None:
        found = self._pulls.open_of(branch)
        return None if found is None else self._pulls.shown(found)

    @override
    def open_pull_requests(self, *, changing: str) -> Iterator[PullRequest]:
        return self._pulls.changing(changing)

    @override
    @_settled
    def propose(self, *, branch: str, title: str, body: str) -> PullRequest:
        self._refuse_base(branch, "proposed")
        if self._git.branch_head(branch) is None:
            raise RepositoryWrongData(f"there is no branch {branch} to propose; commit to it first")
        found = self._pulls.open_of(branch)
        if found is None:
            pull = self._pulls.open(branch, title=title, body=body)
        else:
            pull = self._pulls.updated(found, title=title, body=body)
        self._pulls.show_to_audience(pull)
        return self._pulls.shown(pull)

    @override
    @_settled
    def close(self, number: int, *, comment: str) -> PullRequest:
        pull = self._pulls.numbered(number)
        if pull.merged_at:
            raise RepositoryWrongData(f"pull request {number} is merged, so it cannot be closed; revert it")
        if pull.state != "closed":
            self._pulls.close(pull, comment=comment)
        return self.pull_request(number)

    @override
    def merge_status(self, sha: str) -> MergeStatus | None:
        return self._pulls.status_of(sha)

    @override
    @_settled
    def set_merge_status(self, sha: str, status: MergeStatus) -> None:
        if self._pulls.status_of(sha) != status:
            self._pulls.set_status(sha, status)

    def _refuse_base(self, branch: str, verb: str) -> None:
        if branch == self._base:
            raise RepositoryWrongData(f"{branch} is the base branch and is never {verb}; name a branch of your own")
        if not is_branch_name(branch):
            raise RepositoryWrongData(
                f"{branch!r} is no name of a branch; write for example log-cache/2018-05-28-49ae32bb"
            )


def _require_inside(path: str) -> None:
    """Refuse a path that is none inside the repository, or inside git's own folder."""
    parts = path.split("/")
    if {"", ".", ".."} & set(parts) or ".git" in {part.lower() for part in parts}:
        raise RepositoryWrongData(f"{path!r} is no path of a file in a repository; write for example {'a/b.json'!r}")
