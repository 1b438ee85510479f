"""Contracts by DuckDB: one SQL statement for each step, one connection for everything.

The steps' SQL is duckdb_steps.py. Left out, as generated logs do not need it: personal data is shown as it is, an
attribute whose cardinality changed, values that their type cannot hold, years beyond 9999.
DuckDB has no Avro reader without a download, so ours or polars' decodes segments into Arrow, which it reads in place.
"""

from collections.abc import Sequence

import duckdb
import polars as pl
from duckdb_steps import AFTER, Steps
from source import (
    CARDINALITY,
    IDENT,
    MEMORY,
    THREADS,
    VALUE_TYPE,
    InstanceLog,
    Names,
    Task,
    decode_segments,
    read_names,
    read_task,
    shown_column,
)

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition
from logcache_assets.domain.contract_entities import ContractAttribute

NAMING = f"({IDENT}, {VALUE_TYPE}, {CARDINALITY})"


def main() -> None:
    """Compute every contract that is asked for."""
    task = read_task(__doc__)
    database = duckdb.connect(
        config={"threads": THREADS, "memory_limit": MEMORY, "temp_directory": str(task.out / ".spill")}
    )
    database.execute("SET TimeZone = 'UTC'")
    database.execute("SET enable_progress_bar = false")
    for definition in task.definitions:
        compute(database, task, definition)


def compute(database: duckdb.DuckDBPyConnection, task: Task, definition: DatabaseDefinition) -> None:
    """All contracts of one database."""
    logs = task.logs_of(definition)
    names = [open_log(database, n, log, task) for n, log in enumerate(logs)]
    for entity in definition.entities:
        tables = [table for table in task.tables(definition) if table.entity == entity]
        key = shown_column(ContractAttribute(attribute=entity.primary_key), names)
        shown = [shown_column(attribute, names) for attribute in entity.attributes]
        steps = [
            Steps(n=n, prototype=log.prototype, names=names[n], key=key, shown=shown) for n, log in enumerate(logs)
        ]
        snapshot = any(table.kind.name == "snapshot" for table in tables)
        for step in steps:
            fill(database, step, tables)
        for table in tables:
            write(database, task, table, [sql_of(step, table, snapshot=snapshot) for step in steps])


def open_log(database: duckdb.DuckDBPyConnection, n: int, log: InstanceLog, task: Task) -> Names:
    """Make the tables of one instance."""
    delta = decode_segments(log, task.decoder)
    database.register(f"delta_{n}", delta.to_arrow(compat_level=pl.CompatLevel.newest()))
    columns = "e, a, v, t, added, tx_instant"
    union = f"SELECT {columns} FROM delta_{n}"
    cached = f"UNION ALL SELECT {columns} FROM '{log.log}'" if log.log else ""
    if task.kinds != {"entity"}:
        database.execute(f"CREATE OR REPLACE TEMP VIEW datoms_{n} AS {union} {cached}")
    state = f"UNION ALL SELECT e, a, v, 0 AS t, true AS added FROM '{log.current}'" if log.current else ""
    database.execute(f"CREATE OR REPLACE TEMP VIEW recent_{n} AS SELECT e, a, v, t, added FROM delta_{n} {state}")
    names = read_names(
        database.execute(
            f"SELECT e, a, {AFTER} AS x FROM recent_{n} WHERE a IN {NAMING} GROUP BY e, a HAVING x IS NOT NULL"
        ).fetchall()
    )
    idents = pl.DataFrame(list(names.idents.items()), {"e": pl.Int64, "shown": pl.String}, orient="row")
    database.register(f"idents_{n}", idents.to_arrow())
    return names


def fill(database: duckdb.DuckDBPyConnection, steps: Steps, tables: Sequence[ContractTable]) -> None:
    """Make the table that histories and snapshots of an entity select from: one pass over the log for all of them."""
    histories = {table.attributes[0].column for table in tables if table.kind.name == "history"}
    snapshot = any(table.kind.name == "snapshot" for table in tables)
    if not histories and not snapshot:
        return
    columns = [c for c in steps.shown if snapshot or c.name in histories]
    database.execute(f"CREATE OR REPLACE TEMP TABLE filled_{steps.n} AS {steps.filled(columns, snapshot=snapshot)}")


def sql_of(steps: Steps, table: ContractTable, *, snapshot: bool) -> str:
    """The query for a contract's rows of one instance."""
    filled = f"filled_{steps.n}"
    match table.kind.name:
        case "entity":
            return steps.entity_of_snapshot(filled=filled) if snapshot else steps.entity()
        case "history":
            column = next(c for c in steps.shown if c.name == table.attributes[0].column)
            return steps.history(column, filled=filled)
        case "snapshot":
            return steps.snapshot(filled=filled)
        case unknown:
            raise ValueError(f"this peer computes no contracts of the kind {unknown}")


def write(database: duckdb.DuckDBPyConnection, task: Task, table: ContractTable, parts: Sequence[str]) -> None:
    """Sort the rows of all instances and write them."""
    union = " UNION ALL ".join(f"({part})" for part in parts)
    rows = f"SELECT {', '.join(table.columns)} FROM ({union}) ORDER BY {', '.join(table.key)}"
    database.execute(f"COPY ({rows}) TO '{task.file_of(table)}' (FORMAT parquet, COMPRESSION zstd)")


if __name__ == "__main__":
    main()
