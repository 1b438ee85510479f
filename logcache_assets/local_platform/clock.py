"""The local world's date: one line in a text file, advanced by `logcache local`.

The demo's log is from 2018, so expiry, freshness and the publish window only make sense by the world's own date.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from typing_extensions import override

from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.errors import BadInput
from logcache_assets.ports import Clock, ClockUnavailable, ClockWrongData

REMEDY = "make a world with `logcache local reset`"


class LocalClock(Clock):
    """Returns the instant in a file: ISO-8601 in UTC with a Z, at most milliseconds. It does not advance by itself."""

    def __init__(self, path: Path, *, reads: RepeatedReads | None = None) -> None:
        self.reads = reads or RepeatedReads()
        self._path = path

    @override
    @repeated
    def now(self) -> datetime:
        try:
            text = self._path.read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, UnicodeDecodeError) as error:
            raise ClockWrongData(f"{self._path}: the world's date cannot be read ({error}); {REMEDY}") from error
        except OSError as error:
            raise ClockUnavailable(f"{self._path}: the world's date cannot be read ({error}); run again") from error
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            instant = None
        if instant is None or instant.utcoffset() != timedelta(0):
            raise ClockWrongData(
                f"{self._path}: {text[:40]!r} is no UTC instant such as 2018-05-28T04:00:00.000Z; "
                f"correct the file or {REMEDY}"
            )
        return instant.astimezone(UTC)

    def set(self, instant: datetime) -> None:
        """Set the world's date atomically."""
        if instant.utcoffset() is None:
            raise BadInput(f"{instant.isoformat()} has no time zone; give the world's date in UTC")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        written = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        written.write_text(utc_text(instant.astimezone(UTC)) + "\n", encoding="utf-8")
        with self._history.open("a", encoding="utf-8") as history:
            history.write(f"{datetime.now(UTC).timestamp():.3f} {utc_text(instant.astimezone(UTC))}\n")
        written.replace(self._path)

    @property
    def _history(self) -> Path:
        return self._path.with_name(f"{self._path.name}_history")
