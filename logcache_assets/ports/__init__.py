"""The outside world as a few narrow abstract classes, with their errors: a module per port.

A new outside system gets a port here, a production adapter in adapters/ and a local twin in local_platform/, in that
order. Every port's errors have one base class and belong to one of the two families of errors.py: `…Unavailable` (the
port could not answer; its reads are repeated) or `…WrongData` (the answer is refused; nothing is repeated). Rules
belong in domain/, settings in settings/.
"""

from dataclasses import dataclass

from logcache_assets.ports.clock import (
    Clock,
    ClockError,
    ClockUnavailable,
    ClockWrongData,
)
from logcache_assets.ports.itaipu import (
    EarlierTestRun,
    FinishedTestRun,
    Itaipu,
    ItaipuError,
    ItaipuUnavailable,
    ItaipuWrongData,
)
from logcache_assets.ports.itaipu_repository import (
    BranchMovedError,
    FileVersion,
    ItaipuRepository,
    PathNotFoundError,
    PullRequest,
    RepositoryDenied,
    RepositoryError,
    RepositoryUnavailable,
    RepositoryWrongData,
)
from logcache_assets.ports.metapod import (
    Metapod,
    MetapodDenied,
    MetapodError,
    MetapodUnavailable,
    MetapodWrongData,
    UnknownTransactionError,
)
from logcache_assets.ports.notebook_runner import (
    OUTAGE,
    NotebookDenied,
    NotebookError,
    NotebookRun,
    NotebookRunner,
    NotebookUnavailable,
    NotebookWrongData,
    require_token,
)
from logcache_assets.ports.object_store import (
    CopyRequest,
    FailedCopy,
    ObjectChangedError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStore,
    ObjectStoreDenied,
    ObjectStoreError,
    ObjectStoreUnavailable,
    ObjectStoreWrongData,
    PolarsSource,
    StoredObject,
)
from logcache_assets.ports.segment_index import (
    SegmentIndex,
    SegmentIndexError,
    SegmentIndexUnavailable,
    SegmentIndexWrongData,
)
from logcache_assets.ports.tell import (
    Tell,
)

__all__ = [
    "OUTAGE",
    "BranchMovedError",
    "Clock",
    "ClockError",
    "ClockUnavailable",
    "ClockWrongData",
    "CopyRequest",
    "EarlierTestRun",
    "FailedCopy",
    "FileVersion",
    "FinishedTestRun",
    "Itaipu",
    "ItaipuError",
    "ItaipuRepository",
    "ItaipuUnavailable",
    "ItaipuWrongData",
    "Metapod",
    "MetapodDenied",
    "MetapodError",
    "MetapodUnavailable",
    "MetapodWrongData",
    "NotebookDenied",
    "NotebookError",
    "NotebookRun",
    "NotebookRunner",
    "NotebookUnavailable",
    "NotebookWrongData",
    "ObjectChangedError",
    "ObjectExistsError",
    "ObjectNotFoundError",
    "ObjectStore",
    "ObjectStoreDenied",
    "ObjectStoreError",
    "ObjectStoreUnavailable",
    "ObjectStoreWrongData",
    "PathNotFoundError",
    "PolarsSource",
    "Ports",
    "PullRequest",
    "RepositoryDenied",
    "RepositoryError",
    "RepositoryUnavailable",
    "RepositoryWrongData",
    "SegmentIndex",
    "SegmentIndexError",
    "SegmentIndexUnavailable",
    "SegmentIndexWrongData",
    "StoredObject",
    "Tell",
    "UnknownTransactionError",
    "require_token",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All ports of one platform."""

    store: ObjectStore
    segment_index: SegmentIndex
    metapod: Metapod
    notebook_runner: NotebookRunner
    itaipu: Itaipu
    repository: ItaipuRepository
    clock: Clock
