"""What the local world's extractor does to the items of the segment index, wherever that lies."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment


class SegmentItems(ABC):
    """The items of the segment index, to be written; a SegmentIndex reads them.

    Every method raises SegmentIndexUnavailable when the store of items could not answer, and SegmentIndexWrongData
    when it refuses.
    """

    @abstractmethod
    def make_empty(self) -> None:
        """Make the store of items for a new world; one that an earlier world left is emptied."""

    @abstractmethod
    def put(self, segments: Iterable[Segment]) -> None:
        """Add items; one with the instance and last_t of another replaces it."""

    @abstractmethod
    def remove(self, instance: Instance, last_t: int) -> None:
        """Remove one item; raises SegmentIndexWrongData when there is no such item."""
