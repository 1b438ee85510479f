"""Measures a Python program as a separate process: wall seconds, CPU seconds, peak memory.

    python bench/measure.py FIGURES.json SCRIPT.py …      runs the script and writes its cost
    python bench/measure.py FIGURES.json -m MODULE …

The peak is VmHWM, read by the process itself at its end: ru_maxrss survives exec and would report a big parent's.
Processes that the program starts (Spark's JVM, its Python workers) are sampled while they live.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

SAMPLE_SECONDS = 0.2
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of one run of a program."""

    wall_seconds: float
    cpu_seconds: float
    """CPU seconds of the process and all that it started."""
    peak_mb: float
    """The sum of the peaks of its processes, which may be at different times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program may use before it is ended."""

    seconds: float
    memory_mb: float
    """Memory of the process and all that it started, at one time."""


class ProgramError(RuntimeError):
    """A program failed; the message ends with its last lines."""


class LimitError(ProgramError):
    """A program was ended at a limit; the message names it."""


def measure(
    program: Sequence[str],
    *,
    folder: Path,
    limits: Limits | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Cost:
    """Run a script, or `-m` and a module, with its arguments; its output goes to a file in the folder.

    Args:
        program: the script and its arguments.
        folder: for its output and figures.
        limits: at which it is ended.
        variables: of its environment, beside those of this process.

    Raises:
        LimitError: the program was ended at one of the limits.
        ProgramError: the program did not exit with 0.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures, printed = folder / "figures.json", folder / "output.txt"
    figures.unlink(missing_ok=True)
    with printed.open("wb") as output:
        began = time.monotonic()
        command = [sys.executable, str(Path(__file__).absolute()), str(figures), *program]
        environment = {**os.environ, **variables}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
        sampler, guard = Sampler(process.pid), Guard(process.pid, limits)
        sampler.start()
        guard.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            end(process.pid)
            raise
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        sampler.stop()
        guard.stop()
    if guard.reached:
        raise LimitError(guard.reached)
    if process.returncode or not figures.exists():
        lines = printed.read_text("utf-8", "replace").splitlines()[-20:]
        raise ProgramError(f"{' '.join(program[:4])} … exited with {process.returncode}:\n" + "\n".join(lines))
    own = json.loads(figures.read_text("utf-8"))
    waited_for = usage.ru_utime + usage.ru_stime - own["cpu_seconds"]
    return Cost(
        wall_seconds=wall,
        cpu_seconds=own["cpu_seconds"] + max(waited_for, sampler.cpu_seconds),
        peak_mb=(own["peak_kb"] + sampler.peak_kb) / 1024,
    )


class Sampler(threading.Thread):
    """Samples the processes below another while they run, because ended ones cannot be measured."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self._seen: set[int] = set()
        self._peaks_kb: dict[int, int] = {}
        self._cpu_seconds: dict[int, float] = {}

    def run(self) -> None:
        """Sample until stopped."""
        while not self._ended.wait(SAMPLE_SECONDS):
            with suppress(OSError, KeyError, ValueError):  # a process ended while it was looked at
                found = set(_descendants(self._pid))
                # A JVM forks to start a program: until that runs, the child seems to have the JVM's memory.
                for pid in found & self._seen:
                    self._look_at(pid)
                self._seen = found

    def _look_at(self, pid: int) -> None:
        self._peaks_kb[pid] = max(self._peaks_kb.get(pid, 0), _memory_kb(pid, "VmHWM"))
        self._cpu_seconds[pid] = _cpu_seconds(pid)

    def stop(self) -> None:
        """Stop sampling; the figures remain."""
        self._ended.set()
        self.join()

    @property
    def peak_kb(self) -> int:
        """The sum of all peaks."""
        return sum(self._peaks_kb.values())

    @property
    def cpu_seconds(self) -> float:
        """The sum of the last sample of each process."""
        return sum(self._cpu_seconds.values())


class Guard(threading.Thread):
    """Ends a program at its limits, before the kernel runs out of memory and ends another one."""

    def __init__(self, pid: int, limits: Limits | None) -> None:
        super().__init__(daemon=True)
        self._pid, self._limits, self._ended = pid, limits, threading.Event()
        self._began = time.monotonic()
        self.reached = ""
        """The limit that was reached, in words."""

    def run(self) -> None:
        """Check the limits until stopped."""
        while self._limits and not self.reached and not self._ended.wait(SAMPLE_SECONDS):
            self.reached = self._reached(self._limits)
            if self.reached:
                end(self._pid)

    def _reached(self, limits: Limits) -> str:
        if time.monotonic() - self._began > limits.seconds:
            return f"out of time: more than {limits.seconds:g} s"
        with suppress(OSError, KeyError, ValueError):  # a process ended while it was looked at
            used_kb = sum(_memory_kb(pid, "VmRSS") for pid in (self._pid, *_descendants(self._pid)))
            return f"out of memory: more than {limits.memory_mb:,.0f} MB" if used_kb > limits.memory_mb * 1024 else ""
        return ""

    def stop(self) -> None:
        """Stop checking."""
        self._ended.set()
        self.join()


def end(pid: int) -> None:
    """Kill a process and all that it started."""
    with suppress(OSError):
        for each in (*_descendants(pid), pid):
            os.kill(each, signal.SIGKILL)


def cpu_seconds_of(pid: int) -> float:
    """CPU seconds so far of a process, of those that it started and of those that it waited for."""
    return sum(_cpu_seconds(each) + _waited_for(each) for each in (pid, *_descendants(pid)))


def children_of(pid: int) -> Iterator[int]:
    """The processes that this one started."""
    for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - five times a second
        with suppress(OSError):
            yield from map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text("ascii").split())


def _descendants(pid: int) -> Iterator[int]:
    """The processes that this one started, and theirs."""
    for child in children_of(pid):
        with suppress(OSError):
            yield child
            yield from _descendants(child)


def _memory_kb(pid: int | str, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    return int(dict(line.split(":", 1) for line in lines)[field].split()[0])


def _cpu_seconds(pid: int) -> float:
    return _ticks(pid, 11, 12) / TICK


def _waited_for(pid: int) -> float:
    """CPU seconds of the ended processes that this one waited for."""
    return _ticks(pid, 13, 14) / TICK


def _ticks(pid: int, *places: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return sum(int(fields[place]) for place in places)


def machine() -> Mapping[str, str]:
    """The machine on which the figures were measured."""
    cpuinfo = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    models = [line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name")]
    memory = Path("/proc/meminfo").read_text("ascii").split()[1]
    return {
        "cpu": next(iter(models), "unknown"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory) / 2**20:.0f} GiB",
        "python": sys.version.split()[0],
    }


def main() -> None:
    """Run a program in this process and write its cost."""
    figures, *program = sys.argv[1:]
    try:
        if program[0] == "-m":
            sys.argv = program[1:]
            runpy.run_module(program[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = program, str(Path(program[0]).parent)
            runpy.run_path(program[0], run_name="__main__")
    finally:
        spent = os.times()
        own = {"peak_kb": _memory_kb("self", "VmHWM"), "cpu_seconds": spent.user + spent.system}
        Path(figures).write_text(json.dumps(own), encoding="utf-8")


if __name__ == "__main__":
    main()
