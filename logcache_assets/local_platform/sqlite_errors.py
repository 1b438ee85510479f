"""Tells which errors of SQLite may not come again: another process holds the file, or the computer could not read it.

Both come as `OperationalError` from Python, as does a missing table, so only SQLite's own code tells them apart.
"""

import sqlite3

_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_PRIMARY = 0xFF
"""The bits of SQLite's primary code; the others say more about the same error (https://sqlite.org/rescode.html)."""


def may_succeed_later(error: sqlite3.Error) -> bool:
    """True if the same call may succeed later; False for errors that Python's module raises by itself."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & _PRIMARY in _PASSING
