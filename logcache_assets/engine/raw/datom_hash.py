"""Hashes datoms so that the sums of their hashes can be compared (docs/formats.md, "Sums of datoms").

The hash is defined byte by byte and depends on no version of polars: it can be computed elsewhere.
"""

import polars as pl
import polars_hash

from logcache_assets.domain.log_ranges import DatomSum, datom_sum

SUM_NAME = "datoms-xxh3-128-1"
"""The name of the sum; another definition of the hash gets another name."""

SEPARATOR = "\x1f"


def datom_hash() -> pl.Expr:
    """The 128-bit hash of each row's datom, an unsigned integer; null if a field is null. Columns of DATOM_COLUMNS."""
    fields = (pl.col("e"), pl.col("a"), pl.col("t"), pl.col("added").cast(pl.UInt8), pl.col("v"))
    text: polars_hash.HExpr = pl.concat_str(*fields, separator=SEPARATOR)  # type: ignore[assignment] # polars adds .nchash
    return text.nchash.xxh3_128()


def sum_of(hashes: pl.Series) -> DatomSum:
    """The sum of these hashes; polars adds unsigned 128-bit integers modulo 2^128."""
    return datom_sum(len(hashes) - hashes.null_count(), int(hashes.sum() or 0))


def sum_datoms(datoms: pl.DataFrame) -> DatomSum:
    """The sum of the datoms in a frame; columns of DATOM_COLUMNS."""
    return sum_of(datoms.select(datom_hash()).to_series())
