"""A segment index in memory, for files of index items, benchmarks and tests."""

from collections.abc import Iterable
from datetime import datetime

from typing_extensions import override

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import (
    Extraction,
    Segment,
    chain_after,
    extraction_of,
    find_stale_segments,
    newest_t,
)
from logcache_assets.ports import SegmentIndex


class SegmentList(SegmentIndex):
    """An index of the given segments, which may be of any number of instances.

    Args:
        segments: in any order; one with the instance and last_t of an earlier one replaces it, as in DynamoDB.
    """

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._items: dict[Instance, dict[int, Segment]] = {}
        for segment in segments:
            self._items.setdefault(segment.instance, {})[segment.last_t] = segment

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances that have segments, sorted."""
        return tuple(sorted(self._items))

    @override
    def segments(self, instance: Instance, *, after_t: int = 0) -> tuple[Segment, ...]:
        return chain_after(self._of(instance), after_t=after_t)

    @override
    def newest_t(self, instance: Instance) -> int:
        return newest_t(self._of(instance))

    @override
    def extracted_since(self, instance: Instance, *, before_t: int, since: datetime) -> tuple[Extraction, ...]:
        stale = find_stale_segments(self._of(instance), cached_until_t=before_t, source_read_at=since)
        return tuple(extraction_of(segment) for segment in chain_after(stale, after_t=0))

    def _of(self, instance: Instance) -> Iterable[Segment]:
        return self._items.get(instance, {}).values()
