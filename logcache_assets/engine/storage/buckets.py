"""Buckets: all datoms of an entity lie in one bucket, so that each can be folded alone and fits in memory.

The bucket is the top bits of a hash of the entity id, so the number of buckets is a power of two and a bucket of few is
a union of buckets of many. Files that are stored bucketed carry it in their names (docs/formats.md); the hash may never
change.
"""

import re
from dataclasses import dataclass

import polars as pl

BUCKET_DATOMS = 4_000_000
"""About how many datoms one bucket should hold: some hundred megabytes while contracts are computed."""

MAX_BUCKETS = 4096

_MULTIPLIER = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio (Knuth's multiplicative hashing): neighbouring ids land far apart."""


def choose_buckets(datoms: int, *, bucket_datoms: int = BUCKET_DATOMS) -> int:
    """The smallest power of two that keeps buckets of that many datoms small enough."""
    wanted = max(1, -(-datoms // bucket_datoms))
    return min(MAX_BUCKETS, 1 << (wanted - 1).bit_length())


def bucket_of(buckets: int, entity: str = "e") -> pl.Expr:
    """The bucket of every entity, counted from 0."""
    if buckets == 1:
        return pl.lit(0, pl.UInt64)
    hashed = pl.col(entity).cast(pl.UInt64) * pl.lit(_MULTIPLIER, pl.UInt64)  # overflow wraps, as the hash wants
    return hashed // pl.lit(2**64 // buckets, pl.UInt64)


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """One of `of` buckets."""

    number: int
    of: int

    def meets(self, other: "Bucket") -> bool:
        """Whether some entity may lie in both."""
        few, many = sorted((self, other), key=lambda bucket: bucket.of)
        return many.number // (many.of // few.of) == few.number

    def holds_all_of(self, other: "Bucket") -> bool:
        """Whether every entity of the other lies in this one."""
        return self.of <= other.of and self.meets(other)

    def select(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of this bucket, by their `e`."""
        return frame if self.of == 1 else frame.filter(bucket_of(self.of) == self.number)

    def __str__(self) -> str:
        """As file names spell it: `00003-of-00008`."""
        return f"{self.number:05}-of-{self.of:05}"


WHOLE = Bucket(0, 1)

_NAME = re.compile(r"(\d{5})-of-(\d{5})")


def parse_bucket(text: str) -> Bucket | None:
    """A bucket as file names spell it; None for anything else."""
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    number, of = int(match[1]), int(match[2])
    sound = 0 < of <= MAX_BUCKETS and of & (of - 1) == 0 and number < of
    return Bucket(number, of) if sound else None
