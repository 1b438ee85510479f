"""What happens in the week's world: its nights and days, and its accidents. Nobody of them is one of ours."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from logcache_assets.catalog import load_catalog
from logcache_assets.cli import local
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_cache_map import MAP_PATH, render_map, with_entries
from logcache_assets.domain.names import raw_datasets
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.local_platform.timeline import COMMITTED, MORNING, NIGHT, next_at
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import open_transaction, run_night
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_tests.conftest import silent

EARLY = time(5, tzinfo=UTC)
"""An hour at which nothing may be published."""


def nights_of(world: World) -> list[str]:
    """The nightly transactions, oldest first; the first one wrote the first cache and no more."""
    rows = world.metapod_store.find_transactions(types=[TransactionType.DAILY])
    return [row.id for row in sorted(rows, key=lambda row: row.started_at)]


def good_night(world: World, *, until: time = MORNING) -> str:
    """A night goes well; returns its transaction. It may begin up to five minutes late."""
    started_at = next_at(world.clock.now() - timedelta(minutes=5), NIGHT)
    return run_night(world, tell=silent, started_at=started_at, until=until)


def failed_night(world: World) -> str:
    """A night ends green and gives up all its datasets; returns its transaction."""
    started_at = next_at(world.clock.now(), NIGHT)
    night = open_transaction(world, TransactionType.DAILY, name="nightly", started_at=started_at)
    world.clock.set(started_at + COMMITTED)
    for name in _datasets_of(world):
        world.metapod_store.register_dataset(night, name)
        world.metapod_store.abort_dataset(night, name, aborted_at=world.clock.now())
    world.clock.set(next_at(world.clock.now(), MORNING))
    return night


def _datasets_of(world: World) -> Iterator[str]:
    for definition in load_catalog(world.catalog):
        for instance in definition.instances:
            yield from raw_datasets(instance)
        yield from (table.dataset for table in contract_tables(definition))


def day(world: World) -> None:
    """A day delivers its segments."""
    local.day(world.settings)


def later(world: World, passed: timedelta) -> None:
    """Some time passes."""
    world.clock.set(world.clock.now() + passed)


def at(world: World, hour: time) -> datetime:
    """It becomes that hour of the day; returns the instant."""
    world.clock.set(next_at(world.clock.now(), hour))
    return world.clock.now()


def lose_segment(world: World, database: str) -> Segment:
    """The index loses the item of the last segment but one, which no cache holds yet; returns it."""
    lost = world.segment_index.segments(parse_instance(f"{database}-s0"))[-2]
    world.segment_items.remove(lost.instance, lost.last_t)
    return lost


def excise(world: World) -> None:
    """A user of accounts is excised: the segments that held its datoms are extracted again."""
    local.break_(world.settings, "stale-personal-data")


def somebody_adds_a_database(world: World) -> None:
    """Somebody merges an entry of a database that is none of ours."""
    entries = read_base_map(world.repository).entries
    theirs = with_entries(entries, {parse_instance("loans-s0"): next(iter(entries["s0"].values()))})
    world.repository.commit_to_base({MAP_PATH: render_map(theirs)}, "Add the cache of loans")
