"""Dagster's storage on SQLite, as every local home and the runs of commands use it.

Dagster's SQLite event log makes a new SQLAlchemy engine for every event, which compiles its statements anew, and a new
connection, whose closing writes the journal back into the file. The event log here keeps one engine and one connection
for each of the files that were used last. It writes the same files and rows, so a process that opens them in the usual
way sees no difference. It waits for the disk at checkpoints alone: a loss of power may cost the newest events, which
are for display; what a refresh proves lies in its documents.

Dagster also makes the URLs of its SQLite files by joining strings, so a `?` in the name of a folder begins a query and
the files lie elsewhere. Here it does not.

This uses private Dagster API, because no public setting does it; test_run_storage.py fails if Dagster changes it.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.runs.sqlite import SqliteRunStorage, sqlite_run_storage
from dagster._core.storage.schedules.sqlite import SqliteScheduleStorage, sqlite_schedule_storage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import (
    DagsterSqliteStorage,
    SqliteStorageConfig,
    _event_logs_directory,
    _runs_directory,
    _schedule_directory,
)
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, NullPool, QueuePool, create_engine, event
from typing_extensions import override

KEPT_FILES = 4
"""So many files keep a connection: the index, and some runs, of which a web server may show thousands."""
OPENING = "opening.lock"
"""A file of the storage's folder; whoever opens the storage holds its lock meanwhile."""
PATIENT = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}


def sqlite_url(base_dir: str, db_name: str) -> str:
    """The URL of one of Dagster's SQLite files, for a folder of any name."""
    file = Path(base_dir).absolute() / f"{db_name}.db"
    if "?" not in str(file):
        return create_db_conn_string(base_dir, db_name)
    return f"sqlite:///file:{quote(str(file))}?uri=true"


for storage in (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage):
    storage.create_db_conn_string = sqlite_url  # type: ignore[attr-defined]


class OneEngineEventLog(SqliteEventLogStorage):
    """Dagster's SQLite event log that keeps engines and connections: those of the index, and of the newest runs."""

    def __init__(self, base_dir: str) -> None:
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir)

    @contextmanager
    @override
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            self._init_once(shard)
            with self._engine_of(shard).begin() as connection:
                yield connection

    def _init_once(self, shard: str) -> None:
        """Make the tables of a file that this process has not used yet, on a connection of its own."""
        if shard not in self._initialized_dbs:
            self._initdb(create_engine(self.conn_string_for_shard(shard), poolclass=NullPool, connect_args=PATIENT))
            self._initialized_dbs.add(shard)

    def _engine_of(self, shard: str) -> Engine:
        """The engine of a file, which becomes the newest; the one that was not used for longest is given up."""
        engine = self._engines.pop(shard, None) or _kept_engine(self.conn_string_for_shard(shard))
        self._engines[shard] = engine
        if len(self._engines) > KEPT_FILES:
            self._engines.pop(next(iter(self._engines))).dispose()
        return engine

    @override
    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event; the file's time tells the pages that watch the run, because the journal alone has changed."""
        super().store_event(event)
        os.utime(self.path_for_shard(event.run_id))

    @override
    def has_table(self, table_name: str) -> bool:
        """True if the index has a table; one that was found is not looked for again."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @override
    def dispose(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()
        super().dispose()


def _kept_engine(url: str) -> Engine:
    """An engine with one connection, which stays open; the event log's lock gives it to one thread at a time."""
    arguments = PATIENT | {"check_same_thread": False}
    engine = create_engine(url, poolclass=QueuePool, pool_size=1, max_overflow=0, connect_args=arguments)
    event.listen(engine, "connect", _wait_for_the_disk_at_checkpoints)
    return engine


def _wait_for_the_disk_at_checkpoints(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process make the tables: Dagster's migrations fail half-way if another one makes them, too."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / OPENING).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class OneEngineStorage(DagsterSqliteStorage):
    """Dagster's default storage, with `OneEngineEventLog` for its events."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        # As Dagster's own, but for the class of the event log: to make that one first, too, would cost as much again.
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]
        self.base_dir = base_dir
        with _one_at_a_time(Path(base_dir)):
            self._run_storage = SqliteRunStorage.from_local(_runs_directory(base_dir))
            self._event_log_storage = OneEngineEventLog(_event_logs_directory(base_dir))
            self._schedule_storage = SqliteScheduleStorage.from_local(_schedule_directory(base_dir))
        self._inst_data = inst_data

    @classmethod
    @override
    def from_config_value(  # type: ignore[override]  # as in Dagster's own class
        cls, inst_data: ConfigurableClassData, config_value: SqliteStorageConfig
    ) -> "OneEngineStorage":
        return cls.from_local(inst_data=inst_data, **config_value)


def open_storage(folder: Path) -> dg.DagsterInstance:
    """Return the Dagster instance of this folder; a storage that its dagster.yaml names is used as it is.

    What a command prints is not captured for Dagit: the terminal has it, the stages' lines are events, and the two
    processes that copy a captured output print tracebacks when Ctrl-C interrupts them beside the command.
    """
    ref = InstanceRef.from_dir(str(folder))
    named = ref.storage_data
    if named is not None and named.class_name in {DagsterSqliteStorage.__name__, OneEngineStorage.__name__}:
        config = json.dumps({"base_dir": str(folder)})
        ours = ConfigurableClassData(__name__, OneEngineStorage.__name__, config)
        ref = ref._replace(storage_data=ours)
    if ref.compute_logs_data.class_name == LocalComputeLogManager.__name__:
        none = ConfigurableClassData(NoOpComputeLogManager.__module__, NoOpComputeLogManager.__name__, "{}\n")
        ref = ref._replace(compute_logs_data=none)
    return dg.DagsterInstance.from_ref(ref)
