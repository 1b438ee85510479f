"""Recorded accidents that `logcache local break` causes in the local world, so that a user sees them caught.

Each fault only does the damage of the incident. Some are armed and happen later: a copy that is cut short, a test run
that loses rows, garbles a value or does not read the newest segment. The code that refuses them is elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.domain.segments import newest_t as greatest_last_t
from logcache_assets.ports import Clock, SegmentIndex, StoredObject

TRUNCATED_COPY = "truncated-copy"
EMPTY_CONTRACT = "empty-contract"
WRONG_VALUE = "wrong-value"
STALE_READER = "stale-reader"


class Faults:
    """Armed faults, one file each; rebuilding the world disarms them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def arm(self, fault: str, detail: str) -> None:
        """Arm a fault, which happens from now on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / fault).write_text(detail, encoding="utf-8")

    def armed(self, fault: str) -> str | None:
        """The detail that a fault was armed with; None when it is not armed."""
        file = self._folder / fault
        return file.read_text(encoding="utf-8") if file.is_file() else None


class CutShortObjectStore(FolderObjectStore):
    """The local object store; `truncated-copy` halves copies into the permanent bucket while it is armed."""

    def __init__(self, buckets: Path, clock: Clock, *, permanent_bucket: str, faults: Faults) -> None:
        super().__init__(buckets, clock)
        self._permanent = f"s3://{permanent_bucket}/"
        self._faults = faults

    @override
    def copy(self, source: StoredObject, destination_uri: str) -> StoredObject:
        copied = super().copy(source, destination_uri)
        if self._faults.armed(TRUNCATED_COPY) and destination_uri.startswith(self._permanent):
            self.write(destination_uri, self.read(destination_uri)[: source.size_bytes // 2])
        return copied


class WithoutNewestSegment(SegmentIndex):
    """An index that hides the newest segment of every instance, as a run that reads the index too early sees it."""

    def __init__(self, index: SegmentIndex) -> None:
        self._index = index

    @override
    def segments(self, instance: Instance, *, after_t: int = 0) -> tuple[Segment, ...]:
        return self._index.segments(instance, after_t=after_t)[:-1]

    @override
    def newest_t(self, instance: Instance) -> int:
        return greatest_last_t(self.segments(instance))

    @override
    def extracted_since(self, instance: Instance, *, before_t: int, since: datetime) -> tuple[Extraction, ...]:
        hidden_t = self._index.newest_t(instance)
        found = self._index.extracted_since(instance, before_t=before_t, since=since)
        return tuple(extraction for extraction in found if extraction.last_t != hidden_t)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An accident: its name, what happened, and how to cause it."""

    name: str
    description: str
    inject: Callable[[], str]
    """Damages the world and returns what was done."""
    hint: str = "See it refused with `logcache refresh`."
    """What to try next."""
