"""Columns of the two raw tables, log and facts, in memory and in Parquet (docs/formats.md)."""

from collections.abc import Collection

import polars as pl

LOG_SCHEMA = pl.Schema(
    {
        "e": pl.Int64(),
        "a": pl.Int64(),
        "v": pl.String(),
        "t": pl.Int64(),
        "tx": pl.Int64(),
        "added": pl.Boolean(),
        "tx_instant": pl.Datetime("ms", "UTC"),
    }
)
"""One datom per row, as in segments and cached logs."""

DATOM_COLUMNS = ("e", "a", "v", "t", "added")
"""The columns of a datom that facts are folded from; a tx's instant is a fact of its own."""

FACTS_SCHEMA = pl.Schema(
    {"e": pl.Int64(), "a": pl.Int64(), "v": pl.String(), "n": pl.Int64(), "t_from": pl.Int64(), "t_to": pl.Int64()}
)
"""One fact per row, true over [t_from, t_to); t_to is null while it is open. Empty facts: facts/fold.py.

`n` is the value as an integer if its type is one of INTEGER_TYPES (values.py), so that `v` need not be read.
"""

FACTS_ORDER = ("a", "e", "t_from", "v")
"""Sort order of stored facts: an attribute is one contiguous run, its entities are in order."""

TX_BASE = 13194139533312
"""The tx at t is the entity TX_BASE + t (Datomic's partition 3)."""

END = 2**42 - 1
"""Replaces a null t_to where intervals are compared. Datomic's t has 42 bits, so no real t reaches it."""


def is_among(attributes: Collection[int]) -> pl.Expr:
    """Whether the attribute of a row is one of these."""
    # Of a plain list polars would ask every number's type, in every scan: that takes longer than reading a small file.
    return pl.col("a").is_in(pl.Series(list(attributes), dtype=pl.Int64).implode())


def type_name(dtype: pl.DataType) -> str:
    """The Arrow name of a column type, as in documents and docs/formats.md."""
    match dtype:
        case pl.List():
            return f"list<{type_name(dtype.inner)}>"  # type: ignore[arg-type] # always an instance in a real frame
        case pl.Datetime():
            zone = f", tz={dtype.time_zone}" if dtype.time_zone else ""
            return f"timestamp[{dtype.time_unit}{zone}]"
        case pl.Decimal():
            return f"decimal128({dtype.precision}, {dtype.scale})"
    return {"Boolean": "bool", "Float64": "double"}.get(str(dtype), str(dtype).lower())


def column_types(schema: pl.Schema) -> dict[str, str]:
    """Column → Arrow type name, in order."""
    return {name: type_name(dtype) for name, dtype in schema.items()}


def may_be_int96(schema: pl.Schema) -> bool:
    """Whether polars' schema of a file has nanoseconds, as INT96 appears to it; real nanoseconds do, too."""
    return any(_innermost(dtype) == pl.Datetime("ns") for dtype in schema.values())


def _innermost(dtype: pl.DataType) -> pl.DataType:
    while isinstance(dtype, pl.List | pl.Array):
        dtype = dtype.inner  # type: ignore[assignment] # always an instance in a real frame
    return dtype
