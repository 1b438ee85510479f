"""Generates values: random numbers by formula, so that each row is independent of the rows before it, and texts.

The formula is our own because polars' hashes change between its versions.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from avro import little_endian

GOLDEN, MIX_1, MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""The constants of splitmix64: https://prng.di.unimi.it/splitmix64.c."""
WORD = 2**64


@dataclass(frozen=True, slots=True)
class Draws:
    """Independent random sequences, one per name; the nth number of a sequence is a function of n."""

    seed: int

    def bits(self, of: str, name: str) -> pl.Expr:
        """64 random bits for each number in the column `of`."""
        start = _mixed_number((self.seed * GOLDEN + zlib.crc32(name.encode())) % WORD)
        z = pl.col(of).cast(pl.UInt64) * _u64(GOLDEN) + _u64(start)
        z = (z ^ (z // _u64(2**30))) * _u64(MIX_1)
        z = (z ^ (z // _u64(2**27))) * _u64(MIX_2)
        return z ^ (z // _u64(2**31))

    def below(self, of: str, name: str, limit: int | pl.Expr) -> pl.Expr:
        """A random number in [0, limit)."""
        divisor = limit.cast(pl.UInt64) if isinstance(limit, pl.Expr) else _u64(limit)
        return (self.bits(of, name) % divisor).cast(pl.Int64)

    def chance(self, of: str, name: str, share: float) -> pl.Expr:
        """True for this share of the rows."""
        return self.below(of, name, 2**20) < int(share * 2**20)

    def pick(self, of: str, name: str, words: Sequence[str]) -> pl.Expr:
        """A random word of these."""
        return pick(words, self.below(of, name, len(words)))

    def uuids(self, numbers: pl.Series, name: str) -> pl.Series:
        """A uuid for each number, as text."""
        halves = numbers.alias("n").to_frame().select(high=self.bits("n", name), low=self.bits("n", f"{name} low"))
        digits = pl.DataFrame({part: little_endian(halves[part]).bin.encode("hex") for part in ("high", "low")})
        high, low = pl.col("high").str, pl.col("low").str
        text = pl.format(
            "{}-{}-4{}-a{}-{}", high.slice(0, 8), high.slice(8, 4), high.slice(13), low.slice(1, 3), low.slice(4)
        )
        return digits.select(text).to_series()


def _mixed_number(z: int) -> int:
    z = ((z ^ (z >> 30)) * MIX_1) % WORD
    z = ((z ^ (z >> 27)) * MIX_2) % WORD
    return z ^ (z >> 31)


def _u64(number: int) -> pl.Expr:
    return pl.lit(number, dtype=pl.UInt64)


def pick(words: Sequence[str], position: pl.Expr) -> pl.Expr:
    """The words at these positions."""
    return pl.lit(pl.Series(words)).gather(position)


def decimal_text(hundredths: pl.Expr) -> pl.Expr:
    """A bigdec of two decimals: -1205 is `-12.05`."""
    size = hundredths.abs()
    sign = pl.when(hundredths < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str(sign, size // 100, pl.lit("."), pick([f"{n:02}" for n in range(100)], size % 100))


def double_text(thousandths: pl.Expr) -> pl.Expr:
    """A double in its shortest form: 1250 is `1.25`, 3000 is `3.0`."""
    ends = [f"{n / 1000!r}"[1:] for n in range(1000)]
    return pl.concat_str(thousandths // 1000, pick(ends, thousandths % 1000))


def instant_text(ms: pl.Expr) -> pl.Expr:
    """Milliseconds since 1970 as ISO-8601 UTC."""
    return ms.cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ")
