"""Drivers run the tasks of a build: LocalDriver in threads, SparkDriver (spark.py) on Spark.

A task is a small frozen value whose `run` reads and writes by URI, so that it works on any machine.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol, TypeVar

from typing_extensions import override

from logcache_assets.ports import ObjectStore

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder in an object store, to write below."""

    store: ObjectStore
    uri: str

    def at(self, name: str) -> "Folder":
        """The subfolder of this name."""
        return Folder(self.store, f"{self.uri.rstrip('/')}/{name}")


class Task(Protocol[R_co]):
    """One unit of work."""

    def run(self) -> R_co:
        """Do the work and return its result.

        Raises:
            LogCacheError: the input is wrong (EngineError and others), or the store could not answer (Unavailable).
        """


class Driver(ABC):
    """Runs tasks."""

    shares_memory: bool
    """Whether tasks share this process's memory; if not, they exchange rows through files in `scratch`."""
    scratch: Folder
    """An empty folder for temporary files; whoever created the driver removes it."""

    @abstractmethod
    def run(self, tasks: Sequence[Task[R]]) -> Iterator[R]:
        """Yield results as tasks finish, in any order; the first error ends the run."""


class LocalDriver(Driver):
    """Runs tasks in threads of this process; polars computes outside Python's lock.

    Args:
        scratch: an empty folder for what does not fit in memory.
        workers: how many tasks run at once; memory grows with each.
    """

    shares_memory = True

    def __init__(self, scratch: Folder, *, workers: int = 2) -> None:
        self.scratch, self._workers = scratch, workers

    @override
    def run(self, tasks: Sequence[Task[R]]) -> Iterator[R]:
        waiting = iter(tasks)
        with ThreadPoolExecutor(self._workers) as pool:
            running = {pool.submit(task.run) for task in _first(waiting, self._workers)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {pool.submit(task.run) for task in _first(waiting, len(done))}
                for future in done:
                    yield future.result()


def _first(tasks: Iterator[Task[R]], count: int) -> Iterator[Task[R]]:
    for _ in range(count):
        if (task := next(tasks, None)) is None:
            return
        yield task
