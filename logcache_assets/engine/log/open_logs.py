"""Opens the logs of a build: chooses the cache and the number of buckets, and loads the datoms after the cache.

The driver reads the datoms, into memory or into files by bucket. Facts are folded later, when contracts ask for them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.drivers.progress import Meter
from logcache_assets.engine.facts.instance_facts import CachedFacts, InstanceFacts
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.log.cached_log import open_cached_facts
from logcache_assets.engine.log.datoms import Datoms, DatomsInMemory, Spill, SpilledDatoms, spill_datoms
from logcache_assets.engine.log.log_op import (
    CachePolicy,
    Delta,
    IndexedLog,
    LogSource,
    ask_index,
    check_cache,
    fall_back,
    plan_delta,
)
from logcache_assets.engine.log.read_segments import read_segment
from logcache_assets.engine.storage.buckets import BUCKET_DATOMS, choose_buckets
from logcache_assets.ports import ObjectStore, Tell

T = TypeVar("T")

GROUP_DATOMS = 1_000_000
"""About how many datoms one spill task reads at once."""

SAMPLES = 2
"""How many segments are read for an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLog:
    """A log whose cache and segments are checked, before its datoms are read."""

    cached: CachedFacts | None
    """The materialized entities of its cache."""
    delta: Delta
    """The segments to read after the cache."""
    datoms: int
    """An estimate of the delta's datoms."""
    buckets: int
    """How many buckets its facts are split into."""


class LogLadder:
    """Opens the logs of a build, each with the first of its caches that can be used.

    The caches of a log are the rungs: the map's entry, the earlier entries, at last none. The index is asked once per
    log and rung; a log that is open stays open while another one steps down.

    Args:
        sources: one per instance.
        store: where logs and caches lie.
        policy: whether a cache that cannot be used is skipped or is an error.
        warn: told of every cache that is skipped.
        bucket_datoms: about how many datoms a bucket should hold.
    """

    def __init__(
        self,
        sources: Sequence[LogSource],
        store: ObjectStore,
        *,
        policy: CachePolicy,
        warn: Tell,
        bucket_datoms: int = BUCKET_DATOMS,
    ) -> None:
        self.store, self.warn = store, warn
        self._policy, self._bucket_datoms = policy, bucket_datoms
        self._sources = {source.instance: source for source in sources}
        self._indexed: dict[Instance, IndexedLog] = {}
        self._opened: dict[Instance, OpenedLog] = {}
        self._buckets: dict[Instance, int] = {}
        self.stepped_down = False
        """True if a failed attempt may have left stale files."""

    def attempt(self, work: Callable[[Mapping[Instance, OpenedLog]], T]) -> T:
        """Return what work returns for the opened logs; work is called again if a cache turns out to be damaged.

        Numbers of buckets stay the same, so that the next attempt overwrites most files of the failed one.
        """
        while True:
            try:
                return work(self._open_all())
            except CacheError as error:
                self._step_down(error)

    def _open_all(self) -> Mapping[Instance, OpenedLog]:
        ask_each([i for i in self._sources if i not in self._opened], self._open)
        return {i: self._opened[i] for i in self._sources}

    def _step_down(self, error: CacheError) -> None:
        failed = self._indexed[error.instance]
        self._indexed[error.instance] = fall_back(failed, error, policy=self._policy, warn=self.warn)
        self._opened.pop(error.instance, None)
        self.stepped_down = True

    def _open(self, instance: Instance) -> None:
        """Check the cache of one log and the segments after it, and keep it as opened."""
        if instance not in self._indexed:
            self._indexed[instance] = ask_index(self._sources[instance])
        indexed = self._indexed[instance]
        cached = self._open_cache(indexed)
        delta = plan_delta(indexed, warn=self.warn)
        datoms = estimate_datoms(delta.chain, self.store)
        wanted = choose_buckets(datoms, bucket_datoms=self._bucket_datoms)
        buckets = self._buckets.setdefault(instance, max(wanted, cached.folder.buckets if cached else 1))
        self._opened[instance] = OpenedLog(cached=cached, delta=delta, datoms=datoms, buckets=buckets)

    def _open_cache(self, indexed: IndexedLog) -> CachedFacts | None:
        source = indexed.source
        if source.cache is None:
            return None
        check_cache(indexed)
        folder = open_cached_facts(source.instance, source.cache, self.store, until_t=source.until_t)
        return CachedFacts(entry=source.cache, folder=folder)


def estimate_datoms(chain: Sequence[Segment], store: ObjectStore) -> int:
    """Estimate how many datoms these segments hold, from the widest of them.

    Real segments differ a thousandfold in size, but t counts the entities and txes that datoms make. So the datoms per
    t hardly differ, and the index knows every t.
    """
    samples = sorted(chain, key=_width)[-SAMPLES:]
    datoms = sum(len(read_segment(segment, store)) for segment in samples)
    return -(-datoms * sum(map(_width, chain)) // max(1, sum(map(_width, samples))))


def _width(segment: Segment) -> int:
    return segment.last_t - segment.initial_t + 1


@dataclass(frozen=True, slots=True)
class SpillTask:
    """A driver's task: read some segments and write their datoms into files by bucket."""

    delta: Delta
    segments: tuple[Segment, ...]
    buckets: int
    source: ObjectStore
    out: Folder

    def run(self) -> tuple[Instance, int, tuple[Spill, ...]]:
        """Return the instance, the number of its datoms, and the files that hold them."""
        datoms = self.delta.read(self.segments, self.source)
        spills = spill_datoms(datoms, buckets=self.buckets, folder_uri=self.out.uri, store=self.out.store)
        return self.delta.instance, len(datoms), spills


def load_facts(
    opened: Mapping[Instance, OpenedLog],
    store: ObjectStore,
    driver: Driver,
    meter: Meter,
) -> dict[Instance, InstanceFacts]:
    """Read the datoms of every delta, and return the facts of every log.

    A small delta stays in memory if the driver's tasks share it; any other is spilled to files.
    """
    spilled = {i for i, log in opened.items() if not driver.shares_memory or log.datoms > BUCKET_DATOMS}
    tasks = [task for i in sorted(spilled) for task in _spill_tasks(opened[i], store, driver.scratch)]
    spills: dict[Instance, list[Spill]] = {i: [] for i in spilled}
    for instance, count, files in driver.run(tasks):
        spills[instance] += files
        meter.add(datoms=count)
    small = [i for i in opened if i not in spilled]
    read = ask_each(small, lambda i: _in_memory(opened[i].delta, store, meter))
    return {
        i: InstanceFacts(
            instance=i,
            cached=log.cached,
            datoms=_spilled(spills[i], driver) if i in spilled else read[i],
            buckets=log.buckets,
            store=store,
        )
        for i, log in opened.items()
    }


def _spilled(spills: Sequence[Spill], driver: Driver) -> Datoms:
    return SpilledDatoms(tuple(sorted(spills, key=lambda spill: spill.uri)), driver.scratch.store)


def _in_memory(delta: Delta, store: ObjectStore, meter: Meter) -> Datoms:
    return DatomsInMemory(_counted(delta.read_portions(delta.chain, store), meter))


def _counted(portions: Iterator[pl.DataFrame], meter: Meter) -> Iterator[pl.DataFrame]:
    for portion in portions:
        meter.add(datoms=len(portion))
        yield portion


def _spill_tasks(opened: OpenedLog, store: ObjectStore, scratch: Folder) -> Iterator[SpillTask]:
    place = scratch.at(opened.delta.instance.name)
    for number, segments in enumerate(group_segments(opened.delta.chain, opened.datoms)):
        yield SpillTask(opened.delta, segments, opened.buckets, store, place.at(f"{number:05}"))


def group_segments(chain: Sequence[Segment], datoms: int) -> Iterator[tuple[Segment, ...]]:
    """Split the chain into groups of neighbouring segments of about GROUP_DATOMS each.

    Args:
        chain: ascending by last_t.
        datoms: about how many datoms the whole chain holds.
    """
    size = max(1, len(chain) * GROUP_DATOMS // max(datoms, 1))
    return (tuple(chain[n : n + size]) for n in range(0, len(chain), size))
