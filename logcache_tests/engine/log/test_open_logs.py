"""Logs are opened in pieces of similar size, in memory or spilled, and each datom is counted once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment, chain_after
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.drivers.progress import Meter, Progress
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.log.datoms import DatomsInMemory, SpilledDatoms
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.engine.log.open_logs import GROUP_DATOMS, LogLadder, estimate_datoms, group_segments, load_facts
from logcache_assets.engine.log.read_segments import read_segment
from logcache_assets.engine.raw.build_raw import Piece, group_pieces
from logcache_tests.engine.elsewhere import ElsewhereDriver
from logcache_tests.engine.world import (
    DATABASES,
    FEED_S0,
    cut_off,
    definition_of,
    driver_in,
    refuse_warning,
    segments_of,
    source_at,
    strict_log,
    write_cache,
)


def chain_of(count: int) -> tuple[Segment, ...]:
    """A chain of this many segments."""
    (first, *_) = segments_of(FEED_S0)
    return tuple(replace(first, path=f"s3://logs/{n}.avro", last_batch_t=n, last_t=n + 1) for n in range(count))


@given(st.integers(0, 300), st.integers(0, 5 * GROUP_DATOMS))
def test_segments_are_grouped_in_their_order(count: int, datoms: int) -> None:
    """Each segment is in one group, and a group has about as many datoms as are read at once."""
    chain = chain_of(count)

    groups = list(group_segments(chain, datoms))

    assert [segment for group in groups for segment in group] == list(chain)
    assert all(len(group) == 1 or len(group) * datoms <= GROUP_DATOMS * count for group in groups)
    assert all(len(group) == len(groups[0]) for group in groups[:-1])


@given(st.lists(st.integers(0, 200), max_size=20))
def test_pieces_of_a_log_are_grouped_in_their_order(sizes: list[int]) -> None:
    """Files have at most a given number of datoms, unless a single piece is larger."""
    pieces = [Piece(datoms=size) for size in sizes]

    groups = list(group_pieces(pieces, part_datoms=100))

    assert [piece for group in groups for piece in group] == pieces
    assert all(len(group) <= 1 or sum(piece.datoms for piece in group) <= 100 for group in groups)
    assert len(groups) >= 1


@pytest.mark.parametrize("cut", ["old", "night", None])
@pytest.mark.parametrize("instance", [i for database in DATABASES for i in definition_of(database).instances])
def test_an_estimate_is_near_the_truth(instance: Instance, cut: str | None, store: FolderObjectStore) -> None:
    """The estimate decides buckets and memory; real segments have 2 to 7,000 datoms."""
    chain = chain_after(segments_of(instance), after_t=cut_off(instance, cut) if cut else 0)
    truth = sum(len(read_segment(segment, store)) for segment in chain)

    assert truth / 1.5 < estimate_datoms(chain, store) < truth * 1.5


def test_an_estimate_of_nothing_is_nothing(store: FolderObjectStore) -> None:
    """No segments have no datoms; a single segment is counted exactly."""
    (first, *_) = segments_of(FEED_S0)

    assert estimate_datoms((), store) == 0
    assert estimate_datoms((first,), store) == len(read_segment(first, store))


def opened(source: LogSource, store: FolderObjectStore, driver: Driver, told: list[Progress]) -> InstanceFacts:
    """The facts of a source, and the progress reported meanwhile."""
    meter = Meter(told.append, interval_seconds=0)
    ladder = LogLadder([source], store, policy=CachePolicy.STRICT, warn=refuse_warning, bucket_datoms=5_000)
    return ladder.attempt(lambda logs: load_facts(logs, store, driver, meter))[source.instance]


@pytest.mark.parametrize("cached", [False, True])
def test_datoms_are_spilled_for_tasks_that_see_no_memory(cached: bool, store: FolderObjectStore) -> None:  # noqa: FBT001
    """Progress counts each datom read from segments once, and none of the cache."""
    source, told = source_at(FEED_S0, "yesterday"), list[Progress]()
    before = cut_off(FEED_S0, "old") if cached else 0
    if cached:
        source = replace(source, cache=write_cache(source, store, folder="cache", last_t=before))

    here = opened(source, store, driver_in(store), told)
    there = opened(source, store, ElsewhereDriver(driver_in(store).scratch), list[Progress]())

    assert isinstance(here.datoms, DatomsInMemory)
    assert isinstance(there.datoms, SpilledDatoms)
    buckets = list(here.all_buckets())
    assert buckets == list(there.all_buckets())
    sizes = []
    for bucket in buckets:
        frames = [facts.datoms.every(bucket) for facts in (here, there)]
        columns = frames[0].columns
        assert frames[0].sort(columns).equals(frames[1].sort(columns))
        sizes.append(len(frames[0]))
    newer = len(strict_log(source, store)) - len(strict_log(replace(source, until_t=before), store)) if cached else None
    assert sum(sizes) == told[-1].datoms == (newer if newer is not None else len(strict_log(source, store)))
