"""What many tasks hold is unpickled once per worker, and let go when no task holds it."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.engine.contracts.build_contracts import ContractTask
from logcache_assets.engine.contracts.column_timelines import InstanceContext
from logcache_assets.engine.contracts.entity_reader import InstanceReader
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.drivers.sending import Sender, Shared, load_task
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.log.datoms import SpilledDatoms
from logcache_assets.engine.storage.buckets import Bucket
from logcache_tests.engine.world import FEED_S0, definition_of


class Reader(Shared):
    """Remembers who read with it."""

    def __init__(self) -> None:
        self.read: list[int] = []


@dataclass(frozen=True)
class Reading:
    """Reads with the reader that it shares."""

    reader: Reader
    number: int

    def run(self) -> list[int]:
        """All that was read with it in this worker."""
        self.reader.read.append(self.number)
        return list(self.reader.read)


@dataclass(frozen=True)
class Alone:
    """Shares nothing."""

    def run(self) -> None:
        """Do nothing."""


@pytest.fixture(autouse=True)
def fresh_worker() -> Iterator[None]:
    """This process is the worker; before and after a test it keeps nothing."""
    load_task(Sender().dump(Alone()))
    yield
    load_task(Sender().dump(Alone()))


def test_the_next_task_finds_what_was_read() -> None:
    """The driver's own reader is not touched."""
    sender, reader = Sender(), Reader()

    found = [load_task(sender.dump(Reading(reader, number))).run() for number in (1, 2)]

    assert found == [[1], [1, 2]]
    assert reader.read == []


def test_a_worker_keeps_one_reader() -> None:
    """Memory must not grow with the instances: the former one is gone when the next one comes."""
    sender, one, other = Sender(), Reader(), Reader()

    found = [load_task(sender.dump(Reading(reader, n))).run() for n, reader in enumerate((one, other, one))]

    assert found == [[0], [1], [2]]


def test_another_run_reads_anew() -> None:
    """A build that is attempted again may have other files."""
    reader = Reader()

    found = [load_task(Sender().dump(Reading(reader, number))).run() for number in (1, 2)]

    assert found == [[1], [2]]


def test_a_task_that_shares_nothing_frees_the_memory() -> None:
    """What the next step of a build needs is not taken by the former one."""
    sender = Sender()
    kept = weakref.ref(load_task(sender.dump(Reading(Reader(), 1))).reader)
    assert kept() is not None

    load_task(sender.dump(Alone()))
    gc.collect()

    assert kept() is None


def test_the_tasks_of_a_build_share_the_reader_of_their_instance(store: FolderObjectStore) -> None:
    """So the instants of its txes are read once per worker, not once per bucket."""
    facts = InstanceFacts(instance=FEED_S0, cached=None, datoms=SpilledDatoms((), store), buckets=2, store=store)
    context = InstanceContext(instance=FEED_S0, schema=facts.read_schema(), pii_key=b"key")
    reader, sender = InstanceReader(facts, context, after_t=0), Sender()
    tables, out = contract_tables(definition_of("feed")), Folder(store, "s3://out")
    tasks = [ContractTask(reader, Bucket(n, 2), tables, {}, out, n) for n in range(2)]

    one, other = (load_task(sender.dump(task)) for task in tasks)

    assert one.reader is other.reader
    assert (one.bucket, other.bucket) == (Bucket(0, 2), Bucket(1, 2))
