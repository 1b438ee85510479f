"""Rows of transactions, for the kinds whose rows have a t: the moments at which there is a row, filled with cells.

A frame of moments has the columns (moment, key, order): `key` is the primary key of the entity then, `order` sorts rows
by the contract's key.
"""

from collections.abc import Sequence

import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.engine.contracts.as_of import as_of, t_of
from logcache_assets.engine.contracts.column_groups import ColumnGroup
from logcache_assets.engine.contracts.entity_reader import EntityReader
from logcache_assets.engine.contracts.row_values import fill_columns, prototype_of
from logcache_assets.engine.storage.schemas import END


def keyed_moments(answers: pl.DataFrame) -> pl.DataFrame:
    """The moments that have a primary key, from (moment, value, place): the key and its place among all keys."""
    found = answers.filter(pl.col("place").is_not_null())
    order = (found["place"].cast(pl.UInt64) * (END + 1) + t_of(found["moment"]).cast(pl.UInt64)).alias("order")
    return found.select("moment", pl.col("value").alias("key"), order)


def fill_moments(reader: EntityReader, table: ContractTable, moments: pl.DataFrame) -> pl.DataFrame:
    """The row of every moment: its key, t and instant, and the value of every attribute as of then."""
    cells = _cells(reader, table, moments["moment"])
    ts = t_of(moments["moment"]).alias("db__t")
    instants = reader.instance.instants_of(ts).alias("db__tx_instant")
    key = moments["key"].cast(reader.key.dtype).alias(reader.key.name)
    entities = reader.ranks.entities_at(moments["moment"])
    frame = pl.DataFrame([key, ts, instants, *cells, moments["order"], entities])
    return frame.with_columns(prototype=prototype_of(reader)).sort("order", maintain_order=True)


def _cells(reader: EntityReader, table: ContractTable, moments: pl.Series) -> list[pl.Series]:
    """The cells of every row, one series per attribute."""

    def values_at(group: ColumnGroup, places: Sequence[int]) -> pl.Series:
        first, last = places[0], places[-1]
        cells, timeline = group.facts.cells.between(reader.shown_by(group).timeline, first, last)
        asked = reader.ranks.moments_at([place - first for place in places], moments)
        return as_of(asked, reader.ranks.intervals_of(timeline, cells))["value"].cast(group.dtype)

    return fill_columns(reader, table.attributes, values_at, rows=len(moments), most=reader.ranks.most_places())
