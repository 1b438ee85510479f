"""Run commands in their own process groups, read their lines as they are printed, and always end the whole group.

The output goes to a file that is read while it grows, not through a pipe: the whole output is there whatever happens to
the reader, a second reader can follow a command that it did not start, and a grandchild that outlives its parent holds
nothing open. Callers decide what lines mean and which exits are failures.
"""

import fcntl
import os
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.1
LAST_LINES = 20
"""How many lines an error shows."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class NotStartedError(Exception):
    """There is no such command, or it cannot be run."""


class OutOfTimeError(Exception):
    """A command exceeded its time limit or printed nothing for too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Time limits of a command."""

    timeout_seconds: float
    idle_timeout_seconds: float = float("inf")
    """How long it may print nothing."""


@contextmanager
def started(
    argv: Sequence[str],
    *,
    output: Path,
    environment: Mapping[str, str],
    grace_seconds: float,
    inherited_files: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command for the duration of the block, then end whatever is left of its process group.

    Args:
        argv: the command; nothing goes through a shell.
        output: file of what it prints, both streams.
        environment: added to this process's own.
        grace_seconds: from SIGTERM to SIGKILL.
        inherited_files: open descriptors that it keeps.

    Raises:
        NotStartedError: the command cannot be run.
    """
    try:
        with output.open("wb") as sink:
            # The command's own descriptor keeps this lock until it ends, so `is_written` finds it in any process.
            fcntl.flock(sink, fcntl.LOCK_SH)
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                pass_fds=inherited_files,
            )
    except OSError as error:
        raise NotStartedError(str(error)) from error
    try:
        yield process
    finally:
        end_group(process.pid, grace_seconds=grace_seconds, reap=process.poll)
        process.wait()


def end_group(group: int, *, grace_seconds: float, reap: Callable[[], object] = lambda: None) -> None:
    """Send SIGTERM to a process group and SIGKILL to what is left after the grace period; an interrupt kills at once.

    Args:
        group: id of the process group.
        grace_seconds: from SIGTERM to SIGKILL.
        reap: collects the ended child, which otherwise stays in its group as a zombie.
    """
    deadline = time.monotonic() + grace_seconds
    try:
        is_there = _signal(group, signal.SIGTERM)
        while is_there and time.monotonic() < deadline:
            reap()
            is_there = _signal(group, 0)
            time.sleep(0.02 if is_there else 0)
    finally:
        _signal(group, signal.SIGKILL)


def follow(output: Path, *, limits: Limits, has_ended: Callable[[float], bool]) -> Iterator[str]:
    """Yield the lines of a growing file, without colours, until its writer has ended; also an unterminated last line.

    Args:
        output: the file.
        limits: time limits of the writer.
        has_ended: waits up to the given number of seconds and returns whether the writer has ended.

    Raises:
        OutOfTimeError: a limit was exceeded; the writer still runs.
    """
    begun = printed = time.monotonic()
    with output.open("rb") as source:
        pending = b""
        ended = False
        while not ended:
            # Ask first, then read: otherwise lines printed just before the end would be missed.
            ended = has_ended(POLL_SECONDS)
            fresh = source.read()
            if fresh:
                printed = time.monotonic()
                *lines, pending = (pending + fresh).split(b"\n")
                yield from map(plain_line, lines)
            if not ended:
                _check_time(limits, total=time.monotonic() - begun, idle=time.monotonic() - printed)
        if pending:
            yield plain_line(pending)


def is_written(output: Path) -> bool:
    """True if a command that `started` ran still holds its output file, whoever started it."""
    with output.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def wait_for(process: subprocess.Popen[bytes]) -> Callable[[float], bool]:
    """Return a `has_ended` for `follow` that waits for a child process."""

    def has_ended(seconds: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.returncode is not None

    return has_ended


def last_lines(lines: deque[str]) -> str:
    """The last lines of an output, as part of an error message."""
    return "\n".join(["its last lines:", *lines]) if lines else "it printed nothing"


def plain_line(line: bytes) -> str:
    """Decode a line without its line end and terminal colours; bytes that are not UTF-8 are escaped."""
    return _ANSI.sub("", line.decode("utf-8", "backslashreplace")).rstrip("\r")


def _check_time(limits: Limits, *, total: float, idle: float) -> None:
    if total > limits.timeout_seconds:
        raise OutOfTimeError(f"it took longer than {limits.timeout_seconds:g} seconds")
    if idle > limits.idle_timeout_seconds:
        raise OutOfTimeError(f"it printed nothing for {limits.idle_timeout_seconds:g} seconds")


def _signal(group: int, number: int) -> bool:
    """Send a signal to a group; returns False when the group has no process left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS answers the latter for zombies
        return False
    return True
