"""What a copy into an immutable folder does with each object, how far it is, and what it will cost."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of an object."""

    MISSING = "missing"
    """Only at the source: to be copied."""
    PRESENT = "present"
    """On both sides with the same bytes."""
    CONFLICTING = "conflicting"
    """On both sides with different bytes: nothing is overwritten."""
    FOREIGN = "foreign"
    """Only at the destination."""
    UNPROVEN = "unproven"
    """On both sides, but without checksums that could be compared."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """What is known of an object's bytes."""

    size_bytes: int
    checksum: str | None = None
    """`crc64nvme:…`."""
    etag: str | None = None
    """Equal ones mean equal bytes; different ones mean nothing (docs/decisions/0007)."""


def fate_of(*, source: Bytes | None, destination: Bytes | None) -> Fate:
    """Decide what becomes of an object.

    at source?   at destination?   same size?   same checksum?                           fate
    yes          no                -            -                                        missing
    no           yes               -            -                                        foreign
    yes          yes               no           -                                        conflicting
    yes          yes               yes          unknown at the destination               unproven
    yes          yes               yes          unknown at the source, the etags differ  unproven
    yes          yes               yes          unknown at the source, the etags equal   present
    yes          yes               yes          yes                                      present
    yes          yes               yes          no                                       conflicting
    """
    if destination is None:
        return Fate.MISSING
    if source is None:
        return Fate.FOREIGN
    if source.size_bytes != destination.size_bytes:
        return Fate.CONFLICTING
    if destination.checksum is None:
        return Fate.UNPROVEN
    if source.checksum is None:
        return Fate.PRESENT if source.etag is not None and source.etag == destination.etag else Fate.UNPROVEN
    return Fate.PRESENT if source.checksum == destination.checksum else Fate.CONFLICTING


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """An object that is not the same on both sides."""

    name: str
    fate: Fate
    source_bytes: int | None
    """None if it is not there."""
    destination_bytes: int | None
    """None if it is not there."""

    def __str__(self) -> str:
        """`12 bytes at the source, absent at the destination`."""
        source, destination = (
            "absent" if size is None else f"{size} bytes" for size in (self.source_bytes, self.destination_bytes)
        )
        return f"{source} at the source, {destination} at the destination"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyProgress:
    """How far a copy is."""

    objects: int
    objects_done: int
    size_bytes: int
    bytes_done: int
    seconds: float
    """Since the first object was sent."""

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the objects so far; None before the first is done."""
        left = self.objects - self.objects_done
        return self.seconds / self.objects_done * left if self.objects_done else None

    def __str__(self) -> str:
        """`1,200 of 2,000 objects, 24 of 40 MB, 610 objects/s, 1 s left`."""
        done, size = (f"{count / 1e6:,.0f}" for count in (self.bytes_done, self.size_bytes))
        parts = [f"{self.objects_done:,} of {self.objects:,} objects", f"{done} of {size} MB"]
        if self.seconds_left is not None and self.seconds:
            parts += [f"{self.objects_done / self.seconds:,.0f} objects/s", f"{self.seconds_left:,.0f} s left"]
        return ", ".join(parts)


LIST_PAGE_OBJECTS = 1000
WRITE_DOLLARS = 0.005 / 1000
"""S3 Standard in us-east-1, per COPY, PUT, POST or LIST request; other regions cost up to twice as much."""
COPIES_PER_SECOND = 600
"""What is reached behind 60 ms (docs/performance.md)."""
PART_BYTES = 256 << 20
"""Size of the parts of an object that is too large to be copied in one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyEstimate:
    """What a copy will ask of S3."""

    objects: int
    size_bytes: int
    requests: int
    """Listings of the source and twice of the destination, a copy per object, and those of objects in parts."""

    @property
    def dollars(self) -> float:
        """Price of the requests. Data that stays in one region costs nothing to copy."""
        return self.requests * WRITE_DOLLARS

    @property
    def time(self) -> timedelta:
        """About how long it takes."""
        return timedelta(seconds=max(1.0, self.requests / COPIES_PER_SECOND))


def estimate_copy(*, objects: int, size_bytes: int, listed: int, large_bytes: tuple[int, ...] = ()) -> CopyEstimate:
    """Count the requests of a copy.

    Args:
        objects: to be copied.
        size_bytes: of them.
        listed: objects at the source.
        large_bytes: sizes of the objects that are copied in parts.
    """
    pages = 3 * (listed // LIST_PAGE_OBJECTS + 1)
    parts = sum(-(-size // PART_BYTES) + 3 for size in large_bytes)
    return CopyEstimate(objects=objects, size_bytes=size_bytes, requests=pages + objects - len(large_bytes) + parts)
