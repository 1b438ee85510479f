"""Segments of the index and the rules that a chain of them obeys.

A segment covers (last_batch_t, last_t]. Two neighbours meet when `next.last_batch_t == previous.last_t`; t is not
dense, so `t + 1` is never tested. The codes C1, C2, C3 and C7 are those of problems.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.problems import Problem

CHAIN_REMEDY = "repair the segment index or have the range extracted again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One index item: an Avro file and the range of t that it covers."""

    instance: Instance
    path: str
    initial_t: int
    """The first t in the file."""
    last_batch_t: int
    """Exclusive lower end; 0 for the first segment."""
    last_t: int
    """Inclusive upper end."""
    timestamp_ms: int
    """When the file was extracted, milliseconds since 1970 UTC."""
    requested_range: str = ""
    """What the extractor was asked for, `[from to)`; the newest one of an instance ends far beyond last_t."""

    @property
    def extracted_at(self) -> datetime:
        """The timestamp as an instant."""
        return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """When a range of t was extracted: the key fields and the timestamp of an index item, without its file."""

    last_batch_t: int
    """Exclusive lower end."""
    last_t: int
    """Inclusive upper end."""
    timestamp_ms: int
    """Milliseconds since 1970 UTC."""


def extraction_of(segment: Segment) -> Extraction:
    """The extraction that wrote a segment."""
    return Extraction(last_batch_t=segment.last_batch_t, last_t=segment.last_t, timestamp_ms=segment.timestamp_ms)


class ChainProblem(Problem, frozen=True, kw_only=True):
    """A gap or an overlap: one range of t in which the segments do not make a whole log."""

    after_t: int
    """Exclusive."""
    until_t: int
    """Inclusive."""


def chain_after(segments: Iterable[Segment], *, after_t: int) -> tuple[Segment, ...]:
    """The segments that hold datoms with t > after_t, in order."""
    return tuple(sorted((s for s in segments if s.last_t > after_t), key=lambda s: (s.last_t, s.last_batch_t)))


def find_chain_faults(segments: Iterable[Segment], *, after_t: int) -> tuple[ChainProblem, ...]:
    """Gaps (C1, C2) and overlaps (C3) among the segments of one instance that continue a log up to after_t.

    A segment that straddles after_t is no fault: LogOp takes only its datoms with t > after_t.
    """
    faults, covered_t = [], after_t
    chain = sorted(chain_after(segments, after_t=after_t), key=lambda s: (s.last_batch_t, s.last_t))
    for n, segment in enumerate(chain):
        begins_at = segment.last_batch_t
        if begins_at > covered_t:
            faults.append(_gap(segment, after_t=covered_t, is_first=not n))
        elif n and begins_at < covered_t:
            faults.append(_overlap(segment, until_t=min(covered_t, segment.last_t)))
        covered_t = max(covered_t, segment.last_t)
    return tuple(faults)


def _gap(segment: Segment, *, after_t: int, is_first: bool) -> ChainProblem:
    return ChainProblem(
        code="C1" if is_first else "C2",
        subjects=(segment.instance.name,),
        found=(f"the segment index has a gap, nothing covers t in ({after_t}, {segment.last_batch_t}]",),
        remedy=CHAIN_REMEDY,
        after_t=after_t,
        until_t=segment.last_batch_t,
    )


def _overlap(segment: Segment, *, until_t: int) -> ChainProblem:
    return ChainProblem(
        code="C3",
        subjects=(segment.instance.name,),
        found=(f"the segment index has an overlap, two segments cover t in ({segment.last_batch_t}, {until_t}]",),
        remedy=CHAIN_REMEDY,
        after_t=segment.last_batch_t,
        until_t=until_t,
    )


def find_stale_segments(
    segments: Iterable[Segment], *, cached_until_t: int, source_read_at: datetime
) -> tuple[Segment, ...]:
    """Segments that replaced part of a cached log after it was read (C7): it may still hold deleted personal data.

    A new segment begins where the cache ends, or later; one that begins before holds t that the cache holds too, also
    when it reaches beyond the cache.
    """
    return tuple(s for s in segments if s.last_batch_t < cached_until_t and s.extracted_at > source_read_at)


def newest_t(segments: Iterable[Segment]) -> int:
    """The greatest last_t of these segments; 0 without any."""
    return max((s.last_t for s in segments), default=0)


def choose_read_t(segments: Iterable[Segment], *, indexed_t: tuple[int, int], seen_t: int) -> int:
    """Choose the t up to which a run read the log, when segments may have arrived during the run.

    Args:
        segments: the current segments of the instance; only those that arrived during the run matter.
        indexed_t: newest t of the index when the run began, and when it ended.
        seen_t: the greatest t in the rows that the run wrote.

    Returns:
        The smallest end of the index during the run that is not below seen_t.
    """
    begun, done = indexed_t
    ends = sorted(s.last_t for s in segments if begun < s.last_t <= done)
    return next((end for end in (begun, *ends) if end >= seen_t), max((begun, *ends)))


def find_reextractions(segments: Iterable[Segment], *, until_t: int) -> tuple[Segment, ...]:
    """Segments with datoms up to a t that were extracted after a later segment, so they replaced an earlier extraction.

    A segment that straddles the t counts, because the segment that it replaced may have held t up to there.
    """
    found, earliest = [], None
    for segment in sorted(segments, key=lambda s: -s.last_t):
        if earliest is not None and segment.timestamp_ms > earliest and segment.last_batch_t < until_t:
            found.append(segment)
        earliest = segment.timestamp_ms if earliest is None else min(earliest, segment.timestamp_ms)
    return tuple(reversed(found))
