"""Looks at the world above a refresh, from metadata alone: index, metapod, the itaipu repository."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from logcache_assets.domain.contract_definitions import CONTRACTS_FOLDER
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MAP_PATH, LogCacheMap
from logcache_assets.domain.outside_world import SegmentsSeen, is_due
from logcache_assets.domain.rules.settings_file import RULES_PATH
from logcache_assets.domain.transactions import Transaction, TransactionType
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.errors import BadInput
from logcache_assets.ports import Clock, FileVersion, ItaipuRepository, Metapod, PathNotFoundError, SegmentIndex
from logcache_assets.refresh.inspect_map import read_map

ASKED_TOGETHER = 64
"""So many instances are asked about between two looks at the time."""
WATCHED_FILES = (MAP_PATH, CONTRACTS_FOLDER, RULES_PATH)
"""The files of the itaipu repository that a refresh reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheBefore:
    """The map as it was when a night began, and the commit that it came with."""

    version: FileVersion
    entries: LogCacheMap


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideWorld:
    """Reads what a refresh stands on."""

    metapod: Metapod
    segment_index: SegmentIndex
    repository: ItaipuRepository
    clock: Clock

    def find_grown(
        self, instances: Sequence[Instance], seen: Mapping[str, SegmentsSeen], *, budget_seconds: float
    ) -> Iterator[tuple[Instance, SegmentsSeen]]:
        """The segments of each instance whose log grew, as far as time suffices; the others come the next time."""
        now, end = self.clock.now(), time.monotonic() + budget_seconds
        newest = ask_each(instances, self.segment_index.newest_t)
        due = [i for i in instances if is_due(seen.get(i.name), newest_t=newest[i], now=now)]
        for first in range(0, len(due), ASKED_TOGETHER):
            if time.monotonic() > end:
                return
            some = due[first : first + ASKED_TOGETHER]
            yield from ask_each(some, lambda i: self._count(i, seen.get(i.name), now)).items()

    def _count(self, instance: Instance, seen: SegmentsSeen | None, now: datetime) -> SegmentsSeen:
        """Count on from what was seen: a segment that is extracted again replaces one, so the count stays."""
        segments = self.segment_index.segments(instance, after_t=seen.newest_t if seen else 0)
        stamps = [segment.extracted_at for segment in segments]
        return SegmentsSeen(
            newest_t=max((segment.last_t for segment in segments), default=seen.newest_t if seen else 0),
            count=(seen.count if seen else 0) + len(segments),
            newest_at=max([*stamps, *([seen.newest_at] if seen else [])], default=now),
            shown_at=now,
        )

    def newest_night(self, *, lookback: timedelta) -> Transaction | None:
        """The DAILY transaction that began last, whatever became of it; None if there is none."""
        found = self.metapod.transactions(TransactionType.DAILY, since=self.clock.now() - lookback)
        return found[0] if found else None

    def map_before(self, instant: datetime) -> CacheBefore | None:
        """The newest map that was committed before an instant, as git dates it; None if there was none to be read."""
        for version in self.repository.versions(MAP_PATH, ref=self.repository.base_branch):
            if version.committed_at <= instant:
                try:
                    return CacheBefore(version=version, entries=read_map(self.repository, ref=version.sha))
                except (BadInput, PathNotFoundError):
                    return None
        return None

    def file_versions(self) -> Iterator[tuple[str, FileVersion]]:
        """The newest commit of each watched file that exists on the base branch."""
        for path in WATCHED_FILES:
            versions = self.repository.versions(path, ref=self.repository.base_branch)
            if versions:
                yield path, versions[0]
