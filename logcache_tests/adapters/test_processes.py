"""Commands in their own process groups: every line is read, and no process stays."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from logcache_assets.adapters.blanker import Blanker
from logcache_assets.adapters.processes import (
    LINE_CHARACTERS,
    Limits,
    NotStartedError,
    OutOfTimeError,
    follow,
    started,
    wait_for,
)

PATIENT = Limits(timeout_seconds=60)


def lines_of(script: str, output: Path, *, limits: Limits = PATIENT, grace_seconds: float = 5) -> Iterator[str]:
    """The lines of a Python script."""
    with started((sys.executable, "-c", script), output=output, environment={}, grace_seconds=grace_seconds) as process:
        yield from follow(output, limits=limits, has_ended=wait_for(process))


def lines_in(
    folder: Path,
    printed: bytes,
    *,
    limits: Limits = PATIENT,
    ended: bool = True,
    blank: Callable[[str], str] = str,
) -> Iterator[str]:
    """The lines of an output whose writer has ended, or goes on without printing more."""
    (folder / "log").write_bytes(printed)
    return follow(folder / "log", limits=limits, has_ended=lambda _: ended, blank=blank)


def eventually(holds: Callable[[], bool], *, seconds: float = 10) -> bool:
    """True if a condition becomes true in time."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def is_running(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not Path("/proc/self").exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Gives a function that soon causes a KeyboardInterrupt in the main thread, as a person or Dagster does."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.2) and None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_every_line_comes_in_order(tmp_path: Path) -> None:
    """Both streams, many lines, the unterminated last one; the file holds them too."""
    script = "import sys\nfor n in range(50_000): print(n)\nprint('end', end='', file=sys.stderr)"

    lines = list(lines_of(script, tmp_path / "log"))

    assert lines == [*map(str, range(50_000)), "end"]
    assert (tmp_path / "log").read_text().endswith("49999\nend")


def test_a_line_comes_while_the_command_runs(tmp_path: Path) -> None:
    """A line is yielded as soon as it is printed."""
    lines = lines_of("import time\nprint('now')\ntime.sleep(60)", tmp_path / "log")
    begun = time.monotonic()

    assert next(lines) == "now"
    lines.close()  # type: ignore[attr-defined]

    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(b"\x1b[1;31mred\x1b[0m", "red", id="colours"),
        pytest.param(b"\x1b]0;title\x07text", "text", id="a window title"),
        pytest.param(b"dos\r", "dos", id="a carriage return"),
        pytest.param(b"\xff caf\xc3\xa9", "\\xff café", id="bytes that are no UTF-8"),
    ],
)
def test_a_line_is_plain_text(tmp_path: Path, raw: bytes, text: str) -> None:
    """Colours are removed, and bytes that are not UTF-8 are escaped."""
    assert list(lines_in(tmp_path, raw + b"\n")) == [text]


def test_of_a_long_line_the_beginning_is_held(tmp_path: Path) -> None:
    """The rest is counted, and the lines around it are whole."""
    lines = list(lines_in(tmp_path, b"before\n" + b"x" * 3_000_000 + b"\nafter\n" + b"y" * 2_000_000))

    assert [line[:7] for line in lines] == ["before", "xxxxxxx", "after", "yyyyyyy"]
    assert max(map(len, lines)) < LINE_CHARACTERS + 100
    assert lines[1].endswith("bytes)")


def test_a_secret_at_the_cut_of_a_line_is_blanked(tmp_path: Path) -> None:
    """No half of it is shown."""
    blank = Blanker(["an invented secret"])

    (line,) = lines_in(tmp_path, b"x" * (LINE_CHARACTERS - 9) + b"an invented secret" + b"y" * 100_000, blank=blank)

    assert "an inv" not in line


def test_time_passes_while_lines_are_told(tmp_path: Path) -> None:
    """The limit is looked at after each line, not after all that were read together."""
    lines = lines_in(tmp_path, b"line\n" * 1000, limits=Limits(timeout_seconds=0), ended=False)

    assert next(lines) == "line"
    with pytest.raises(OutOfTimeError, match="longer than 0 seconds"):
        next(lines)


def test_output_without_end_is_ended(tmp_path: Path) -> None:
    """Also without a line end; it would fill the disk."""
    lines = lines_in(tmp_path, b"x" * 5000, limits=Limits(timeout_seconds=60, output_bytes=4999), ended=False)

    with pytest.raises(OutOfTimeError, match="it printed more than 4,999 bytes"):
        next(lines)


def test_only_this_user_reads_an_output(tmp_path: Path) -> None:
    """Until its secrets are blanked it may hold any."""
    assert list(lines_of("print('x')", tmp_path / "log")) == ["x"]
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0


def test_the_environment_is_added(tmp_path: Path) -> None:
    """The given variables are added to this process's own."""
    output = tmp_path / "log"
    argv = (sys.executable, "-c", "import os; print(os.environ['ADDED'], 'PATH' in os.environ)")

    with started(argv, output=output, environment={"ADDED": "yes"}, grace_seconds=1) as process:
        assert list(follow(output, limits=PATIENT, has_ended=wait_for(process))) == ["yes True"]


def test_a_missing_command_is_an_error(tmp_path: Path) -> None:
    """Of its own kind, so that the caller can say what to install."""
    with (
        pytest.raises(NotStartedError, match="none"),
        started((str(tmp_path / "none"),), output=tmp_path / "log", environment={}, grace_seconds=1),
    ):
        pytest.fail("it was started")


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        pytest.param(Limits(timeout_seconds=0.5), "longer than 0.5 seconds", id="total"),
        pytest.param(Limits(timeout_seconds=60, idle_timeout_seconds=0.5), "nothing for 0.5 seconds", id="idle"),
    ],
)
def test_a_command_that_takes_too_long_is_ended(tmp_path: Path, limits: Limits, reason: str) -> None:
    """Its lines up to then are yielded first."""
    lines: list[str] = []
    script = "import os, time\nprint(os.getpid())\ntime.sleep(60)"

    with pytest.raises(OutOfTimeError, match=reason):
        lines.extend(lines_of(script, tmp_path / "log", limits=limits))

    assert not is_running(int((tmp_path / "log").read_text()))


def test_printing_keeps_a_command_from_being_idle(tmp_path: Path) -> None:
    """Every output restarts the idle time."""
    script = "import time\nfor n in range(8): print(n); time.sleep(0.2)"

    lines = list(lines_of(script, tmp_path / "log", limits=Limits(timeout_seconds=60, idle_timeout_seconds=1.2)))

    assert len(lines) == 8


def test_an_interrupt_surfaces_and_ends_the_group(tmp_path: Path) -> None:
    """Also a grandchild, and a process that ignores SIGTERM."""
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)\n"
        "import os; print(os.getpid())\n"
        "time.sleep(60)"
    )
    pids: list[int] = []
    begun = time.monotonic()

    def read(interrupt: Callable[[], None]) -> None:
        for line in lines_of(script, tmp_path / "log", grace_seconds=0.3):
            pids.append(int(line))
            if len(pids) == 2:
                interrupt()

    with interruptible() as interrupt, pytest.raises(KeyboardInterrupt):
        read(interrupt)

    assert len(pids) == 2
    assert eventually(lambda: not any(map(is_running, pids)))
    assert time.monotonic() - begun < 30


def test_a_command_that_ends_on_request_is_not_killed(tmp_path: Path) -> None:
    """It has the grace period to clean up."""
    script = (
        "import pathlib, signal, sys, time\n"
        f"def end(*_): time.sleep(0.3); pathlib.Path({str(tmp_path / 'cleaned')!r}).touch(); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready')\n"
        "time.sleep(60)"
    )
    lines = lines_of(script, tmp_path / "log")
    assert next(lines) == "ready"

    lines.close()  # type: ignore[attr-defined]

    assert (tmp_path / "cleaned").exists()


def test_a_grandchild_that_stays_is_ended_with_its_parent(tmp_path: Path) -> None:
    """A grandchild that outlives its parent does not block the reader and is ended."""
    script = (
        "import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid)"
    )
    begun = time.monotonic()

    (pid,) = map(int, lines_of(script, tmp_path / "log", grace_seconds=0.3))

    assert eventually(lambda: not is_running(pid))
    assert time.monotonic() - begun < 20
    assert pid != os.getpid()
