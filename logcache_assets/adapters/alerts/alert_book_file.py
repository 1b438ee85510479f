"""Keeps the book of alerts in a file of the home: alerts of a dead object store must not need an object store.

The file is replaced whole and reaches the disk before anything is sent, so a killed process loses nothing. Its lock is
held by one evaluation at a time.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from logcache_assets.domain.alerts import AlertBook
from logcache_assets.domain.canonical_json import canonical_json
from logcache_assets.domain.documents import parse_document
from logcache_assets.errors import BadInput, Refused

FILE = "alerts.json"


class AlertBookFile:
    """The file `alerts.json` of a home."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE

    def read(self) -> AlertBook | None:
        """The book; None if there is none yet, or if it is damaged: then what goes on is told once more."""
        try:
            return parse_document(self.path.read_bytes(), AlertBook, where=str(self.path))
        except (FileNotFoundError, NotADirectoryError, BadInput):
            return None

    def write(self, book: AlertBook) -> None:
        """Replace the book."""
        beside = self.path.with_name(f".{FILE}.new")
        with beside.open("w", encoding="utf-8") as file:
            file.write(canonical_json(book))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the book's lock; raises Refused if another evaluation holds it."""
        with self.path.with_name(f"{FILE}.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refused("another evaluation still sends alerts; wait for its end") from error
            yield
