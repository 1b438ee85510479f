"""How tasks travel to Spark's workers, and what comes back."""

import os
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.drivers.driver import Folder, Task
from logcache_assets.engine.drivers.sending import Shared
from logcache_assets.engine.drivers.spark import SparkDriver
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.ports import ObjectNotFoundError
from logcache_tests.engine.world import FEED_S0, OWN_BUCKET


@dataclass(frozen=True)
class Refusing:
    """A task that cannot be done."""

    error: Exception

    def run(self) -> int:
        """Refuse."""
        raise self.error


@dataclass(frozen=True)
class Noting:
    """Leaves a note."""

    notes: Folder
    number: int

    def run(self) -> int:
        """Its number."""
        self.notes.store.write(self.notes.at(str(self.number)).uri, b"")
        return self.number


@dataclass(frozen=True)
class Waiting:
    """Is done only after another's note."""

    notes: Folder
    number: int

    def run(self) -> int:
        """Minus its number."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.notes.store.head(self.notes.at(str(self.number)).uri)
            except ObjectNotFoundError:
                time.sleep(0.05)
            else:
                return -self.number
        raise TimeoutError


@pytest.fixture
def notes(store: FolderObjectStore) -> Folder:
    """A folder of the test's own."""
    return Folder(store, f"s3://{OWN_BUCKET}/notes/{uuid.uuid4()}")


def test_results_come_as_they_are_done(spark: SparkDriver, notes: Folder) -> None:
    """Tasks run beside each other: the second one's result is here while the first one still waits."""
    tasks: list[Task[int]] = [Waiting(notes, 1), Noting(notes, 2)]

    results = spark.run(tasks)

    assert next(results) == 2
    Noting(notes, 1).run()
    assert list(results) == [-1]


def test_an_error_of_ours_arrives_as_it_was_raised(spark: SparkDriver) -> None:
    """With its type, its text, and the instance by which the ladder goes on."""
    with pytest.raises(EngineError, match=r"^a value that its type cannot hold$") as refusal:
        list(spark.run([Refusing(EngineError("a value that its type cannot hold"))]))
    with pytest.raises(CacheError, match=r"^damaged$") as damage:
        list(spark.run([Refusing(CacheError(FEED_S0, "damaged"))]))

    assert type(refusal.value) is EngineError
    assert damage.value.instance == FEED_S0


def test_any_other_error_shows_where_it_happened(spark: SparkDriver) -> None:
    """A mistake of the code is not a refusal: its traceback from the worker is there."""
    pattern = rf"(?s){Path(__file__).name}.*raise self\.error.*ZeroDivisionError: by zero"

    with pytest.raises(Exception, match=pattern):
        list(spark.run([Refusing(ZeroDivisionError("by zero"))]))


def test_the_first_error_ends_all(spark: SparkDriver, notes: Folder) -> None:
    """Nobody waits for hours of tasks whose results nobody will use."""
    tasks: list[Task[int]] = [Refusing(EngineError("no")), *(Noting(notes, number) for number in range(50))]

    with pytest.raises(EngineError, match="no"):
        list(spark.run(tasks))

    assert len(list(notes.store.list_objects(notes.uri))) < 25


class Seen(Shared):
    """Counts the tasks that it saw, as a reader counts on what it has read."""

    def __init__(self) -> None:
        self.tasks = 0


@dataclass(frozen=True)
class Seeing:
    """Holds what other tasks hold, too."""

    seen: Seen

    def run(self) -> tuple[int, int]:
        """The worker's process, and how many tasks have seen the same there."""
        self.seen.tasks += 1
        return os.getpid(), self.seen.tasks


def test_a_worker_reads_once_what_many_tasks_hold(spark: SparkDriver) -> None:
    """In each of its processes the second task finds what the first one has read."""
    tasks = [Seeing(seen) for seen in [Seen()] * 12]

    found = list(spark.run(tasks))

    workers = {worker for worker, _ in found}
    assert len(workers) <= 2
    for worker in workers:
        assert [nth for its, nth in found if its == worker] == [*range(1, 1 + sum(w == worker for w, _ in found))]


def test_no_tasks_are_no_job(spark: SparkDriver) -> None:
    """A build without a delta has nothing to spill."""
    assert list(spark.run([])) == []
