"""Rows of entity contracts: one per entity whose primary key is asserted at the build's last t."""

from collections.abc import Sequence

import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.engine.contracts.column_groups import ColumnGroup
from logcache_assets.engine.contracts.entity_reader import EntityReader
from logcache_assets.engine.contracts.row_values import fill_columns, prototype_of, typed_value
from logcache_assets.engine.storage.schemas import END


def entity_rows(reader: EntityReader, table: ContractTable) -> pl.DataFrame:
    """The current values of every entity that has a primary key, sorted by it."""
    current = reader.keys.filter(pl.col("t_to") == END)
    rows = current.select("e", typed_value(reader.key), prototype=prototype_of(reader))
    return rows.hstack(_cells(reader, table, rows["e"])).sort(reader.key.name, maintain_order=True)


def _cells(reader: EntityReader, table: ContractTable, entities: pl.Series) -> list[pl.Series]:
    """The cells of every row, one series per attribute."""

    def values_at(group: ColumnGroup, places: Sequence[int]) -> pl.Series:
        shown = reader.shown_by(group).timeline.filter(pl.col("t_to") == END)
        wanted = group.facts.cells.numbers(places, entities)
        # Most attributes have a value for exactly the entities of the rows.
        same = len(wanted) == len(shown) and (wanted == shown["e"]).all(ignore_nulls=False)
        found = shown if same else wanted.to_frame("e").join(shown, on="e", how="left", maintain_order="left")
        return found["value"].cast(group.dtype)

    return fill_columns(reader, table.attributes, values_at, rows=len(entities))
