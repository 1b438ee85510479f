"""Starts refreshes in processes of their own, and ends all processes of a world at once, as when its machine dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from logcache_assets.local_platform.world import World
from logcache_assets.settings import child_environment

OUTSIDE = b"STAND_IN_CLUSTER=1"
"""In the environment of a process that works for a world on a machine of its own: a cluster's."""
POLL_SECONDS = 0.003
LONGEST_SECONDS = 600.0


@dataclass(frozen=True)
class Ended:
    """How a refresh ended."""

    exit_code: int
    """-9 if it was killed."""
    told: str
    seconds: float


def refresh_world(world: World, *, kill_when: Callable[[float], bool] = lambda _: False) -> Ended:
    """Run `logcache refresh` in a world, and end all its processes as soon as a moment has come.

    Args:
        world: to refresh.
        kill_when: whether the moment has come, asked with the seconds since the command was started.
    """
    program, environment = (
        Path(sys.executable).parent / "logcache",
        dict(os.environ) | child_environment(world.settings),
    )
    output = world.home.parent / "told.log"
    with output.open("wb") as sink:
        begun = time.monotonic()
        process = subprocess.Popen(
            [program, "refresh"], env=environment, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )
        while process.poll() is None and (passed := time.monotonic() - begun) < LONGEST_SECONDS:
            if kill_when(passed):
                kill(list(processes_of(world.home)))
                break
            time.sleep(POLL_SECONDS)
        exit_code = process.wait(LONGEST_SECONDS)
    return Ended(exit_code, output.read_text(encoding="utf-8"), time.monotonic() - begun)


def processes_of(home: Path) -> Iterator[int]:
    """The ids of the processes that work in a world, on the machine that dies."""
    mark = f"LOGCACHE_HOME={home}".encode()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if not entry.name.isdigit():
                continue
            variables = (entry / "environ").read_bytes().split(b"\0")
            if mark in variables and OUTSIDE not in variables:
                yield int(entry.name)


def kill(pids: list[int]) -> None:
    """End processes together: none of them goes on while the others are being ended."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
