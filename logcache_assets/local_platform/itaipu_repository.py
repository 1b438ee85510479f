"""The itaipu repository of the local world: a bare git repository, and pull requests as files beside it.

People clone it, commit and merge with git as usual; the state of a pull request follows from what git says.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace
from typing_extensions import override

from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.branch_names import is_branch_name
from logcache_assets.domain.merge_status import MergeStatus
from logcache_assets.local_platform.bare_git import BareGit
from logcache_assets.local_platform.pull_request_files import PullRequestFiles, PullRequestRecord
from logcache_assets.ports import (
    BranchMovedError,
    Clock,
    FileVersion,
    ItaipuRepository,
    PullRequest,
    RepositoryWrongData,
)

_FULL_SHA = re.compile(r"[0-9a-f]{40}")


class LocalItaipuRepository(ItaipuRepository):
    """Branches in a bare repository, pull requests in a folder.

    Args:
        git_dir: the bare repository, made by `initialise`.
        pull_requests: folder of `<n>.json` and `<n>.md`.
        clock: dates commits and pull requests.
        base_branch: the branch that is never written except by a merge.
        reads: how often a failed read of git or the folder is repeated.
    """

    def __init__(
        self,
        git_dir: Path,
        pull_requests: Path,
        clock: Clock,
        *,
        base_branch: str = "main",
        reads: RepeatedReads | None = None,
    ) -> None:
        self.reads = reads or RepeatedReads()
        self._git = BareGit(git_dir, clock)
        self._files = PullRequestFiles(pull_requests)
        self._clock = clock
        self._base = base_branch

    def initialise(self, files: Mapping[str, str], message: str) -> str:
        """Make the repository with one commit on the base branch; returns its sha."""
        self._git.initialise(self._base)
        if self._git.branch_head(self._base) is not None:
            raise RepositoryWrongData(f"{self._git.git_dir} has commits already; remove the folder to start again")
        sha = self._git.make_commit(tree=self._git.tree_with(None, files), parent=None, message=message)
        self._git.move_branch(self._base, sha, seen=None)
        return sha

    @property
    @override
    def base_branch(self) -> str:
        return self._base

    @override
    @repeated
    def head(self, branch: str) -> str | None:
        return self._git.branch_head(branch)

    @override
    @repeated
    def read(self, path: str, *, ref: str) -> str:
        try:
            return self._git.read(path, ref=ref).decode()
        except UnicodeDecodeError as error:
            raise RepositoryWrongData(f"{path!r} at {ref!r} is no UTF-8 text ({error}); correct the file") from error

    @override
    @repeated
    def list_files(self, folder: str, *, ref: str) -> tuple[str, ...]:
        return self._git.list_files(folder, ref=ref)

    @override
    @repeated
    def versions(self, path: str, *, ref: str) -> tuple[FileVersion, ...]:
        return tuple(FileVersion(sha=sha, committed_at=at) for sha, at in self._git.versions(path, ref=ref))

    @override
    @repeated
    def changed_files(self, before: str, after: str) -> tuple[str, ...]:
        return self._git.changed_files(self._git.resolve(before), self._git.resolve(after))

    @override
    @repeated
    def merge_base(self, ref: str) -> str:
        return self._git.merge_base(self._base_head(), self._git.resolve(ref))

    @override
    def commit(self, *, branch: str, parent: str, files: Mapping[str, str], message: str) -> str:
        self._refuse_base(branch, "committed to")
        if not _FULL_SHA.fullmatch(parent):
            raise RepositoryWrongData(
                f"the parent {parent!r} is no full sha of 40 digits; ask the repository for a head"
            )
        seen = self._git.branch_head(branch)
        tree = self._git.tree_with(self._git.resolve(parent), files)
        if seen is not None and self._git.is_commit(seen, parent=parent, tree=tree, message=message):
            return seen
        sha = self._git.make_commit(tree=tree, parent=parent, message=message)
        with self._files.locked():
            self._git.move_branch(branch, sha, seen=seen)
            self._follow(branch, seen=seen, sha=sha)
        return sha

    @override
    @repeated
    def pull_request(self, number: int) -> PullRequest:
        record = self._files.find(number)
        if record is None:
            raise RepositoryWrongData(f"pull request {number} does not exist; name an open one")
        return self._shown(record)

    @override
    @repeated
    def open_pull_request(self, branch: str) -> PullRequest | None:
        own = (self._shown(record) for record in self._files.records() if record.branch == branch)
        return next((shown for shown in own if shown.state == "open"), None)

    @override
    def open_pull_requests(self, *, changing: str = "") -> Iterator[PullRequest]:
        for record in self._records():
            shown = self.pull_request(record.number)
            if shown.state == "open" and (not changing or self._changes(changing, shown.head_sha)):
                yield shown

    @repeated
    def _changes(self, path: str, sha: str) -> bool:
        return self._git.differs(path, self.merge_base(sha), sha)

    @repeated
    def _records(self) -> tuple[PullRequestRecord, ...]:
        return self._files.records()

    @override
    def propose(self, *, branch: str, title: str, body: str) -> PullRequest:
        self._refuse_base(branch, "proposed")
        head = self._git.branch_head(branch)
        if head is None:
            raise RepositoryWrongData(f"there is no branch {branch} to propose; commit to it first")
        if self._git.is_ancestor(head, self._base_head()):
            raise RepositoryWrongData(f"{self._base} already holds everything on {branch}: there is nothing to propose")
        with self._files.locked():
            records = self._files.records()
            own = (record for record in records if record.branch == branch and self._state(record)[0] == "open")
            record = next(own, None) or _unwritten(max((r.number for r in records), default=0) + 1, branch)
            status = record.status if head == record.head_sha else None
            proposed = replace(record, title=title, head_sha=head, status=status)
            self._files.write(proposed, body, now=self._clock.now())
        return self._shown(proposed)

    @override
    def close(self, number: int, *, comment: str) -> PullRequest:
        with self._files.locked():
            shown = self.pull_request(number)
            if shown.state == "merged":
                raise RepositoryWrongData(f"pull request {number} is merged, so it cannot be closed; revert it")
            record = self._files.find(number)
            if record is None or shown.state == "closed":
                return shown
            text = f"{shown.body.removesuffix(_comment(comment))}{_comment(comment)}"
            closed = replace(record, state="closed", head_sha=shown.head_sha)
            self._files.write(closed, text, now=self._clock.now())
        return self.pull_request(number)

    @override
    @repeated
    def merge_status(self, sha: str) -> MergeStatus | None:
        return next((record.status for record in self._proposing(sha)), None)

    @override
    def set_merge_status(self, sha: str, status: MergeStatus) -> None:
        with self._files.locked():
            records = self._proposing(sha)
            if not records:
                raise RepositoryWrongData(f"no pull request has the commit {sha} as its newest; name one that has")
            for record in records:
                with_status = replace(record, head_sha=sha, status=status)
                self._files.write(with_status, self._files.body(record.number), now=self._clock.now())

    def _proposing(self, sha: str) -> list[PullRequestRecord]:
        """The pull requests whose newest commit this is; a status is of that commit alone."""
        records = [record for record in self._files.records() if self._state(record)[1] == sha]
        return [record if record.head_sha == sha else replace(record, status=None) for record in records]

    def commit_to_base(self, files: Mapping[str, str], message: str) -> str:
        """Commit to the base branch as somebody else would: for faults of the local world and edits by analysts."""
        head = self._base_head()
        sha = self._git.make_commit(tree=self._git.tree_with(head, files), parent=head, message=message)
        self._git.move_branch(self._base, sha, seen=head)
        return sha

    def merge(self, number: int, *, head_sha: str | None = None) -> str:
        """Fast-forward the base branch to an open pull request; returns the new head.

        Args:
            number: of the pull request.
            head_sha: the commit that may be merged; None for the branch's newest.

        Raises:
            RepositoryWrongData: there is no such pull request or it is closed.
            BranchMovedError: the base branch has commits that the pull request does not know, or the branch has.
        """
        shown = self.pull_request(number)
        if shown.state == "closed":
            raise RepositoryWrongData(f"pull request {number} is closed; name an open one")
        base = self._base_head()
        if shown.state == "merged":
            return base
        if head_sha is not None and shown.head_sha != head_sha:
            raise BranchMovedError(
                f"{shown.branch} moved to {shown.head_sha[:8]} while {head_sha[:8]} was to be merged; look who wrote it"
            )
        if not self._git.is_ancestor(base, shown.head_sha):
            raise BranchMovedError(
                f"{self._base} moved to {base[:8]} after {shown.branch} was made from it, so pull request {number} "
                "is not merged; refresh again, which proposes it on today's base"
            )
        self._git.move_branch(self._base, shown.head_sha, seen=base)
        return shown.head_sha

    def _base_head(self) -> str:
        return self._git.resolve(self._base)

    def _refuse_base(self, branch: str, verb: str) -> None:
        if branch == self._base:
            raise RepositoryWrongData(f"{branch} is the base branch and is never {verb}; name a branch of your own")
        if not is_branch_name(branch):
            raise RepositoryWrongData(
                f"{branch!r} is no name of a branch; write for example log-cache/2018-05-28-49ae32bb"
            )

    def _follow(self, branch: str, *, seen: str | None, sha: str) -> None:
        """Set the head of a branch's open pull request; a merged one keeps the head that was merged."""
        for record in self._files.records():
            if record.branch == branch and record.state == "open" and not self._is_merged(record.head_sha):
                head = seen if seen is not None and self._is_merged(seen) else sha
                status = record.status if head == record.head_sha else None
                moved = replace(record, head_sha=head, status=status)
                self._files.write(moved, self._files.body(record.number), now=self._clock.now())

    def _shown(self, record: PullRequestRecord) -> PullRequest:
        state, head = self._state(record)
        return PullRequest(
            number=record.number,
            url=self._files.body_path(record.number).as_uri(),
            branch=record.branch,
            title=record.title,
            body=self._files.body(record.number),
            state=state,
            head_sha=head,
        )

    def _state(self, record: PullRequestRecord) -> tuple[str, str]:
        """State and head; merged if git finds the recorded or the current head in the base branch."""
        live = self._git.branch_head(record.branch) or record.head_sha
        if record.state == "closed":
            return "closed", record.head_sha
        merged = next((sha for sha in (record.head_sha, live) if self._is_merged(sha)), None)
        return ("open", live) if merged is None else ("merged", merged)

    def _is_merged(self, sha: str) -> bool:
        return self._git.is_ancestor(sha, self._base_head())


def _comment(comment: str) -> str:
    """A comment as it stands below the text of a pull request."""
    return f"\n---\n\n{comment}\n"


def _unwritten(number: int, branch: str) -> PullRequestRecord:
    return PullRequestRecord(
        number=number, branch=branch, title="", state="open", head_sha="", opened_at="", updated_at=""
    )
