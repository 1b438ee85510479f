"""The ledger of one copy: its frozen inventory, and the proof of every object that was copied.

It is a SQLite file, so that memory does not grow with the number of objects, and so that a copy that was killed goes on
where it stopped: an object whose listed etag is that of the ledger needs no further look.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from logcache_assets.errors import Refused
from logcache_assets.ports import StoredObject

_BATCH = 1000
_CREATE = """
CREATE TABLE IF NOT EXISTS objects (
    name TEXT PRIMARY KEY, size INTEGER, etag TEXT, modified REAL, expires REAL,
    copy_etag TEXT, copy_checksum TEXT, copy_class TEXT, copy_size INTEGER, listed INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_expiry ON objects (expires, name) WHERE copy_etag IS NULL;
CREATE TABLE IF NOT EXISTS failures (name TEXT PRIMARY KEY, error TEXT) WITHOUT ROWID;
"""
_FREEZE = """
INSERT INTO objects VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL, NULL, 1) ON CONFLICT (name) DO UPDATE SET
    copy_etag = CASE WHEN etag = excluded.etag AND size = excluded.size THEN copy_etag END,
    copy_checksum = CASE WHEN etag = excluded.etag AND size = excluded.size THEN copy_checksum END,
    size = excluded.size, etag = excluded.etag, modified = excluded.modified, expires = excluded.expires, listed = 1
"""
_NEVER = 1e12
"""Sorts objects that do not expire after all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One object of the inventory."""

    name: str
    """Relative to the source's folder."""
    size_bytes: int
    etag: str
    modified_at: datetime
    expires_at: datetime | None
    copy_etag: str | None
    """Of its copy; None until there is one."""
    copy_checksum: str | None
    copy_class: str | None
    """The storage class in which it was written."""
    copy_bytes: int | None

    def listed_at(self, folder: str) -> StoredObject:
        """The object as it was listed below a folder."""
        return StoredObject(
            uri=folder + self.name, size_bytes=self.size_bytes, etag=self.etag, modified_at=self.modified_at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Sums over objects."""

    objects: int
    size_bytes: int
    expires_at: datetime | None
    """When the first of them is deleted."""


class Ledger:
    """The rows of one copy; made by `open_ledger`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def freeze(self, listed: Iterable[tuple[str, StoredObject, datetime | None]]) -> None:
        """Replace the inventory: name, listed object and expiry of each. Proofs of unchanged objects stay."""
        self._connection.execute("UPDATE objects SET listed = 0")
        self._connection.executemany(_FREEZE, (_row(*item) for item in listed))
        self._connection.execute("DELETE FROM objects WHERE NOT listed")
        self._connection.execute("DELETE FROM failures")
        self._connection.commit()

    def inventory(self, *, missing_only: bool = False) -> Inventory:
        """Sums over the whole inventory, or over what has no copy yet."""
        query = "SELECT COUNT(*), COALESCE(SUM(size), 0), MIN(expires) FROM objects"
        row = self._connection.execute(query + (" WHERE copy_etag IS NULL" if missing_only else "")).fetchone()
        return Inventory(objects=row[0], size_bytes=row[1], expires_at=_instant(row[2]))

    def find(self, name: str) -> Entry | None:
        """The entry of this name."""
        rows = self._connection.execute(f"{_SELECT} WHERE name = ?", (name,))
        return next(map(_entry, rows), None)

    def entries(self) -> Iterator[Entry]:
        """All entries by name."""
        after = ""
        query = f"{_SELECT} WHERE name > ? ORDER BY name LIMIT {_BATCH}"
        while batch := [_entry(row) for row in self._connection.execute(query, (after,))]:
            yield from batch
            after = batch[-1].name

    def missing(self) -> Iterator[tuple[Entry, ...]]:
        """Batches of entries without a copy, those that expire first in front."""
        after: tuple[float, str] = (-1.0, "")
        query = f"{_SELECT} WHERE copy_etag IS NULL AND (expires, name) > (?, ?) ORDER BY expires, name LIMIT {_BATCH}"
        while batch := self._connection.execute(query, after).fetchall():
            yield tuple(map(_entry, batch))
            after = batch[-1][4], batch[-1][0]

    def large(self, least_bytes: int) -> tuple[int, ...]:
        """Sizes of the entries without a copy that have at least so many bytes."""
        query = "SELECT size FROM objects WHERE copy_etag IS NULL AND size >= ?"
        return tuple(row[0] for row in self._connection.execute(query, (least_bytes,)))

    def prove(self, copies: Iterable[tuple[str, StoredObject]]) -> None:
        """Write down the copies of these names; durable when the call returns, as far as this process is concerned."""
        self._connection.executemany(
            "UPDATE objects SET copy_etag = ?, copy_checksum = ?, copy_class = ?, copy_size = ? WHERE name = ?",
            ((item.etag, item.checksum, item.storage_class, item.size_bytes, name) for name, item in copies),
        )
        self._connection.commit()

    def begin_listing(self) -> None:
        """Begin to note which names a listing of the destination shows."""
        self._connection.execute("UPDATE objects SET listed = 0")

    def note_listed(self, names: Iterable[str]) -> None:
        """Note names that the listing shows."""
        self._connection.executemany("UPDATE objects SET listed = 1 WHERE name = ?", ((name,) for name in names))

    def forget_unlisted(self) -> None:
        """Take back the proofs of all copies that the listing did not show."""
        self._connection.execute("UPDATE objects SET copy_etag = NULL, copy_checksum = NULL WHERE NOT listed")
        self._connection.commit()

    def fail(self, failures: Iterable[tuple[str, str]]) -> None:
        """Write down why these names have no copy."""
        self._connection.executemany("INSERT OR REPLACE INTO failures VALUES (?, ?)", failures)
        self._connection.commit()

    def failures(self) -> Iterator[tuple[str, str]]:
        """Name and reason of all that have no copy, by name."""
        query = "SELECT name, COALESCE(error, 'not sent') FROM objects LEFT JOIN failures USING (name)"
        yield from self._connection.execute(f"{query} WHERE copy_etag IS NULL ORDER BY name")


_SELECT = "SELECT name, size, etag, modified, expires, copy_etag, copy_checksum, copy_class, copy_size FROM objects"


def _row(name: str, item: StoredObject, expires_at: datetime | None) -> tuple[object, ...]:
    expires = _NEVER if expires_at is None else expires_at.timestamp()
    return name, item.size_bytes, item.etag, item.modified_at.timestamp(), expires


def _entry(row: Sequence[Any]) -> Entry:
    name, size, etag, modified, expires, copy_etag, copy_checksum, copy_class, copy_size = row
    return Entry(
        name=name,
        size_bytes=size,
        etag=etag,
        modified_at=datetime.fromtimestamp(modified, UTC),
        expires_at=_instant(expires),
        copy_etag=copy_etag,
        copy_checksum=copy_checksum,
        copy_class=copy_class,
        copy_bytes=copy_size,
    )


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None or seconds >= _NEVER else datetime.fromtimestamp(seconds, UTC)


def ledger_file(home: Path, source: str, destination: str) -> Path:
    """Where the ledger of a copy is kept, so that the next attempt finds it."""
    name = hashlib.sha256(f"{source} {destination}".encode()).hexdigest()[:16]
    return home / "copies" / f"{name}.sqlite"


@contextmanager
def open_ledger(file: Path) -> Iterator[Ledger]:
    """Open the ledger in a file, or make it; one that is damaged is begun anew.

    Raises:
        Refused: another process holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = _connect(file)
    except sqlite3.OperationalError as error:
        raise Refused(
            f"the ledger {file} is held by another process ({error}), which makes the same copy; wait until it ends"
        ) from error
    except sqlite3.DatabaseError:
        file.unlink()
        connection = _connect(file)
    try:
        yield Ledger(connection)
    finally:
        connection.close()


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=0)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing; a crashed computer looks again
        connection.execute("BEGIN EXCLUSIVE")
        connection.commit()
        connection.executescript(_CREATE)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
