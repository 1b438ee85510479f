"""Rows of entity contracts: one per entity whose primary key is asserted at the build's last t."""

import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.engine.contracts.columns import Column
from logcache_assets.engine.contracts.entity_reader import EntityReader
from logcache_assets.engine.contracts.row_values import prototype_of, typed_value
from logcache_assets.engine.storage.schemas import END


def entity_rows(reader: EntityReader, table: ContractTable) -> pl.DataFrame:
    """The current values of every entity that has a primary key, sorted by it."""
    current = reader.keys.filter(pl.col("t_to") == END)
    rows = current.select("e", typed_value(reader.key), prototype=prototype_of(reader))
    entities = rows.select("e")
    cells = (_cells_of(entities, reader, reader.columns[attribute]) for attribute in table.attributes)
    return rows.hstack(list(cells)).sort(reader.key.name, maintain_order=True)


def _cells_of(entities: pl.DataFrame, reader: EntityReader, column: Column) -> pl.Series:
    """The cell of each entity; most attributes have a value for exactly the entities of the rows."""
    shown = reader.timeline_of(column.attribute).filter(pl.col("t_to") == END).select("e", typed_value(column))
    if len(entities) == len(shown) and (entities["e"] == shown["e"]).all():
        return shown[column.name]
    return entities.join(shown, on="e", how="left", maintain_order="left")[column.name]
