"""`logcache local demo`: a world, a refresh, and what it brought, measured."""

import time
from collections.abc import Iterator
from typing import cast

from logcache_assets.cli import refresh
from logcache_assets.cli.output import Result
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.engine.contracts import compute_contracts
from logcache_assets.engine.log import CachePolicy, LogSource, read_facts
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.history import build_world
from logcache_assets.local_platform.itaipu import check_out
from logcache_assets.local_platform.world import World, pii_key
from logcache_assets.ports import Tell
from logcache_assets.settings import Settings


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


def measure_speed(world: World, version: str) -> dict[str, float]:
    """Seconds for all contracts of all databases from the candidate's caches, and from segments alone.

    Both are computed twice in turn and the faster run counts: the first reads from a cold disk.
    """
    entries = check_out(world.repository, version).entries
    cached, alone = [], []
    for _ in range(2):
        cached.append(_seconds(world, version, entries))
        alone.append(_seconds(world, version, {}))
    with_cache, without = min(cached), min(alone)
    return {
        "seconds_with_cache": round(with_cache, 3),
        "seconds_without": round(without, 3),
        "times_faster": round(without / with_cache, 2),
        "files_with_cache": _files(world, version, entries),
        "files_without": _files(world, version, {}),
    }


def _seconds(world: World, version: str, entries: LogCacheMap) -> float:
    key, started = pii_key(world.settings), time.perf_counter()
    for definition in check_out(world.repository, version).definitions:
        facts = {
            instance: read_facts(
                LogSource(
                    instance=instance,
                    segments=world.segment_index.segments(instance),
                    cache=entry_of(entries, instance),
                ),
                world.store,
                policy=CachePolicy.STRICT,
                warn=lambda _: None,
            )
            for instance in definition.instances
        }
        for _ in compute_contracts(definition, facts, pii_key=key, warn=lambda _: None):
            pass
    return time.perf_counter() - started


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
        yield "Next: merge it with `logcache local merge`, let a night run with `logcache local night`, refresh again."
        return
    yield ""
    yield from refresh.render_refreshed(result)
    speed = cast("dict[str, float]", result["speed"])
    yield (
        f"Speed:         contracts took {speed['seconds_with_cache']:.2f} s with the new cache, "
        f"{speed['seconds_without']:.2f} s without: {speed['times_faster']:.1f} times faster, "
        f"{speed['files_with_cache']:.0f} files opened instead of {speed['files_without']:.0f}"
    )
    yield ""
    yield "Next: look at it in Dagit with `make ui`, or see an accident refused:"
    yield "  .venv/bin/logcache local reset && .venv/bin/logcache local break gap && .venv/bin/logcache refresh"
