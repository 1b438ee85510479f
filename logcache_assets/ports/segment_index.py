"""The index of Avro segments that the extractor keeps."""

from abc import ABC, abstractmethod
from datetime import datetime

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.errors import LogCacheError, Unavailable, WrongData


class SegmentIndexError(LogCacheError):
    """Base of the segment index's errors; one of its subclasses is raised."""


class SegmentIndexUnavailable(SegmentIndexError, Unavailable):
    """The segment index could not answer."""


class SegmentIndexWrongData(SegmentIndexError, WrongData):
    """The segment index does not exist or holds a malformed item."""


class SegmentIndex(ABC):
    """The index of Avro segments that the extractor keeps: one item per segment, with its path and range of t.

    A caller asks for what it needs and no more: an instance has thousands of segments, and a cache makes most of them
    unnecessary. Every method raises SegmentIndexUnavailable when the index could not answer, and SegmentIndexWrongData
    when there is no index or an item of the answer is malformed. Implementations can be pickled, because tasks take
    them to Spark's workers.
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
