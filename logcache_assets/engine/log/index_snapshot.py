"""The segment index as one run sees it: every question is asked once, and its answer holds until the run ends."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar, cast

from typing_extensions import override

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.ports import SegmentIndex

Answer = TypeVar("Answer")


class IndexSnapshot(SegmentIndex):
    """An index that remembers its answers, for a run that reads the same logs several times.

    A run opens a log for its raw datasets, for its contracts and for their validation. It must find the same segments
    each time, and asks once whether the map's entry is stale.

    Args:
        index: the index to ask.
    """

    def __init__(self, index: SegmentIndex) -> None:
        self._index = index
        self._answers: dict[tuple[object, ...], object] = {}

    @override
    def segments(self, instance: Instance, *, after_t: int = 0) -> tuple[Segment, ...]:
        return self._remember(("segments", instance, after_t), lambda: self._index.segments(instance, after_t=after_t))

    @override
    def newest_t(self, instance: Instance) -> int:
        return self._remember(("newest_t", instance), lambda: self._index.newest_t(instance))

    @override
    def extracted_since(self, instance: Instance, *, before_t: int, since: datetime) -> tuple[Extraction, ...]:
        return self._remember(
            ("extracted_since", instance, before_t, since),
            lambda: self._index.extracted_since(instance, before_t=before_t, since=since),
        )

    def _remember(self, question: tuple[object, ...], ask: Callable[[], Answer]) -> Answer:
        if question not in self._answers:
            self._answers[question] = ask()
        return cast("Answer", self._answers[question])
