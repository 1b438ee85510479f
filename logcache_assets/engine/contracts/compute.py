"""Contracts of one bucket: the tables that analysts use, from the facts of an instance.

The data flow: facts with [t_from, t_to) → timelines (cells.py) → rows (rows.py) → one typed, sorted frame per dataset.
Which buckets there are, and where the frames go, is build.py; what the definition keys mean is docs/contracts.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from logcache_assets.domain.definitions import ContractTable
from logcache_assets.engine.contracts.as_of import as_of, t_of
from logcache_assets.engine.contracts.columns import Column, Columns
from logcache_assets.engine.contracts.entity_reader import EntityReader, InstanceReader
from logcache_assets.engine.contracts.history_rows import history_rows, snapshot_rows
from logcache_assets.engine.facts.values import INSTANT
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.schemas import END


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractPart:
    """The rows of one contract dataset that one bucket of one instance has."""

    table: ContractTable
    frame: pl.DataFrame
    """Columns in the order of the table, sorted by its key."""


def compute_parts(
    tables: Sequence[ContractTable], columns: Columns, instance: InstanceReader, bucket: Bucket
) -> Iterator[ContractPart]:
    """The parts of every table in a bucket, one after the other.

    Raises:
        EngineError: a value that its type cannot hold, or a tx without an instant.
    """
    for entity, its_tables in groupby(tables, key=lambda table: table.entity):
        view = EntityReader(instance, bucket, entity, columns)
        for table in its_tables:
            yield ContractPart(table=table, frame=compute_rows(view, table).select(table.columns))


def compute_rows(view: EntityReader, table: ContractTable) -> pl.DataFrame:
    """The rows of one table that the entities of a view have, each with its entity in `e`.

    Raises what compute_parts raises.
    """
    return _entities(view, table) if table.kind == "entity" else _changes(view, table)


def empty_part(table: ContractTable, columns: Columns, key: Column) -> pl.DataFrame:
    """A contract without rows keeps its columns and types."""
    types = {column.name: column.dtype for column in (columns[a] for a in table.attributes)}
    times = {"db__t": pl.Int64(), "db__tx_instant": INSTANT}
    schema = {key.name: key.dtype, "prototype": pl.String(), **times, **types}
    return pl.DataFrame(schema={name: schema[name] for name in table.columns})


def _entities(view: EntityReader, table: ContractTable) -> pl.DataFrame:
    """One row per entity whose primary key is asserted at the end."""
    current = view.keys.filter(pl.col("t_to") == END)
    rows = current.select("e", _value(view.key), prototype=_prototype(view))
    for attribute in table.attributes:
        shown = view.timeline_of(attribute).filter(pl.col("t_to") == END)
        rows = _beside(rows, shown.select("e", _value(view.columns[attribute])))
    return rows.sort(view.key.name, maintain_order=True)


def _beside(rows: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Rows with the cell of their entity; most attributes have a value for exactly the entities of the rows."""
    if len(rows) == len(cells) and (rows["e"] == cells["e"]).all():
        return rows.hstack(cells.drop("e"))
    return rows.join(cells, on="e", how="left", maintain_order="left")


def _changes(view: EntityReader, table: ContractTable) -> pl.DataFrame:
    """One row per change: of an attribute (history) or of the entity (snapshot)."""
    keys = view.placed_keys
    if table.kind == "history":
        rows = history_rows(view.ranks, keys, view.facts_of(table.attributes[0]))
    else:
        rows = snapshot_rows(view.ranks, keys, view.instance.facts.times(view.bucket, after_t=view.instance.after_t))
    cells = [_cells(view, view.columns[attribute], rows["moment"]) for attribute in table.attributes]
    ts = t_of(rows["moment"]).alias("db__t")
    instants = view.instance.instants_of(ts).alias("db__tx_instant")
    key = rows["key"].cast(view.key.dtype).alias(view.key.name)
    entities = view.ranks.entities_at(rows["moment"])
    frame = pl.DataFrame([key, ts, instants, *cells, rows["order"], entities]).with_columns(prototype=_prototype(view))
    return frame.sort("order", maintain_order=True)


def _cells(view: EntityReader, column: Column, moments: pl.Series) -> pl.Series:
    intervals = view.ranks.intervals_of(view.timeline_of(column.attribute))
    return as_of(moments.to_frame(), intervals).select(_value(column)).to_series()


def _value(column: Column) -> pl.Expr:
    """The value of a timeline as the cell of a column."""
    return pl.col("value").cast(column.dtype).alias(column.name)


def _prototype(view: EntityReader) -> pl.Expr:
    return pl.lit(view.instance.facts.instance.prototype)
