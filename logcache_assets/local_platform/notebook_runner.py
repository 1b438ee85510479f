"""Runs the export notebook in its own process, and finds that run again by its token.

A run is a folder `<runs>/<token>`: parameters.json, output.log, pid, result.json, and `lock`. The lock is held by
the caller that runs the notebook and inherited by the notebook's process. If the caller dies, the run continues and
keeps the lock, so the lock tells whether a run is going on; a process id might belong to another process by then.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from typing_extensions import override

from logcache_assets.adapters.processes import (
    POLL_SECONDS,
    Limits,
    NotStartedError,
    OutOfTimeError,
    blanker_of,
    end_group,
    follow,
    started,
    wait_for,
)
from logcache_assets.adapters.told_lines import ToldLines, last_lines
from logcache_assets.domain.json_text import JsonError, decode_json
from logcache_assets.ports import (
    OUTAGE,
    NotebookError,
    NotebookRun,
    NotebookRunner,
    NotebookUnavailable,
    NotebookWrongData,
    Tell,
    require_token,
)

_END_BYTES = 1 << 14
"""How much of an output is read for its last lines."""
_PROCESS = "logcache_assets.local_platform.notebook_process"


class _Result(msgspec.Struct):
    """The content of result.json."""

    result: str


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
    def run(self, parameters: Mapping[str, str], *, token: str, tell: Tell, tell_output: Tell) -> NotebookRun:
        run = self._run_folder(token)
        with _unlocked(run) as take_lock:
            result = self._find_or_make(parameters, run, take_lock, tell, tell_output)
        return NotebookRun(result=result, page=(run / "output.log").as_uri())

    @override
    def checks(self) -> Mapping[str, Callable[[], str]]:
        return {"notebook": self._notebook_is_there}

    def _notebook_is_there(self) -> str:
        if not self._notebook.is_file():
            raise NotebookWrongData(f"there is no notebook {self._notebook}; install logcache-assets again")
        return "runs on this computer"

    def _find_or_make(
        self, parameters: Mapping[str, str], run: Path, take_lock: "_Lock", tell: Tell, tell_output: Tell
    ) -> str:
        if not take_lock():
            tell(f"the run {run.name} is going on already; waiting for it")
            return self._wait(run, take_lock, tell_output)
        result = _result(run)
        if result is not None:
            tell(f"the run {run.name} has already ended; its result is in {run}")
            return result
        return self._start(parameters, run, take_lock.descriptor, tell_output)

    def _run_folder(self, token: str) -> Path:
        require_token(token)
        run = self._runs / token
        run.mkdir(parents=True, exist_ok=True)
        return run

    def _start(self, parameters: Mapping[str, str], run: Path, lock: int, tell: Tell) -> str:
        (run / "pid").unlink(missing_ok=True)
        (run / "parameters.json").write_text(json.dumps(dict(parameters), indent=2), encoding="utf-8")
        # -P: otherwise Python looks for modules in the current folder first, and runs what lies there.
        argv = (sys.executable, "-P", "-m", _PROCESS, str(self._notebook), str(run))
        output = run / "output.log"
        told = ToldLines(tell, output)
        try:
            with started(
                argv,
                output=output,
                environment={**self._environment, "PYTHONSAFEPATH": "1"},
                grace_seconds=self._grace_seconds,
                inherited_files=(lock,),
            ) as process:
                told.tell_all(self._follow(run, wait_for(process)))
        except OutOfTimeError as error:
            raise NotebookUnavailable(self._failure(run, str(error))) from error
        except NotStartedError as error:
            raise NotebookWrongData(self._failure(run, str(error))) from error
        finally:
            self._blank(run)
        result = _result(run)
        if result is None:
            raise self._failed(run, _how_it_ended(process.returncode), told.last_lines)
        return result

    def _wait(self, run: Path, take_lock: "_Lock", tell: Tell) -> str:
        """Follow a run that another caller started, even if that caller no longer exists."""
        (run / "output.log").touch()
        told = ToldLines(tell, run / "output.log")
        try:
            told.tell_all(self._follow(run, _waits_for(take_lock)))
        except BaseException as error:
            with suppress(FileNotFoundError, ValueError):
                end_group(int((run / "pid").read_text(encoding="ascii")), grace_seconds=self._grace_seconds)
            if isinstance(error, OutOfTimeError):
                raise NotebookUnavailable(self._failure(run, str(error))) from error
            raise
        self._blank(run)
        result = _result(run)
        if result is None:
            raise self._failed(run, "it ended without a result", told.last_lines)
        return result

    def _follow(self, run: Path, has_ended: Callable[[float], bool]) -> Iterator[str]:
        blank = blanker_of(self._environment)
        return follow(run / "output.log", limits=self._limits, has_ended=has_ended, blank=blank)

    def _blank(self, run: Path) -> None:
        """Take the secrets out of the output of a run that has ended."""
        if (run / "output.log").exists():
            blanker_of(self._environment).blank_file(run / "output.log")

    def _failed(self, run: Path, reason: str, tail: str) -> NotebookError:
        """The error of a run without a result."""
        is_outage = any(line.startswith(OUTAGE) for line in _lines(run / "output.log")[-1:])
        kind = NotebookUnavailable if is_outage else NotebookWrongData
        return kind(self._failure(run, reason, tail))

    def _failure(self, run: Path, reason: str, tail: str | None = None) -> str:
        if tail is None:
            tail = last_lines(map(blanker_of(self._environment), _lines(run / "output.log")))
        return (
            f"the notebook {self._notebook} failed: {reason}. Read {run / 'output.log'}, remove the cause and run "
            f"again; {tail}"
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


def _lines(output: Path) -> list[str]:
    """The lines at the end of an output."""
    with suppress(FileNotFoundError), output.open("rb") as source:
        source.seek(max(0, source.seek(0, os.SEEK_END) - _END_BYTES))
        return source.read().decode("utf-8", "backslashreplace").splitlines()
    return []


def _result(run: Path) -> str | None:
    """The result of a run; None if there is none (yet)."""
    try:
        return decode_json((run / "result.json").read_bytes(), _Result).result
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotebookUnavailable(f"{run / 'result.json'} cannot be read ({error}); repair its permissions") from error
    except JsonError as error:
        raise NotebookWrongData(
            f"{run / 'result.json'} is no result of a run: {error}; remove the folder {run}"
        ) from error


def _how_it_ended(exit_code: int) -> str:
    return f"it was ended by signal {-exit_code}" if exit_code < 0 else f"it ended with exit code {exit_code}"
