"""Run commands in their own process groups, read their lines as they are printed, and always end the whole group.

The output goes to a file that is read while it grows, not through a pipe: the whole output is there whatever happens to
the reader, a second reader can follow a command that it did not start, and a grandchild that outlives its parent holds
nothing open. Callers decide what lines mean and which exits are failures.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from logcache_assets.adapters.blanker import Blanker
from logcache_assets.domain.plain_text import plain_line

POLL_SECONDS = 0.1

LINE_CHARACTERS = 1 << 16
"""How much of a line is read; the file has the rest."""
LONGEST_SECRET = 1 << 12
"""How much more is looked at, so that a secret that is cut is blanked first."""
_CHUNK_BYTES = 1 << 20
_OUTPUT_BYTES = 1 << 30


class NotStartedError(Exception):
    """There is no such command, or it cannot be run."""


class OutOfTimeError(Exception):
    """A command took too long, printed nothing for too long, or printed more than anybody keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Time limits of a command."""

    timeout_seconds: float
    idle_timeout_seconds: float = float("inf")
    """How long it may print nothing."""
    output_bytes: int = _OUTPUT_BYTES
    """How much it may print; without a limit it would fill the disk."""


@contextmanager
def started(  # noqa: PLR0913 - what a command is given and allowed
    argv: Sequence[str],
    *,
    output: Path,
    environment: Mapping[str, str],
    grace_seconds: float,
    inherited_files: Sequence[int] = (),
    withheld: Collection[str] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command for the duration of the block, then end whatever is left of its process group.

    Args:
        argv: the command; nothing goes through a shell.
        output: file of what it prints, both streams; only this user can read it.
        environment: added to this process's own.
        grace_seconds: from SIGTERM to SIGKILL.
        inherited_files: open descriptors that it keeps.
        withheld: this process's own variables that it does not get.

    Raises:
        NotStartedError: the command cannot be run.
    """
    own = {name: value for name, value in os.environ.items() if name not in withheld}
    try:
        with open(output, "wb", opener=_for_this_user) as sink:
            # The command's own descriptor keeps this lock until it ends, so `is_written` finds it in any process.
            fcntl.flock(sink, fcntl.LOCK_SH)
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**own, "PYTHONUNBUFFERED": "1", **environment},
                pass_fds=inherited_files,
            )
    except OSError as error:
        raise NotStartedError(str(error)) from error
    try:
        yield process
    finally:
        end_group(process.pid, grace_seconds=grace_seconds, reap=process.poll)
        process.wait()


def _for_this_user(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def blanker_of(environment: Mapping[str, str]) -> Blanker:
    """Blanks what a command finds in its environment: this process's own and what is added."""
    return Blanker.of_environment({**os.environ, **environment})


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


def follow(
    output: Path, *, limits: Limits, has_ended: Callable[[float], bool], blank: Callable[[str], str] = str
) -> Iterator[str]:
    """Yield the lines of a growing file as plain text until its writer has ended; also an unterminated last line.

    Args:
        output: the file.
        limits: limits of the writer.
        has_ended: waits up to the given number of seconds and returns whether the writer has ended.
        blank: takes the secrets out of a line.

    Raises:
        OutOfTimeError: a limit was exceeded; the writer still runs.
    """
    begun = printed = time.monotonic()
    lines = _Lines(blank)
    fresh = b""
    ended = False
    with output.open("rb") as source:
        while fresh or not ended:
            # Ask first, then read: otherwise lines printed just before the end would be missed.
            ended = ended or has_ended(0 if fresh else POLL_SECONDS)
            fresh = source.read(_CHUNK_BYTES)
            printed = time.monotonic() if fresh else printed
            for line in lines.ended_in(fresh):
                yield line
                if not ended:
                    _check(limits, total=time.monotonic() - begun)
            if not ended:
                idle = 0 if fresh else time.monotonic() - printed
                _check(limits, total=time.monotonic() - begun, idle=idle, size_bytes=source.tell())
    yield from lines.rest()


class _Lines:
    """Cuts what is read into lines; of a long line only the beginning is held."""

    def __init__(self, blank: Callable[[str], str]) -> None:
        self._blank = blank
        self._held = bytearray()
        self._left_out = 0

    def ended_in(self, fresh: bytes) -> Iterator[str]:
        """The lines that end in what was read."""
        *ended, rest = fresh.split(b"\n")
        for part in ended:
            self._hold(part)
            yield self._line()
        self._hold(rest)

    def rest(self) -> Iterator[str]:
        """The last line, if it has no end."""
        if self._held:
            yield self._line()

    def _hold(self, part: bytes) -> None:
        room = LINE_CHARACTERS + LONGEST_SECRET - len(self._held)
        self._held += part[:room]
        self._left_out += len(part[room:])

    def _line(self) -> str:
        line = self._blank(plain_line(self._held.decode("utf-8", "backslashreplace")))
        if self._left_out or len(line) > LINE_CHARACTERS:
            line = f"{line[:LINE_CHARACTERS]}… (and {self._left_out:,} bytes)"
        self._held.clear()
        self._left_out = 0
        return line


def lines_in(output: Path, *, blank: Callable[[str], str] = str) -> Iterator[str]:
    """The lines that are in an output now, as `follow` gives them."""
    return follow(output, limits=Limits(timeout_seconds=float("inf")), has_ended=lambda _: True, blank=blank)


def is_written(output: Path) -> bool:
    """True if a command that `started` ran still holds its output file, whoever started it."""
    with output.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def end_writers(output: Path, *, grace_seconds: float) -> None:
    """End the process groups of whoever still writes an output, if `/proc` tells; nobody else can have it open so."""
    wanted = str(output.absolute())
    groups: set[int] = set()
    for process in _processes():
        if _writes(process, wanted):
            with suppress(ProcessLookupError):
                groups.add(os.getpgid(process))
    for group in groups - {os.getpgrp()}:
        end_group(group, grace_seconds=grace_seconds)


def _processes() -> Iterator[int]:
    with suppress(FileNotFoundError):
        yield from (int(found.name) for found in Path("/proc").iterdir() if found.name.isdigit())


def _writes(process: int, path: str) -> bool:
    """True if a process of this user has its standard output there."""
    try:
        return str(Path(f"/proc/{process}/fd/1").readlink()) == path
    except OSError:
        return False


def wait_for(process: subprocess.Popen[bytes]) -> Callable[[float], bool]:
    """Return a `has_ended` for `follow` that waits for a child process."""

    def has_ended(seconds: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.returncode is not None

    return has_ended


def _check(limits: Limits, *, total: float, idle: float = 0, size_bytes: int = 0) -> None:
    if total > limits.timeout_seconds:
        raise OutOfTimeError(f"it took longer than {limits.timeout_seconds:g} seconds")
    if idle > limits.idle_timeout_seconds:
        raise OutOfTimeError(f"it printed nothing for {limits.idle_timeout_seconds:g} seconds")
    if size_bytes > limits.output_bytes:
        raise OutOfTimeError(f"it printed more than {limits.output_bytes:,} bytes")


def _signal(group: int, number: int) -> bool:
    """Send a signal to a group; returns False when the group has no process left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS answers the latter for zombies
        return False
    return True
