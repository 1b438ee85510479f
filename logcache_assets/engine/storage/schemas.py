"""Columns of the engine's two raw tables, in memory and in Parquet; docs/formats.md describes them for readers."""

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
"""A datom, as segments and cached logs hold it."""

DATOM_COLUMNS = ("e", "a", "v", "t", "added")
"""What of a datom makes facts; the tx and its instant are facts themselves."""

FACTS_SCHEMA = pl.Schema(
    {"e": pl.Int64(), "a": pl.Int64(), "v": pl.String(), "n": pl.Int64(), "t_from": pl.Int64(), "t_to": pl.Int64()}
)
"""A fact over [t_from, t_to); an open one has no t_to.

`n` is the value as an integer where its type is one of INTEGER_TYPES (values.py), so that `v` need not be read.
"""

FACTS_ORDER = ("a", "e", "t_from", "v")
"""How facts are sorted: the history of an attribute is one scan, its entities are merged in order."""

TX_BASE = 13194139533312
"""The entity of the tx at t is TX_BASE + t (partition 3 of Datomic)."""

END = 2**42 - 1
"""Stands for `still open` where intervals are compared; t has 42 bits in Datomic, so none reaches it."""


def type_name(dtype: pl.DataType) -> str:
    """A column type by its Arrow name, as documents and docs/formats.md write it."""
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
