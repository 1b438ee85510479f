"""The git repository with the log cache map and the contract definitions."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from logcache_assets.domain.merge_status import MergeStatus
from logcache_assets.errors import LogCacheError, Unavailable, WrongData


class RepositoryError(LogCacheError):
    """Base of the itaipu repository's errors; one of its subclasses is raised."""


class RepositoryUnavailable(RepositoryError, Unavailable):
    """The itaipu repository could not answer."""


class RepositoryDenied(RepositoryUnavailable):
    """The itaipu repository may not be asked: by these credentials, from here, now. Only a person can change it."""

    is_passing = False


class RepositoryWrongData(RepositoryError, WrongData):
    """The itaipu repository refused a request or holds something malformed."""


class PathNotFoundError(RepositoryWrongData):
    """The repository has no such file at this ref."""


class BranchMovedError(RepositoryWrongData):
    """The branch points to another commit than the caller expected, because somebody else wrote to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """One pull request as its page shows it."""

    number: int
    url: str
    branch: str
    title: str
    body: str
    state: str
    """`open`, `merged` or `closed`."""
    head_sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVersion:
    """A commit that changed a file."""

    sha: str
    """In full."""
    committed_at: datetime


class ItaipuRepository(ABC):
    """The git repository with the log cache map and the contract definitions."""

    @property
    @abstractmethod
    def base_branch(self) -> str:
        """Name of the branch whose map is active; merging into it publishes."""

    @abstractmethod
    def head(self, branch: str) -> str | None:
        """The full sha of a branch; None when there is no such branch."""

    @abstractmethod
    def read(self, path: str, *, ref: str) -> str:
        """A text file at a branch or sha; raises PathNotFoundError."""

    @abstractmethod
    def list_files(self, folder: str, *, ref: str) -> tuple[str, ...]:
        """Paths of the files directly in a folder, ascending."""

    @abstractmethod
    def versions(self, path: str, *, ref: str) -> tuple[FileVersion, ...]:
        """The commits up to a branch or sha that changed a file, newest first; empty if the file never existed."""

    @abstractmethod
    def changed_files(self, before: str, after: str) -> tuple[str, ...]:
        """Paths of the files that are not the same in two commits, ascending: added, changed or removed.

        Args:
            before: branch or sha.
            after: branch or sha; none of the two need be an ancestor of the other.

        Raises:
            RepositoryWrongData: there is no such ref.
        """

    @abstractmethod
    def merge_base(self, ref: str) -> str:
        """The commit from which a branch or sha left the base branch; what it changed since then a merge brings.

        Raises:
            RepositoryWrongData: there is no such ref, or it has no commit in common with the base branch.
        """

    @abstractmethod
    def commit(self, *, branch: str, parent: str, files: Mapping[str, str], message: str) -> str:
        """Make the branch one commit on top of parent that holds these files; returns its full sha.

        Making the same commit again changes nothing. The base branch itself is never written.

        Raises:
            RepositoryError: the commit was refused.
        """

    @abstractmethod
    def pull_request(self, number: int) -> PullRequest:
        """The pull request with this number, in whichever state; raises RepositoryWrongData if there is none."""

    @abstractmethod
    def open_pull_request(self, branch: str) -> PullRequest | None:
        """The open pull request of a branch; None when the branch has none."""

    @abstractmethod
    def open_pull_requests(self, *, changing: str) -> Iterator[PullRequest]:
        """The open pull requests that change a file, newest first.

        Merged and closed ones are never listed, because their number only grows; and a repository may have hundreds of
        open ones that leave the file as it is. One that changes very many files may be listed without changing it.
        """

    @abstractmethod
    def propose(self, *, branch: str, title: str, body: str) -> PullRequest:
        """Open the pull request of a branch, or update the open one; equal text changes nothing."""

    @abstractmethod
    def close(self, number: int, *, comment: str) -> PullRequest:
        """Close an open pull request with a comment; one that is closed already stays as it is.

        Raises:
            RepositoryWrongData: there is no such pull request, or it is merged.
        """

    @abstractmethod
    def merge_status(self, sha: str) -> MergeStatus | None:
        """What the page of a pull request says of its newest commit; None if nobody said anything yet."""

    @abstractmethod
    def set_merge_status(self, sha: str, status: MergeStatus) -> None:
        """Say on its page whether a pull request's newest commit may be merged now; an equal status changes nothing.

        Raises:
            RepositoryWrongData: there is no such commit.
        """
