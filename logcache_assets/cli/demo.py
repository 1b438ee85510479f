"""`logcache local demo`: a world, a refresh, and what it brought, measured."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import polars as pl

from logcache_assets.cli import refresh
from logcache_assets.cli.output import Result
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.engine.contracts import compute_contracts
from logcache_assets.engine.log import CachePolicy, LogSource, read_facts
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.history import build_world
from logcache_assets.local_platform.itaipu import check_out
from logcache_assets.local_platform.world import World, pii_key
from logcache_assets.ports import Tell
from logcache_assets.settings import Settings

RUNS = 3
"""Of each measurement."""


def run(settings: Settings, *, say: Tell) -> Result:
    """Build a world if there is none and refresh it; a refreshed world is left as it is."""
    world = World(settings)
    if world.exists:
        say(f"The local world in {world.home} is there already")
    else:
        say(f"Building a local world in {world.home} from a real Datomic log")
        build_world(world, PACKAGED, lambda line: say(f"  {line}"))
    result = refresh.run(settings, databases=(), transaction=None, dry_run=False, say=say)
    if result["status"] != "refreshed":
        return result
    say("Measuring contracts with the new cache and without")
    return {**result, "speed": measure_speed(world, str(result["branch"]))}


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds for all contracts of all databases, and for the reading of their logs alone."""

    reading: float
    contracts: float


def measure_speed(world: World, version: str) -> dict[str, float]:
    """Contracts from the candidate's caches and from segments alone.

    Both are computed in turn and the fastest run of each counts: the first reads from a cold disk.
    """
    entries = check_out(world.repository, version).entries
    cached, alone = [], []
    for _ in range(RUNS):
        cached.append(_measure(world, version, entries))
        alone.append(_measure(world, version, {}))
    seconds = {
        "reading_with_cache": min(timing.reading for timing in cached),
        "reading_without": min(timing.reading for timing in alone),
        "contracts_with_cache": min(timing.contracts for timing in cached),
        "contracts_without": min(timing.contracts for timing in alone),
    }
    return {
        **{name: round(value, 3) for name, value in seconds.items()},
        "files_with_cache": _files(world, version, entries),
        "files_without": _files(world, version, {}),
    }


def _measure(world: World, version: str, entries: LogCacheMap) -> Timing:
    key, started, reading = pii_key(world.settings), time.perf_counter(), 0.0
    for definition in check_out(world.repository, version).definitions:
        began = time.perf_counter()
        facts = {instance: _facts(world, instance, entries) for instance in definition.instances}
        reading += time.perf_counter() - began
        for _ in compute_contracts(definition, facts, pii_key=key, warn=lambda _: None):
            pass
    return Timing(reading, time.perf_counter() - started)


def _facts(world: World, instance: Instance, entries: LogCacheMap) -> pl.DataFrame:
    source = LogSource(
        instance=instance, segments=world.segment_index.segments(instance), cache=entry_of(entries, instance)
    )
    return read_facts(source, world.store, policy=CachePolicy.STRICT, warn=lambda _: None)


def _files(world: World, version: str, entries: LogCacheMap) -> int:
    """How many files have to be opened."""
    count = 0
    for definition in check_out(world.repository, version).definitions:
        for instance in definition.instances:
            entry = entry_of(entries, instance)
            after_t = entry.last_t if entry else 0
            count += sum(segment.last_t > after_t for segment in world.segment_index.segments(instance))
            count += 1 if entry else 0
    return count


def render(result: Result) -> Iterator[str]:
    """The summary for a person, and what to try next."""
    if result["status"] != "refreshed":
        yield from refresh.render(result)
        yield ""
        yield "Next: publish it and let another night run, then refresh from that:"
        yield "  .venv/bin/logcache local merge && .venv/bin/logcache local night && .venv/bin/logcache refresh"
        return
    yield ""
    yield from refresh.render_refreshed(result)
    speed = cast("dict[str, float]", result["speed"])
    contracts = speed["contracts_without"] / speed["contracts_with_cache"]
    reading = speed["reading_without"] / speed["reading_with_cache"]
    yield (
        f"Speed:         contracts {contracts:.1f} times as fast with the new cache "
        f"({speed['contracts_with_cache']:.2f} s, without {speed['contracts_without']:.2f} s); reading the logs "
        f"{reading:.1f} times ({speed['reading_with_cache']:.2f} s, {speed['reading_without']:.2f} s), "
        f"{speed['files_with_cache']:.0f} files opened instead of {speed['files_without']:.0f}"
    )
    yield ""
    yield "Next: look at it in Dagit with `make ui`, or see an accident refused:"
    yield "  .venv/bin/logcache local reset && .venv/bin/logcache local break gap && .venv/bin/logcache refresh"
