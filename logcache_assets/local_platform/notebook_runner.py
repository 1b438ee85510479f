"""Runs the export notebook in its own process, and finds that run again by its token.

A run is a folder `<runs>/<token>`: parameters.json, output.log, pid, result.json, and `lock`. The lock is held by
the caller that runs the notebook and inherited by the notebook's process. If the caller dies, the run continues and
keeps the lock, so the lock tells whether a run is going on; a process id might belong to another process by then.
"""

import fcntl
import json
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from typing_extensions import override

from logcache_assets.adapters.processes import (
    LAST_LINES,
    POLL_SECONDS,
    Limits,
    NotStartedError,
    OutOfTimeError,
    end_group,
    follow,
    last_lines,
    started,
    wait_for,
)
from logcache_assets.ports import NotebookRunner, NotebookUnavailable, NotebookWrongData, Tell

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PROCESS = "logcache_assets.local_platform.notebook_process"


class LocalNotebookRunner(NotebookRunner):
    """Runs each notebook run as a subprocess.

    Args:
        notebook: file in Databricks' source format.
        runs: folder of the runs.
        environment: variables added to this process's environment.
        timeout_seconds: a run that takes longer is ended.
        grace_seconds: seconds from SIGTERM to SIGKILL.
    """

    def __init__(
        self,
        notebook: Path,
        runs: Path,
        environment: Mapping[str, str],
        *,
        timeout_seconds: float = 3600,
        grace_seconds: float = 10,
    ) -> None:
        self._notebook = notebook.absolute()
        self._runs = runs.absolute()
        self._environment = environment
        self._limits = Limits(timeout_seconds=timeout_seconds)
        self._grace_seconds = grace_seconds

    @override
    def run(self, parameters: Mapping[str, str], *, token: str, tell: Tell) -> str:
        run = self._run_folder(token)
        with _unlocked(run) as take_lock:
            if not take_lock():
                return self._wait(run, take_lock, tell)
            result = _result(run)
            if result is not None:
                tell(f"the run {token} has already ended; its result is in {run}")
                return result
            return self._start(parameters, run, take_lock.descriptor, tell)

    def _run_folder(self, token: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise NotebookWrongData(f"the token {token[:80]!r} is refused: use up to 64 letters, digits, _ and -")
        run = self._runs / token
        run.mkdir(parents=True, exist_ok=True)
        return run

    def _start(self, parameters: Mapping[str, str], run: Path, lock: int, tell: Tell) -> str:
        (run / "pid").unlink(missing_ok=True)
        (run / "parameters.json").write_text(json.dumps(dict(parameters), indent=2), encoding="utf-8")
        argv = (sys.executable, "-m", _PROCESS, str(self._notebook), str(run))
        output = run / "output.log"
        try:
            with started(
                argv,
                output=output,
                environment=self._environment,
                grace_seconds=self._grace_seconds,
                inherited_files=(lock,),
            ) as process:
                tail = _tell_all(follow(output, limits=self._limits, has_ended=wait_for(process)), tell)
        except OutOfTimeError as error:
            raise NotebookUnavailable(self._failure(run, str(error))) from error
        except NotStartedError as error:
            raise NotebookWrongData(self._failure(run, str(error))) from error
        result = _result(run)
        if result is None:
            raise NotebookWrongData(self._failure(run, _how_it_ended(process.returncode), tail))
        return result

    def _wait(self, run: Path, take_lock: "_Lock", tell: Tell) -> str:
        """Follow a run that another caller started, even if that caller no longer exists."""
        tell(f"the run {run.name} is going on already; waiting for it")
        (run / "output.log").touch()
        try:
            tail = _tell_all(follow(run / "output.log", limits=self._limits, has_ended=_waits_for(take_lock)), tell)
        except BaseException as error:
            with suppress(FileNotFoundError, ValueError):
                end_group(int((run / "pid").read_text(encoding="ascii")), grace_seconds=self._grace_seconds)
            if isinstance(error, OutOfTimeError):
                raise NotebookUnavailable(self._failure(run, str(error))) from error
            raise
        result = _result(run)
        if result is None:
            raise NotebookWrongData(self._failure(run, "it ended without a result", tail))
        return result

    def _failure(self, run: Path, reason: str, tail: Iterable[str] | None = None) -> str:
        lines = deque(tail if tail is not None else _lines(run / "output.log"), maxlen=LAST_LINES)
        return (
            f"the notebook {self._notebook} failed: {reason}. Read {run / 'output.log'}, remove the cause and run "
            f"again; {last_lines(lines)}"
        )


class _Lock:
    """A file lock; calling it tries to take it and returns whether it is held."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __call__(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def _unlocked(run: Path) -> Iterator[_Lock]:
    """Open the lock of a run without taking it; closing it at the end of the block releases it."""
    with (run / "lock").open("wb") as file:
        yield _Lock(file.fileno())


def _waits_for(take_lock: _Lock) -> Callable[[float], bool]:
    def has_ended(seconds: float) -> bool:
        if take_lock():
            return True
        time.sleep(min(seconds, POLL_SECONDS))
        return False

    return has_ended


def _tell_all(lines: Iterable[str], tell: Tell) -> deque[str]:
    tail: deque[str] = deque(maxlen=LAST_LINES)
    for line in lines:
        tail.append(line)
        tell(line)
    return tail


def _lines(output: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return output.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
    return []


def _result(run: Path) -> str | None:
    """The result of a run; None if there is none (yet)."""
    try:
        result = json.loads((run / "result.json").read_text(encoding="utf-8"))["result"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotebookUnavailable(f"{run / 'result.json'} cannot be read ({error}); repair its permissions") from error
    except (ValueError, KeyError, TypeError) as error:
        raise NotebookWrongData(
            f"{run / 'result.json'} is no result of a run: {error!r}; remove the folder {run}"
        ) from error
    return str(result)


def _how_it_ended(exit_code: int) -> str:
    return f"it was ended by signal {-exit_code}" if exit_code < 0 else f"it ended with exit code {exit_code}"
