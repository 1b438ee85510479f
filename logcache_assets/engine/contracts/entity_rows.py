"""Rows of entity contracts: one per entity whose primary key is asserted at the build's last t."""

import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.engine.contracts.entity_reader import EntityReader
from logcache_assets.engine.contracts.row_values import prototype_of, typed_value
from logcache_assets.engine.storage.schemas import END


def entity_rows(reader: EntityReader, table: ContractTable) -> pl.DataFrame:
    """The current values of every entity that has a primary key, sorted by it."""
    current = reader.keys.filter(pl.col("t_to") == END)
    rows = current.select("e", typed_value(reader.key), prototype=prototype_of(reader))
    for attribute in table.attributes:
        shown = reader.timeline_of(attribute).filter(pl.col("t_to") == END)
        rows = _beside(rows, shown.select("e", typed_value(reader.columns[attribute])))
    return rows.sort(reader.key.name, maintain_order=True)


def _beside(rows: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Rows with the cell of their entity; most attributes have a value for exactly the entities of the rows."""
    if len(rows) == len(cells) and (rows["e"] == cells["e"]).all():
        return rows.hstack(cells.drop("e"))
    return rows.join(cells, on="e", how="left", maintain_order="left")
