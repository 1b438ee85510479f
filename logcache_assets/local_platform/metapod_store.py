"""metapod's data in SQLite, written by the process of the local Itaipu while other processes read it.

Datasets are registered here, then committed or aborted; metapod_service.py shows them to clients.
"""

import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.json_text import JsonError, decode_json
from logcache_assets.domain.names import COUNTRY
from logcache_assets.domain.transactions import Column, TransactionType
from logcache_assets.local_platform.clock import REMEDY
from logcache_assets.local_platform.sqlite_errors import may_succeed_later
from logcache_assets.ports import MetapodUnavailable, MetapodWrongData, UnknownTransactionError

_BUSY_SECONDS = 30.0
_TABLES = """
CREATE TABLE transactions (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, started_at TEXT NOT NULL,
    target_date TEXT, reference_date TEXT
);
CREATE TABLE datasets (
    transaction_id TEXT NOT NULL REFERENCES transactions, name TEXT NOT NULL, id TEXT NOT NULL, country TEXT NOT NULL,
    committed_at TEXT, aborted_at TEXT, path TEXT, columns TEXT,
    PRIMARY KEY (transaction_id, name)
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionRow:
    """One transaction as stored; instants and dates are ISO-8601 text."""

    id: str
    name: str
    type: str
    started_at: str
    target_date: str | None
    reference_date: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRow:
    """One dataset as stored."""

    id: str
    name: str
    country: str
    committed_at: str | None
    aborted_at: str | None
    path: str | None
    columns: tuple[Column, ...] | None


class MetapodStore:
    """The SQLite file, created by the first transaction.

    Args:
        path: the file.
        busy_seconds: how long each call waits for another process that writes.
    """

    def __init__(self, path: Path, *, busy_seconds: float = _BUSY_SECONDS) -> None:
        self._busy_seconds = busy_seconds
        self._path = path.absolute()

    @property
    def exists(self) -> bool:
        """True if a transaction was ever opened here."""
        return self._path.is_file()

    def open_transaction(  # noqa: PLR0913 - metapod's own fields
        self,
        transaction_id: str,
        name: str,
        type_: TransactionType,
        *,
        started_at: datetime,
        target_date: date | None = None,
        reference_date: date | None = None,
    ) -> None:
        """Open a transaction; refuses an id that exists already."""
        self._make()
        dates = [day.isoformat() if day else None for day in (target_date, reference_date)]
        row = (transaction_id, name, type_.value, _instant(started_at), *dates)
        with self._writing() as connection:
            try:
                connection.execute("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?)", row)
            except sqlite3.IntegrityError as error:
                raise MetapodWrongData(
                    f"transaction {transaction_id} exists already; open one with a new id"
                ) from error

    def register_dataset(self, transaction_id: str, name: str, *, country: str = COUNTRY) -> None:
        """Register a dataset that the run will compute; it is uncommitted."""
        row = (transaction_id, name, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{transaction_id}/{name}")), country)
        with self._writing() as connection:
            self._require_transaction(connection, transaction_id)
            try:
                connection.execute("INSERT INTO datasets VALUES (?, ?, ?, ?, NULL, NULL, NULL, NULL)", row)
            except sqlite3.IntegrityError as error:
                raise MetapodWrongData(f"{name} of {transaction_id} is registered already; register it once") from error

    def commit_dataset(
        self, transaction_id: str, name: str, *, path: str, columns: Sequence[Column], committed_at: datetime
    ) -> None:
        """Commit a registered dataset at a path; refuses one that was committed or aborted before."""
        schema = msgspec.json.encode(tuple(columns)).decode()
        statement = (
            "UPDATE datasets SET committed_at = ?, path = ?, columns = ? "
            "WHERE transaction_id = ? AND name = ? AND committed_at IS NULL AND aborted_at IS NULL"
        )
        self._update(statement, (_instant(committed_at), path, schema), transaction_id, name, "uncommitted")

    def abort_dataset(self, transaction_id: str, name: str, *, aborted_at: datetime) -> None:
        """Abort a dataset, even after its commit; its path is removed."""
        statement = (
            "UPDATE datasets SET aborted_at = ?, committed_at = NULL, path = NULL, columns = NULL "
            "WHERE transaction_id = ? AND name = ? AND aborted_at IS NULL"
        )
        self._update(statement, (_instant(aborted_at),), transaction_id, name, "unaborted")

    def set_path(self, transaction_id: str, name: str, *, path: str) -> None:
        """Change the path of a committed dataset, as a recorded accident did; for fault injection."""
        statement = "UPDATE datasets SET path = ? WHERE transaction_id = ? AND name = ? AND committed_at IS NOT NULL"
        self._update(statement, (path,), transaction_id, name, "committed")

    def find_transactions(
        self, *, transaction_id: str | None = None, types: Sequence[str] | None = None, since: datetime | None = None
    ) -> tuple[TransactionRow, ...]:
        """Transactions that meet all given conditions, newest first."""
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT * FROM transactions WHERE id = coalesce(?, id) AND started_at >= ? "
                "ORDER BY started_at DESC, id",
                (transaction_id, _instant(since) if since else ""),
            ).fetchall()
        return tuple(TransactionRow(**row) for row in rows if types is None or row["type"] in types)

    def datasets(self, transaction_id: str) -> tuple[DatasetRow, ...]:
        """Every dataset of a transaction, by name."""
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT id, name, country, committed_at, aborted_at, path, columns FROM datasets "
                "WHERE transaction_id = ? ORDER BY name",
                (transaction_id,),
            ).fetchall()
        return tuple(DatasetRow(**(dict(row) | {"columns": _columns(row["columns"])})) for row in rows)

    def _update(self, statement: str, values: tuple[str, ...], transaction_id: str, name: str, state: str) -> None:
        with self._writing() as connection:
            self._require_transaction(connection, transaction_id)
            if not connection.execute(statement, (*values, transaction_id, name)).rowcount:
                raise MetapodWrongData(
                    f"transaction {transaction_id} has no {state} dataset {name}, so nothing was changed; "
                    "name one in that state, registered before"
                )

    def _require_transaction(self, connection: sqlite3.Connection, transaction_id: str) -> None:
        if connection.execute("SELECT 1 FROM transactions WHERE id = ?", (transaction_id,)).fetchone() is None:
            raise UnknownTransactionError(f"metapod knows no transaction {transaction_id}; open it first")

    def _make(self) -> None:
        """Create the file with its tables aside and move it into place, so that no reader finds it without tables."""
        if self._path.exists():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._path.parent, prefix=".metapod-") as folder:
            made = Path(folder) / "metapod.sqlite"
            with closing(sqlite3.connect(made)) as connection:
                # WAL, so that a reader never waits for the local Itaipu and never makes it wait.
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_TABLES)
            with suppress(FileExistsError):
                self._path.hardlink_to(made)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Begin with the write lock, so that two writers wait for each other instead of failing."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        if not self._path.is_file():
            raise MetapodWrongData(f"{self._path}: there is no metapod; {REMEDY}")
        try:
            connection = sqlite3.connect(self._path, timeout=self._busy_seconds)
            with closing(connection), connection:
                connection.row_factory = sqlite3.Row
                yield connection
        except sqlite3.Error as error:
            if may_succeed_later(error):
                raise MetapodUnavailable(f"{self._path}: metapod cannot answer ({error}); run again") from error
            raise MetapodWrongData(f"{self._path}: metapod cannot be read ({error}); {REMEDY}") from error


def _columns(text: str | None) -> tuple[Column, ...] | None:
    try:
        return None if text is None else decode_json(text, tuple[Column, ...])
    except JsonError as error:
        raise MetapodWrongData(f"the columns of a dataset cannot be read: {error}; {REMEDY}") from error


def _instant(instant: datetime) -> str:
    """One spelling for all instants, so that their texts sort by time."""
    if instant.utcoffset() is None:
        raise MetapodWrongData(f"{instant.isoformat()} has no time zone; give instants in UTC")
    return utc_text(instant.astimezone(UTC))
