"""The jobs of the local platform that run now, by their name, as Aurora knows them, so that they can be ended.

A job is a file in a folder of its name: the id of its process, locked while that runs. So a job whose process was
killed is known to be none, and an id that another process has by now is never sent a signal.
"""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_SECONDS = 10.0
"""From SIGTERM to SIGKILL."""


class AuroraJobs:
    """The folder of the jobs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """This process is a job of this name for the duration of the block."""
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / str(os.getpid())
        with file.open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                file.unlink(missing_ok=True)

    def end(self, name: str) -> int:
        """End all jobs of this name; returns how many ran."""
        files = sorted((self._folder / name).glob("[0-9]*")) if (self._folder / name).is_dir() else []
        return sum(_end(file) for file in files)


def _end(file: Path) -> bool:
    """End the process of a job, gently first; returns whether it ran."""
    if not _is_running(file):
        file.unlink(missing_ok=True)
        return False
    with suppress(ProcessLookupError):
        os.kill(int(file.name), signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while _is_running(file) and time.monotonic() < deadline:
        time.sleep(0.02)
    if _is_running(file):
        with suppress(ProcessLookupError):
            os.kill(int(file.name), signal.SIGKILL)
        while _is_running(file):
            time.sleep(0.02)
    file.unlink(missing_ok=True)
    return True


def _is_running(file: Path) -> bool:
    try:
        with file.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
