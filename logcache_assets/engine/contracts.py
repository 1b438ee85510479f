"""Contracts: the tables that analysts use, computed from the facts of all instances of a database.

The data flow: facts with [t_from, t_to) → rows (rows.py) → cells (cells.py) → one typed, sorted table per dataset.
What the definition keys mean is docs/contracts.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.definitions import KINDS, ContractTable, DatabaseDefinition, Kind, contract_tables
from logcache_assets.domain.instances import Instance
from logcache_assets.engine.cells import cells_of, parsed_facts
from logcache_assets.engine.columns import Column, Columns, agree_columns, primary_key
from logcache_assets.engine.parquet import write_parquet
from logcache_assets.engine.rows import entity_rows, history_rows, snapshot_rows
from logcache_assets.engine.values import INSTANT
from logcache_assets.engine.view import InstanceView
from logcache_assets.ports import ObjectStore, StoredObject, Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One computed contract dataset."""

    table: ContractTable
    frame: pl.DataFrame
    """Columns in the order of the table, sorted by its key."""


def compute_contracts(
    definition: DatabaseDefinition,
    facts: Mapping[Instance, pl.DataFrame],
    *,
    pii_key: bytes,
    warn: Tell,
    kinds: Sequence[Kind] = KINDS,
) -> Iterator[Contract]:
    """Every contract of a database, one after the other.

    Args:
        definition: what to compute.
        facts: of every instance of the definition, cut at the build's t (read_facts).
        pii_key: under which personal data is hashed.
        warn: told of attributes that no instance has.
        kinds: which kinds to compute.

    Raises:
        BadInput: the definition contradicts the schemas in the logs.
        EngineError: a value that its type cannot hold, or a tx without an instant.
    """
    views = [InstanceView(instance, facts[instance]) for instance in definition.instances]
    columns = agree_columns(definition, {view.instance: view.schema for view in views}, warn)
    for table in contract_tables(definition, kinds):
        parts = [_part(view, table, columns, pii_key) for view in views]
        frame = pl.concat(parts).sort(*table.key, "e", nulls_last=True).select(table.columns)
        yield Contract(table=table, frame=frame)


def write_contract(contract: Contract, out_uri: str, store: ObjectStore) -> StoredObject:
    """Put a contract into its folder; an empty one is a file with the schema."""
    return write_parquet(contract.frame, out_uri, store)


def _part(view: InstanceView, table: ContractTable, columns: Columns, pii_key: bytes) -> pl.DataFrame:
    """The rows of one instance, with the entity id in `e`."""
    key = columns[primary_key(table.entity)]
    asked = view.now if table.kind == "entity" else view
    rows = _rows(asked, table, key)
    questions = rows.select("e", "t").with_row_index("row")
    cells = [cells_of(asked, columns[attribute], questions, pii_key) for attribute in table.attributes]
    prototype = pl.lit(view.instance.prototype).alias("prototype")
    return rows.select("e", pl.col("key").alias(key.name), prototype, *_times(view, table, rows), *cells)


def _rows(view: InstanceView, table: ContractTable, key: Column) -> pl.DataFrame:
    keys = parsed_facts(view, key)
    match table.kind:
        case "entity":
            return entity_rows(keys)
        case "history":
            return history_rows(keys, view.facts_of(table.attributes[0].attribute))
        case "snapshot":
            return snapshot_rows(keys, view.facts)


def _times(view: InstanceView, table: ContractTable, rows: pl.DataFrame) -> tuple[pl.Series, ...]:
    if table.kind == "entity":
        return ()
    return (rows["t"].alias("db__t"), view.instants_of(rows["t"]).cast(INSTANT).alias("db__tx_instant"))
