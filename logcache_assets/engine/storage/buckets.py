"""Buckets: groups of entities that are folded one at a time, so that each fits in memory.

All datoms of an entity are in one bucket, given by the top bits of a hash of the entity id. The number of buckets is
therefore a power of two, and each bucket of a small count is a union of buckets of a larger one. Stored files have
their bucket in their name (docs/formats.md), so the hash must never change.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

BUCKET_DATOMS = 4_000_000
"""Target datoms per bucket; computing contracts of that many takes a few hundred megabytes."""

MAX_BUCKETS = 4096

_MULTIPLIER = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio (Knuth's multiplicative hashing), which spreads neighbouring ids."""


def choose_buckets(datoms: int, *, bucket_datoms: int = BUCKET_DATOMS) -> int:
    """The smallest power of two, up to MAX_BUCKETS, that leaves at most `bucket_datoms` in a bucket on average."""
    wanted = max(1, -(-datoms // bucket_datoms))
    return min(MAX_BUCKETS, 1 << (wanted - 1).bit_length())


def group_buckets(rows: Sequence[int], *, at_most: int) -> int | None:
    """The smallest power of two of groups of neighbouring buckets, of which none has more than `at_most` rows.

    Args:
        rows: of each bucket, in order; their number is a power of two.
        at_most: what a group may hold.

    Returns:
        A number of buckets, each a group; None if a bucket alone has more rows.
    """
    fitting = (groups for groups in _powers_of_two(len(rows)) if max(_sums(rows, groups)) <= at_most)
    return next(fitting, None)


def _powers_of_two(last: int) -> Iterator[int]:
    return (1 << power for power in range(last.bit_length()))


def _sums(rows: Sequence[int], groups: int) -> Iterator[int]:
    size = len(rows) // groups
    return (sum(rows[first : first + size]) for first in range(0, len(rows), size))


def bucket_of(buckets: int, entity: str = "e") -> pl.Expr:
    """Expression for the bucket number of each entity, from 0."""
    if buckets == 1:
        return pl.lit(0, pl.UInt64)
    hashed = pl.col(entity).cast(pl.UInt64) * pl.lit(_MULTIPLIER, pl.UInt64)  # overflow wraps, as the hash requires
    return hashed // pl.lit(2**64 // buckets, pl.UInt64)


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """Bucket `number` (from 0) of `of` buckets."""

    number: int
    of: int

    def meets(self, other: "Bucket") -> bool:
        """Whether an entity can be in both buckets."""
        few, many = sorted((self, other), key=lambda bucket: bucket.of)
        return many.number // (many.of // few.of) == few.number

    def holds_all_of(self, other: "Bucket") -> bool:
        """Whether every entity of the other bucket is in this one."""
        return self.of <= other.of and self.meets(other)

    def select(self, frame: Frame) -> Frame:
        """The rows whose entity `e` is in this bucket."""
        return frame if self.of == 1 else frame.filter(bucket_of(self.of) == self.number)

    def __str__(self) -> str:
        """The form used in file names: `00003-of-00008`."""
        return f"{self.number:05}-of-{self.of:05}"


WHOLE = Bucket(0, 1)

_NAME = re.compile(r"(\d{5})-of-(\d{5})")


def parse_bucket(text: str) -> Bucket | None:
    """Parse the form used in file names; None if the text is not a valid bucket."""
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    number, of = int(match[1]), int(match[2])
    sound = 0 < of <= MAX_BUCKETS and of & (of - 1) == 0 and number < of
    return Bucket(number, of) if sound else None
