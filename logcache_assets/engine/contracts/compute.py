"""Contracts of one bucket: the tables that analysts use, from the facts of an instance.

Facts with [t_from, t_to) become timelines (column_timelines.py), these become rows (one module per kind, ROWS_BY_KIND),
and these one typed, sorted frame per dataset. Which buckets there are, and where the frames go, is build_contracts.py;
what the keys of a definition mean is docs/contracts.md.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.domain.kinds.entity import ENTITY
from logcache_assets.domain.kinds.history import HISTORY
from logcache_assets.domain.kinds.snapshot import SNAPSHOT
from logcache_assets.engine.contracts.columns import Column, Columns
from logcache_assets.engine.contracts.entity_reader import EntityReader, InstanceReader
from logcache_assets.engine.contracts.entity_rows import entity_rows
from logcache_assets.engine.contracts.history_rows import history_rows
from logcache_assets.engine.contracts.snapshot_rows import snapshot_rows
from logcache_assets.engine.facts.values import INSTANT
from logcache_assets.engine.storage.buckets import Bucket

ROWS_BY_KIND: Mapping[str, Callable[[EntityReader, ContractTable], pl.DataFrame]] = {
    ENTITY.name: entity_rows,
    SNAPSHOT.name: snapshot_rows,
    HISTORY.name: history_rows,
}
"""How the rows of each kind are computed, by the kind's name: one module per kind, as in domain/kinds/."""


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
        reader = EntityReader(instance, bucket, entity, columns)
        for table in its_tables:
            yield ContractPart(table=table, frame=compute_rows(reader, table).select(table.columns))


def compute_rows(reader: EntityReader, table: ContractTable) -> pl.DataFrame:
    """The rows of one table that the entities of a reader have, each with its entity in `e`.

    Raises what compute_parts raises.
    """
    rows = ROWS_BY_KIND[table.kind.name](reader, table)
    reader.refuse_wrong_values(rows, table.attributes)
    return rows


def empty_part(table: ContractTable, columns: Columns, key: Column) -> pl.DataFrame:
    """A contract without rows keeps its columns and types."""
    types = {column.name: column.dtype for column in (columns[a] for a in table.attributes)}
    times = {"db__t": pl.Int64(), "db__tx_instant": INSTANT}
    schema = {key.name: key.dtype, "prototype": pl.String(), **times, **types}
    return pl.DataFrame(schema={name: schema[name] for name in table.columns})
