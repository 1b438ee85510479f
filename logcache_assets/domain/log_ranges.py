"""Compares a log with its segments by sums of datom hashes, one sum per range of t between two segment ends (C31).

Equal sums mean equal datoms, in any order and however they are split into files; docs/formats.md defines the hash.
engine/raw computes the sums.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import msgspec

from logcache_assets.domain.segments import Segment

HASH_BITS = 128

HexSum = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]


class DatomSum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many datoms there are, and the sum of their hashes."""

    datoms: int = 0
    hashes: HexSum = "0" * 32
    """Modulo 2^128, as 32 hex digits."""

    def __add__(self, other: "DatomSum") -> "DatomSum":
        return datom_sum(self.datoms + other.datoms, int(self.hashes, 16) + int(other.hashes, 16))


def datom_sum(datoms: int, hashes: int) -> DatomSum:
    """A sum from integers of any size."""
    return DatomSum(datoms=datoms, hashes=f"{hashes % 2**HASH_BITS:032x}")


class SegmentRange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The datoms of one segment: those with last_batch_t < t <= last_t."""

    segment: str
    """Path of the file."""
    timestamp_ms: int
    """When it was extracted, milliseconds since 1970 UTC."""
    last_batch_t: int
    """Exclusive."""
    last_t: int
    """Inclusive. Less than the segment's last_t if the log ends inside the segment."""


class ProvenRange(SegmentRange, frozen=True, kw_only=True):
    """A range in which a cached log was found to equal its segment: a manifest vouches for it."""

    sum: DatomSum


class ComparedRange(SegmentRange, frozen=True, kw_only=True):
    """A range of a night's log beside the same range of the segments."""

    log: DatomSum
    segments: DatomSum
    vouched: bool = False
    """True if a manifest gave the segment's sum; False if the segment was read."""
    missing: int = 0
    """Datoms of the segment that the log does not have; counted only where the sums differ."""
    extra: int = 0
    """Datoms of the log that the segment does not have; counted only where the sums differ."""

    @property
    def equal(self) -> bool:
        """True if both hold the same datoms."""
        return self.log == self.segments


class RequestedSegment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A segment that a log is compared with, as the export notebook is told of it."""

    path: str
    initial_t: int
    last_batch_t: int
    last_t: int
    timestamp_ms: int
    vouched: DatomSum | None = None
    """The sum of its datoms by the active cache's manifest; None if the segment must be read."""


def plan_comparison(segments: Iterable[Segment], proven: Iterable[ProvenRange]) -> tuple[RequestedSegment, ...]:
    """List what a log is compared with: all segments, each with its sum if a manifest vouches for it.

    A range is vouched for only if it is the whole segment, and path and timestamp are still those of the index: a
    range that was extracted again is read again. Where the index lost an item, the range that a manifest vouches for
    stands in.

    Args:
        segments: all segments of the instance.
        proven: the ranges of the active cache's manifest.
    """
    left = {_identity(r): r for r in proven}
    known = [_requested(s, left.pop((s.path, s.timestamp_ms, s.last_batch_t, s.last_t), None)) for s in segments]
    lost = [_stand_in(r) for r in left.values() if not any(_overlap(r, s) for s in known)]
    return tuple(sorted([*known, *lost], key=lambda s: (s.last_t, s.last_batch_t)))


def _identity(proven: ProvenRange) -> tuple[str, int, int, int]:
    return proven.segment, proven.timestamp_ms, proven.last_batch_t, proven.last_t


def _requested(segment: Segment, proven: ProvenRange | None) -> RequestedSegment:
    return RequestedSegment(
        path=segment.path,
        initial_t=segment.initial_t,
        last_batch_t=segment.last_batch_t,
        last_t=segment.last_t,
        timestamp_ms=segment.timestamp_ms,
        vouched=proven.sum if proven else None,
    )


def _stand_in(proven: ProvenRange) -> RequestedSegment:
    return RequestedSegment(
        path=proven.segment,
        initial_t=proven.last_batch_t + 1,
        last_batch_t=proven.last_batch_t,
        last_t=proven.last_t,
        timestamp_ms=proven.timestamp_ms,
        vouched=proven.sum,
    )


def _overlap(proven: ProvenRange, segment: RequestedSegment) -> bool:
    return proven.last_batch_t < segment.last_t and segment.last_batch_t < proven.last_t


def was_compared_with(ranges: Iterable[SegmentRange], segments: Iterable[Segment], *, last_t: int) -> bool:
    """True if a log up to last_t was compared with each of these segments, as they are now."""
    compared = {(r.segment, r.timestamp_ms) for r in ranges}
    return compared >= {(s.path, s.timestamp_ms) for s in segments if s.last_batch_t < last_t}


def prove_ranges(compared: Iterable[ComparedRange]) -> tuple[ProvenRange, ...]:
    """What a manifest says of ranges that were found equal."""
    return tuple(
        ProvenRange(
            segment=r.segment,
            timestamp_ms=r.timestamp_ms,
            last_batch_t=r.last_batch_t,
            last_t=r.last_t,
            sum=r.segments,
        )
        for r in compared
    )


def find_uncompared(ranges: Sequence[SegmentRange], *, last_t: int) -> Iterator[tuple[int, int]]:
    """Yield (after_t, until_t) for each part of a log up to last_t that no range covers."""
    covered_t = 0
    for r in sorted(ranges, key=lambda r: r.last_t):
        if r.last_batch_t > covered_t:
            yield covered_t, r.last_batch_t
        covered_t = max(covered_t, r.last_t)
    if covered_t < last_t:
        yield covered_t, last_t
