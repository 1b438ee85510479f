"""Polars expressions for the values of a contract's row."""

import polars as pl

from logcache_assets.engine.contracts.columns import Column
from logcache_assets.engine.contracts.entity_reader import EntityReader


def typed_value(column: Column) -> pl.Expr:
    """The `value` of a timeline, with the type and name of its column."""
    return pl.col("value").cast(column.dtype).alias(column.name)


def prototype_of(reader: EntityReader) -> pl.Expr:
    """The prototype of the instance that is read."""
    return pl.lit(reader.instance.facts.instance.prototype)
