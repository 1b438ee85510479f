"""Adds up the datoms of a log, or of segments, for each range of t between two segment ends.

domain/log_ranges.py says what equal sums prove; datom_hash.py has the hash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_ranges import DatomSum, RequestedSegment, datom_sum
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.log.read_segments import read_segment
from logcache_assets.engine.raw.datom_hash import sum_datoms
from logcache_assets.ports import ObjectStore


class RangeSums:
    """The sums of one log for each of some segments' ranges, file after file.

    Args:
        segments: ascending by last_t.
    """

    def __init__(self, segments: Sequence[RequestedSegment]) -> None:
        self.sums = [DatomSum()] * len(segments)
        self.outside = 0
        """Datoms that lie in no segment's range."""
        self._ends = pl.Series("last_t", [s.last_t for s in segments], dtype=pl.Int64)
        self._begins = pl.DataFrame(
            {"range": range(len(segments)), "begin": [s.last_batch_t for s in segments]},
            {"range": pl.UInt32, "begin": pl.Int64},
        )

    def add(self, ts: pl.Series, hashes: pl.Series) -> None:
        """Add datoms: the t and the hash of each."""
        found = pl.DataFrame({"range": self._ends.search_sorted(ts), "t": ts, "hash": hashes})
        ranges = found.group_by("range").agg(
            pl.col("hash").count().alias("datoms"), pl.col("hash").sum(), pl.col("t").min(), pl.len()
        )
        known = ranges.join(self._begins, on="range", how="left")
        for number, datoms, total, first_t, rows, begin in known.iter_rows():
            if begin is None:
                self.outside += rows
                continue
            self.sums[number] += datom_sum(datoms, total)
            if first_t <= begin:
                self.outside += int(found.select(((pl.col("range") == number) & (pl.col("t") <= begin)).sum()).item())


@dataclass(frozen=True, slots=True, kw_only=True)
class SumSegmentsTask:
    """A driver's task: read some segments of one instance and add up the datoms of each, up to a t."""

    instance: str
    segments: tuple[RequestedSegment, ...]
    until_t: int
    store: ObjectStore

    def run(self) -> tuple[str, dict[str, DatomSum]]:
        """Return the instance, and path → sum.

        Raises:
            SegmentError: a segment is not what its index item says.
        """
        return self.instance, {path: sum_datoms(frame) for path, frame in self._frames()}

    def _frames(self) -> Iterable[tuple[str, pl.DataFrame]]:
        for requested in self.segments:
            frame = read_segment(segment_of(self.instance, requested), self.store)
            yield requested.path, frame.filter(pl.col("t") <= self.until_t)


def segment_of(instance: str, requested: RequestedSegment) -> Segment:
    """The index item of a requested segment."""
    return Segment(
        instance=parse_instance(instance),
        path=requested.path,
        initial_t=requested.initial_t,
        last_batch_t=requested.last_batch_t,
        last_t=requested.last_t,
        timestamp_ms=requested.timestamp_ms,
    )
