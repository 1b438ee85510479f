"""Drivers run each task once, several at a time, and none after an error."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.drivers.driver import Driver, Folder, LocalDriver
from logcache_assets.engine.engine_error import EngineError
from logcache_tests.engine.elsewhere import ElsewhereDriver

RUN: list[int] = []
"""The tasks that ran, in the order in which they finished."""
LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Square:
    """Multiplies a number by itself, after a while."""

    number: int
    seconds: float = 0.0
    fails: bool = False

    def run(self) -> int:
        """The square."""
        time.sleep(self.seconds)
        with LOCK:
            RUN.append(self.number)
        if self.fails:
            raise EngineError(f"{self.number} is unlucky")
        return self.number**2


@dataclass
class Together:
    """Waits until all parties of a barrier run at once."""

    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(3, timeout=20))

    def run(self) -> int:
        """Raise when the barrier times out."""
        return self.barrier.wait()


@pytest.fixture(params=[LocalDriver, ElsewhereDriver])
def driver(request: pytest.FixtureRequest, store: FolderObjectStore) -> Driver:
    """A driver with two workers."""
    RUN.clear()
    make: Callable[[Folder], Driver] = request.param
    return make(Folder(store, "s3://own-bucket/scratch"))


def test_every_task_runs_once(driver: Driver) -> None:
    """Every result arrives exactly once."""
    assert sorted(driver.run([Square(n) for n in range(20)])) == [n**2 for n in range(20)]
    assert sorted(RUN) == list(range(20))


def test_results_come_when_they_are_there(driver: Driver) -> None:
    """A slow task does not delay the results of others."""
    assert list(driver.run([Square(3, seconds=0.5), Square(1), Square(2)])) == [1, 4, 9]


def test_no_tasks_give_no_results(driver: Driver) -> None:
    """An instance may have no buckets to read."""
    assert list(driver.run(list[Square]())) == []


def test_the_first_error_ends_all(driver: Driver) -> None:
    """The task's own error is raised, and no further task starts."""
    tasks = [Square(0), Square(1, fails=True), *(Square(n, seconds=0.01) for n in range(2, 100))]

    with pytest.raises(EngineError, match="1 is unlucky"):
        list(driver.run(tasks))

    assert len(RUN) < 10


def test_tasks_run_side_by_side(store: FolderObjectStore) -> None:
    """As many tasks run at once as there are workers."""
    driver = LocalDriver(Folder(store, "s3://own-bucket/scratch"), workers=3)
    barrier = threading.Barrier(3, timeout=20)

    assert sorted(driver.run([Together(barrier)] * 3)) == [0, 1, 2]


def test_no_more_tasks_are_begun_than_there_are_workers(store: FolderObjectStore) -> None:
    """Memory grows with each running task, so none starts early."""
    driver = LocalDriver(Folder(store, "s3://own-bucket/scratch"), workers=2)
    RUN.clear()

    next(iter(driver.run([Square(n, seconds=0.02) for n in range(100)])))

    assert len(RUN) <= 4


def test_a_folder_in_a_folder_has_one_slash(store: FolderObjectStore) -> None:
    """A trailing slash of the outer folder makes no difference."""
    assert Folder(store, "s3://own-bucket/a").at("b").uri == "s3://own-bucket/a/b"
    assert Folder(store, "s3://own-bucket/a/").at("b").uri == "s3://own-bucket/a/b"
