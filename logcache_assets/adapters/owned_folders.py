"""Temporary folders that belong to living processes.

Each is locked by the process that made it, so whoever makes the next one beside it can tell which are left of killed
processes, and removes those.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = ".logcache-"
"""Part of every name, so that nobody else's folder is removed."""


class OwnedFolder:
    """A folder of this process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    def remove(self) -> None:
        """Remove the folder with all that is in it, then give up its lock; a second call does nothing."""
        if self._descriptor is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._descriptor)
            self._descriptor = None


def make_owned_folder(parent: Path, name: str = "") -> OwnedFolder:
    """Make a folder in an existing one, and remove those of this name that killed processes left there."""
    prefix = f"{name}{MARK}"
    with _locked(parent):
        for found in parent.glob(f"{prefix}*"):
            if not _is_owned(found):
                shutil.rmtree(found, ignore_errors=True)
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        descriptor = os.open(path, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return OwnedFolder(path, descriptor)


_OF_PROCESS: dict[tuple[int, Path], OwnedFolder] = {}
_MAKING = threading.Lock()


def folder_of_process(parent: Path) -> Path:
    """The folder of this process in a parent; it is made when it is missing, and goes when the process ends."""
    key = os.getpid(), parent
    with _MAKING:
        found = _OF_PROCESS.get(key)
        if found is None or not found.path.is_dir():
            parent.mkdir(exist_ok=True)
            _forget_removed()
            found = _OF_PROCESS[key] = make_owned_folder(parent)
    return found.path


def _forget_removed() -> None:
    """Close the locks of folders that were removed with the folder around them."""
    for key, folder in tuple(_OF_PROCESS.items()):
        if not folder.path.is_dir():
            folder.remove()
            del _OF_PROCESS[key]


@atexit.register
def _remove_all() -> None:
    """Remove the folders of this process; those of a process from which it was forked are not its own."""
    for (process, _), folder in _OF_PROCESS.items():
        if process == os.getpid():
            folder.remove()


@contextmanager
def owned_folder(parent: Path, name: str = "") -> Iterator[Path]:
    """A folder for the duration of the block."""
    folder = make_owned_folder(parent, name)
    try:
        yield folder.path
    finally:
        folder.remove()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Nobody else makes or removes owned folders here meanwhile: a new one is not yet locked."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_owned(folder: Path) -> bool:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
