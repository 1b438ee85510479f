"""The lock of a deployment's home: one process at a time changes what a refresh works on.

It is a lock of the operating system on a file in the home, held by the process that works and by no other, so it is
free by itself whenever that process ends, also by SIGKILL. Reading whether it is held creates nothing.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from logcache_assets.errors import Refused

LOCK_FILE = "refresh.lock"


@contextmanager
def holding(home: Path) -> Iterator[None]:
    """Hold the lock of a home during the block; raises Refused if another process holds it."""
    lock = take_lock(home)
    try:
        yield
    finally:
        lock.close()


def take_lock(home: Path) -> BinaryIO:
    """Take the lock of a home until the returned file is closed; raises Refused if it is held already."""
    while True:
        lock = (home / LOCK_FILE).open("ab")
        if not _try_lock(lock):
            lock.close()
            raise Refused(f"another refresh of {home} is going on; wait for its end and run this again")
        # The home may have been replaced meanwhile: then this is the lock of one that is gone.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock.fileno()), (home / LOCK_FILE).stat()):
                return lock
        lock.close()


def is_held(home: Path) -> bool:
    """True if a process holds the lock of a home."""
    try:
        with (home / LOCK_FILE).open("rb") as lock:
            return not _try_lock(lock)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _try_lock(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
