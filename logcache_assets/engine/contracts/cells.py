"""The cells of a row, as polars expressions."""

import polars as pl

from logcache_assets.engine.contracts.columns import Column
from logcache_assets.engine.contracts.entity_reader import EntityReader


def value_cell(column: Column) -> pl.Expr:
    """The `value` of a timeline in the type and under the name of its column."""
    return pl.col("value").cast(column.dtype).alias(column.name)


def prototype_cell(reader: EntityReader) -> pl.Expr:
    """The prototype whose entities are read."""
    return pl.lit(reader.instance.facts.instance.prototype)
