"""The outside world as a few narrow abstract classes, with their errors.

A new outside system gets a port here, a production adapter in adapters/, an honest twin in local_platform/, in that
order. What belongs elsewhere: rules (domain/), settings, anything that only one side needs.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.domain.transactions import Transaction, TransactionType
from logcache_assets.errors import LogCacheError

Tell = Callable[[str], None]
"""Takes one line for a person: a run's log, a terminal."""


class ObjectStoreError(LogCacheError):
    """The object store could not answer: never the same as an empty answer."""


class ObjectNotFoundError(ObjectStoreError):
    """No object lies at this URI."""


class ObjectExistsError(ObjectStoreError):
    """Another object already lies at this URI and nothing is overwritten."""


class ObjectChangedError(ObjectStoreError):
    """The source is no longer the object that was listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One object as a listing shows it."""

    uri: str
    size_bytes: int
    etag: str
    """Changes whenever the bytes change; equal for equal single-part objects of one store."""
    modified_at: datetime


class ObjectStore(ABC):
    """Objects by `s3://bucket/key`. Only the store knows where they really are."""

    @abstractmethod
    def list_objects(self, prefix_uri: str) -> tuple[StoredObject, ...]:
        """Every object whose URI begins with the prefix, ascending by URI; empty when there is none.

        Raises:
            ObjectStoreError: the listing failed; it is never reported as empty.
        """

    def list_uris(self, prefix_uri: str) -> tuple[str, ...]:
        """The URIs that list_objects shows, for those who ask nothing else."""
        return tuple(item.uri for item in self.list_objects(prefix_uri))

    @abstractmethod
    def head(self, uri: str) -> StoredObject:
        """One object without its bytes; raises ObjectNotFoundError."""

    @abstractmethod
    def read(self, uri: str) -> bytes:
        """All bytes of one object; raises ObjectNotFoundError."""

    @abstractmethod
    def write(self, uri: str, content: bytes) -> StoredObject:
        """Put an object, replacing one that lies there."""

    @abstractmethod
    def create(self, uri: str, content: bytes) -> StoredObject:
        """Put an object where none lies; equal bytes are accepted, others raise ObjectExistsError."""

    @abstractmethod
    def copy(self, source: StoredObject, destination_uri: str) -> str:
        """Copy exactly the bytes that were listed, without overwriting; returns a checksum `<algorithm>:<hex>`.

        Raises:
            ObjectChangedError: the source no longer has the listed etag.
            ObjectNotFoundError: the source vanished.
            ObjectExistsError: something lies at the destination.
        """

    @abstractmethod
    def retention_days(self, bucket: str) -> int | None:
        """After how many days the bucket's live lifecycle rule deletes objects; None without such a rule."""

    @abstractmethod
    def polars_source(self, uri: str) -> tuple[str, Mapping[str, str]]:
        """What polars opens for this URI: a path or URL, and its storage options."""


class SegmentIndex(ABC):
    """The index of Avro segments that the extractor keeps: one item per segment, with its path and range of t.

    A caller asks for what it needs and no more: an instance has thousands of segments, and a cache makes most of them
    unnecessary. Every method raises SegmentIndexError when the index could not answer, or an item of the answer is
    malformed. Implementations can be pickled, because tasks take them to Spark's workers.
    """

    @abstractmethod
    def segments(self, instance: Instance, *, after_t: int = 0) -> tuple[Segment, ...]:
        """The segments of an instance with last_t > after_t, ascending by last_t; empty if there are none.

        The first one may begin before after_t.
        """

    @abstractmethod
    def newest_t(self, instance: Instance) -> int:
        """The last_t of the newest segment of an instance, read from that one item; 0 if the index knows none."""

    @abstractmethod
    def extracted_since(self, instance: Instance, *, before_t: int, since: datetime) -> tuple[Extraction, ...]:
        """The segments that begin before before_t and were extracted after since, ascending by last_t.

        Begins before: last_batch_t < before_t. Only keys and timestamps are read. For the last_t of a cached log and
        the instant when it was read, any answer proves that the cached log is stale (C7).
        """


class SegmentIndexError(LogCacheError):
    """The segment index could not answer or holds a malformed item."""


class MetapodError(LogCacheError):
    """metapod could not answer."""


class UnknownTransactionError(MetapodError):
    """metapod knows no transaction of this id."""


class Metapod(ABC):
    """The metadata service: transactions and their datasets."""

    @abstractmethod
    def transaction(self, transaction_id: str) -> Transaction:
        """One transaction with all its datasets in every state; raises UnknownTransactionError."""

    @abstractmethod
    def transactions(self, *types: TransactionType, since: datetime) -> tuple[Transaction, ...]:
        """Transactions of these types that started at or after an instant, newest first, with their datasets."""


class NotebookError(LogCacheError):
    """The notebook failed, was cancelled, or gave no result."""


class NotebookRunner(ABC):
    """Runs the export notebook."""

    @abstractmethod
    def run(self, parameters: Mapping[str, str], *, token: str, tell: Tell) -> str:
        """Run it to its end and return what it gave to `dbutils.notebook.exit`.

        The same token finds the same run, so a lost reply or a restarted worker never starts a second one; a failed
        run is not attached to. When interrupted, the run is cancelled before the interrupt goes on.

        Raises:
            NotebookError: with the last lines of what it printed.
        """


class ItaipuError(LogCacheError):
    """An Itaipu run failed, or its output names no transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTestRun:
    """An Itaipu run that came to its end; which datasets it committed is metapod's to say."""

    transaction: str
    aborted: Mapping[str, str]
    """Dataset → why it failed, as far as the run's output tells."""


class Itaipu(ABC):
    """Starts runs of Itaipu."""

    @abstractmethod
    def test_run(self, *, version: str, dataset_prefix: str, tell: Tell) -> FinishedTestRun:
        """Compute every dataset with this prefix at an Itaipu version.

        Raises:
            ItaipuError: no or several transactions, a failed task, a non-zero exit; with the last lines.
        """


class RepositoryError(LogCacheError):
    """The itaipu repository could not answer."""


class PathNotFoundError(RepositoryError):
    """The repository has no such file at this ref."""


class BranchMovedError(RepositoryError):
    """The branch is not where the caller saw it: somebody else wrote."""


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
        """The commits up to a branch or sha that changed a file, newest first; none for a file that never was."""

    @abstractmethod
    def commit(self, *, branch: str, parent: str, files: Mapping[str, str], message: str) -> str:
        """Make the branch one commit on top of parent that holds these files; returns its full sha.

        Making the same commit again changes nothing. The base branch itself is never written.

        Raises:
            RepositoryError: the commit was refused.
        """

    @abstractmethod
    def pull_requests(self) -> tuple[PullRequest, ...]:
        """Every pull request, newest first."""

    @abstractmethod
    def propose(self, *, branch: str, title: str, body: str) -> PullRequest:
        """Open the pull request of a branch, or update the open one; equal text changes nothing."""


class Clock(ABC):
    """What time it is in the world that the other ports show."""

    @abstractmethod
    def now(self) -> datetime:
        """The present instant, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """One of each: what a platform provides."""

    store: ObjectStore
    segment_index: SegmentIndex
    metapod: Metapod
    notebook_runner: NotebookRunner
    itaipu: Itaipu
    repository: ItaipuRepository
    clock: Clock
