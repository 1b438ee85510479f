"""`logcache local demo`: builds a world, refreshes it, and measures what the new cache saves."""

import time
from collections.abc import Iterator, Sequence

import msgspec

from logcache_assets.adapters.scratch import local_driver
from logcache_assets.cli import refresh
from logcache_assets.cli.output import Result
from logcache_assets.cli.refresh_result import Refreshed, RefreshResult, render, render_refreshed
from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.engine.contracts.build_contracts import ContractBuild, build_contracts
from logcache_assets.engine.log.log_op import LogSource, ask_index
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.itaipu_run import check_out
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_assets.ports import Tell
from logcache_assets.settings import Settings

RUNS = 3
"""How often each measurement is repeated."""

FILES_OF_A_CACHE = 2
"""A cache's entities are one file of open and one of closed facts."""


class Speed(Result, frozen=True, kw_only=True):
    """Cost of computing all contracts of all databases, with the new cache and without."""

    contracts_with_cache: float
    """Seconds."""
    contracts_without: float
    """Seconds."""
    files_with_cache: int
    """Number of files that are opened."""
    files_without: int


class MeasuredRefresh(Refreshed, frozen=True, kw_only=True, tag="refreshed"):
    """A finished refresh with measurements."""

    speed: Speed


def run(settings: Settings, *, say: Tell) -> RefreshResult:
    """Refresh the local world, building it if there is none, and measure unless there was nothing to refresh."""
    world = World(settings)
    if world.exists:
        say(f"The local world in {world.home} is there already")
    else:
        say(f"Building a local world in {world.home} from a real Datomic log")
        build_world(world, PACKAGED, lambda line: say(f"  {line}"))
    result = refresh.run(settings, databases=(), transaction=None, dry_run=False, say=say)
    if not isinstance(result, Refreshed):
        return result
    say("Measuring contracts with the new cache and without")
    return MeasuredRefresh(**msgspec.structs.asdict(result), speed=measure_speed(world, result.branch))


def measure_speed(world: World, version: str) -> Speed:
    """Compute the contracts at a candidate from its caches and from segments alone.

    Both are repeated in turn and the fastest run of each counts: the first one reads from a cold disk.
    """
    candidate = check_out(world.repository, version)
    none: LogCacheMap = {}
    cached, alone = [], []
    for _ in range(RUNS):
        cached.append(_measure(world, candidate.definitions, candidate.entries))
        alone.append(_measure(world, candidate.definitions, none))
    return Speed(
        contracts_with_cache=round(min(cached), 3),
        contracts_without=round(min(alone), 3),
        files_with_cache=_files(world, candidate.definitions, candidate.entries),
        files_without=_files(world, candidate.definitions, none),
    )


def _measure(world: World, definitions: Sequence[DatabaseDefinition], entries: LogCacheMap) -> float:
    """Compute all contracts of all databases; returns the seconds it took."""
    started = time.perf_counter()
    for definition in definitions:
        sources = tuple(_source(world, instance, entries) for instance in definition.instances)
        build = ContractBuild(definition=definition, sources=sources, pii_key=world.pii_key())
        with local_driver() as driver:
            out = driver.scratch.at("contracts")
            build_contracts(build, store=world.store, out=out, driver=driver, warn=lambda _: None)
    return time.perf_counter() - started


def _source(world: World, instance: Instance, entries: LogCacheMap) -> LogSource:
    return LogSource(instance=instance, index=world.segment_index, cache=entry_of(entries, instance))


def _files(world: World, definitions: Sequence[DatabaseDefinition], entries: LogCacheMap) -> int:
    """Number of files that a run opens."""
    count = 0
    for instance in (instance for definition in definitions for instance in definition.instances):
        source = _source(world, instance, entries)
        count += len(ask_index(source).segments) + (FILES_OF_A_CACHE if source.cache else 0)
    return count


def render_demo(result: RefreshResult) -> Iterator[str]:
    """The outcome of the refresh, what the cache saves, and what to try next."""
    if not isinstance(result, MeasuredRefresh):
        yield from render(result)
        yield ""
        yield "Next: publish it and let another night run, then refresh from that:"
        yield "  .venv/bin/logcache local merge && .venv/bin/logcache local night && .venv/bin/logcache refresh"
        return
    speed = result.speed
    yield ""
    yield from render_refreshed(result)
    yield (
        f"Speed:         contracts took {speed.contracts_with_cache:.2f} s with the new cache, "
        f"{speed.contracts_without:.2f} s without, and opened {speed.files_with_cache} files instead of "
        f"{speed.files_without}"
    )
    yield ""
    yield "Next: look at it in Dagit with `make ui`, or see an accident refused:"
    yield "  .venv/bin/logcache local reset && .venv/bin/logcache local break gap && .venv/bin/logcache refresh"
