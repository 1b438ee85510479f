"""Opens the logs of a build: which cache, how many buckets, and the newer datoms in memory or spilled.

Decides how, and lets the driver do it: facts are folded when contracts ask for them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.drivers.progress import Meter
from logcache_assets.engine.facts.instance_facts import CachedFacts, InstanceFacts
from logcache_assets.engine.log.cached_log import CacheError, check_index, open_cached_facts
from logcache_assets.engine.log.datoms import Datoms, DatomsInMemory, Spill, SpilledDatoms, spill_datoms
from logcache_assets.engine.log.log_op import CachePolicy, Delta, LogSource, plan_delta, step_down
from logcache_assets.engine.log.read_segments import read_segment
from logcache_assets.engine.storage.buckets import BUCKET_DATOMS, choose_buckets
from logcache_assets.ports import ObjectStore, Tell

T = TypeVar("T")

PARALLEL_LOGS = 8
"""Opening a log is waiting for a few small objects."""

GROUP_DATOMS = 1_000_000
"""About how many datoms are read, and spilled, at once."""


SAMPLES = 2
"""So many segments are read for an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLog:
    """What is known of a log before its datoms are read."""

    cached: CachedFacts | None
    delta: Delta
    datoms: int
    """An estimate of those in the delta."""
    buckets: int


class LogLadder:
    """The logs of a build, each read with the first of its caches that can be used.

    Args:
        sources: one per instance.
        store: where logs and caches lie.
        policy: whether a cache that cannot be used is passed over.
        warn: told of those that were.
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
        self._buckets: dict[Instance, int] = {}
        self.stepped_down = False
        """Whether an earlier attempt failed, and may have written what the present one does not write over."""

    def attempt(self, work: Callable[[Mapping[Instance, OpenedLog]], T]) -> T:
        """What work gives with the opened logs; done again without a cache that turns out to be damaged.

        Buckets stay as they were, so that most of what the first attempt wrote is written over.
        """
        while True:
            try:
                with ThreadPoolExecutor(PARALLEL_LOGS) as pool:
                    opened = pool.map(self._open, self._sources.values())
                    logs = dict(zip(self._sources, opened, strict=True))
                return work(logs)
            except CacheError as error:
                lower = step_down(self._sources[error.instance], error, policy=self._policy, warn=self.warn)
                self._sources[error.instance], self.stepped_down = lower, True

    def _open(self, source: LogSource) -> OpenedLog:
        """Prove the source's cache and the chain of segments after it."""
        cached = None
        if source.cache is not None:
            check_index(source.instance, source.segments, source.cache)
            folder = open_cached_facts(source.instance, source.cache, self.store, until_t=source.until_t)
            cached = CachedFacts(entry=source.cache, folder=folder)
        delta = plan_delta(source, warn=self.warn)
        datoms = estimate_datoms(delta.chain, self.store)
        wanted = choose_buckets(datoms, bucket_datoms=self._bucket_datoms)
        buckets = self._buckets.setdefault(source.instance, max(wanted, cached.folder.buckets if cached else 1))
        return OpenedLog(cached=cached, delta=delta, datoms=datoms, buckets=buckets)


def estimate_datoms(chain: Sequence[Segment], store: ObjectStore) -> int:
    """About how many datoms these segments hold, from the widest of them.

    Real segments differ a thousandfold in size, but t counts the entities and txes that datoms make, so datoms per t
    hardly differ, and the index knows every t.
    """
    samples = sorted(chain, key=_width)[-SAMPLES:]
    datoms = sum(len(read_segment(segment, store)) for segment in samples)
    return -(-datoms * sum(map(_width, chain)) // max(1, sum(map(_width, samples))))


def _width(segment: Segment) -> int:
    return segment.last_t - segment.initial_t + 1


@dataclass(frozen=True, slots=True)
class SpillTask:
    """Reads some segments and spills their datoms by bucket."""

    delta: Delta
    segments: tuple[Segment, ...]
    buckets: int
    source: ObjectStore
    out: Folder

    def run(self) -> tuple[Instance, int, tuple[Spill, ...]]:
        """Whose datoms, how many, and where they are now."""
        datoms = self.delta.read(self.segments, self.source)
        spills = spill_datoms(datoms, buckets=self.buckets, folder_uri=self.out.uri, store=self.out.store)
        return self.delta.instance, len(datoms), spills


def load_facts(
    opened: Mapping[Instance, OpenedLog],
    store: ObjectStore,
    driver: Driver,
    meter: Meter,
) -> dict[Instance, InstanceFacts]:
    """Read every delta: into memory where it is small and the driver's tasks see it, otherwise spilled."""
    spilled = {i for i, log in opened.items() if not driver.shares_memory or log.datoms > BUCKET_DATOMS}
    tasks = [task for i in sorted(spilled) for task in _spill_tasks(opened[i], store, driver.scratch)]
    spills: dict[Instance, list[Spill]] = {i: [] for i in spilled}
    for instance, count, files in driver.run(tasks):
        spills[instance] += files
        meter.add(datoms=count)
    small = [i for i in opened if i not in spilled]
    with ThreadPoolExecutor(PARALLEL_LOGS) as pool:
        read = dict(zip(small, pool.map(lambda i: _in_memory(opened[i].delta, store, meter), small), strict=True))
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
    datoms = delta.read(delta.chain, store)
    meter.add(datoms=len(datoms))
    return DatomsInMemory(datoms)


def _spill_tasks(opened: OpenedLog, store: ObjectStore, scratch: Folder) -> Iterator[SpillTask]:
    place = scratch.at(opened.delta.instance.name)
    for number, segments in enumerate(group_segments(opened.delta.chain, opened.datoms)):
        yield SpillTask(opened.delta, segments, opened.buckets, store, place.at(f"{number:05}"))


def group_segments(chain: Sequence[Segment], datoms: int) -> Iterator[tuple[Segment, ...]]:
    """Neighbouring segments that together hold about GROUP_DATOMS, if the chain holds that many datoms."""
    size = max(1, len(chain) * GROUP_DATOMS // max(datoms, 1))
    return (tuple(chain[n : n + size]) for n in range(0, len(chain), size))
