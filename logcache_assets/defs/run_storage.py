"""Opens Dagster's storage for the runs of this process.

Dagster's SQLite event log makes a new SQLAlchemy engine for every event. A new engine knows no compiled statement, so
each event compiles its statements anew, which took a fifth of a refresh of the local world. The event log here keeps
one engine per database file. It writes the same files and rows, so Dagit, which opens them in the usual way, sees no
difference.

Dagster also makes the URLs of its SQLite files by joining strings, so a `?` in the name of a folder begins a query and
the files lie elsewhere. Here it does not.

This uses private Dagster API, because no public setting does it; test_run_storage.py fails if Dagster changes it.
"""

import json
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
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, SqliteStorageConfig
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, NullPool, create_engine
from typing_extensions import override


def sqlite_url(base_dir: str, db_name: str) -> str:
    """The URL of one of Dagster's SQLite files, for a folder of any name."""
    file = Path(base_dir).absolute() / f"{db_name}.db"
    if "?" not in str(file):
        return create_db_conn_string(base_dir, db_name)
    return f"sqlite:///file:{quote(str(file))}?uri=true"


for storage in (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage):
    storage.create_db_conn_string = sqlite_url  # type: ignore[attr-defined]


class OneEngineEventLog(SqliteEventLogStorage):
    """Dagster's SQLite event log with one engine per database file, so that compiled statements are reused."""

    def __init__(self, base_dir: str) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir)

    @contextmanager
    @override
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine_of(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _engine_of(self, shard: str) -> Engine:
        if shard not in self._engines:
            self._engines[shard] = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=NullPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            )
        return self._engines[shard]


class OneEngineStorage(DagsterSqliteStorage):
    """Dagster's default storage, with `OneEngineEventLog` for its events."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data=inst_data)
        stock = self._event_log_storage
        self._event_log_storage = OneEngineEventLog(stock._base_dir)  # noqa: SLF001 - see the module's docstring

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
