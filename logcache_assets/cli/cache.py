"""`logcache cache`: writes the cached logs of instances up to a t, and a map that points to them.

It makes the first cache of a database; a refresh, in contrast, copies datasets that a nightly run wrote.
"""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.scratch import DriverName, open_driver
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.catalog import load_catalog
from logcache_assets.cli.input_files import GivenIndex, open_index, open_root, read_until, require_reached
from logcache_assets.cli.output import Result, show_progress, table
from logcache_assets.domain.locations import Locations
from logcache_assets.domain.log_cache_map import MapEntry, render_map, with_entries
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.log.log_op import LogSource, find_last_t
from logcache_assets.errors import BadInput, WrongUsage
from logcache_assets.ports import ObjectStore, Tell
from logcache_assets.refresh.first_cache import Origin, write_first_cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files that the command reads, by option."""

    root: Path | str
    index: Path | SegmentTable
    until: Path | None
    definitions: Path | None = None


class WrittenCache(Result, frozen=True, kw_only=True):
    """The cached log of one instance."""

    instance: str
    last_t: int
    log: str
    """URI of its folder of Parquet files."""


class CacheResult(Result, frozen=True, kw_only=True):
    """The result of `logcache cache`."""

    caches: list[WrittenCache]
    map: str
    """The file that points to them."""
    seconds: float


def run(  # noqa: PLR0913 - one parameter per option of the command
    inputs: Inputs,
    *,
    map_file: Path,
    databases: tuple[str, ...],
    locations: Locations,
    driver: DriverName,
    tell: Tell,
) -> CacheResult:
    """Write a cache for every instance of these databases (of all in the index if none is named), then the map.

    Raises:
        WrongUsage: the index does not have one of the databases.
        LogCacheError: input is malformed, the map exists, or a log is not whole; no map was written.
    """
    began = time.monotonic()
    if map_file.exists():
        raise BadInput(f"--map {map_file} exists; name a new file, and move its entries into your map")
    given = _index_of(databases, inputs)
    until, store = read_until(inputs.until, given.instances), open_root(inputs.root)
    require_reached(inputs.until, until, given)
    if isinstance(store, FolderObjectStore):
        store.create_bucket(locations.permanent_bucket)
    sources = [
        LogSource(instance=instance, index=given.index, until_t=until.get(instance.name))
        for instance in given.instances
        if not databases or instance.database in databases
    ]
    with open_driver(driver) as running:
        entries = {source.instance: _write(source, store, locations, running, tell) for source in sources}
    map_file.parent.mkdir(parents=True, exist_ok=True)
    map_file.write_text(render_map(with_entries({}, entries)), encoding="utf-8")
    return CacheResult(
        caches=[WrittenCache(instance=i.name, last_t=entry.last_t, log=entry.log) for i, entry in entries.items()],
        map=str(map_file),
        seconds=round(time.monotonic() - began, 3),
    )


def _index_of(databases: tuple[str, ...], inputs: Inputs) -> GivenIndex:
    """Open an index, which must have these databases."""
    if inputs.definitions is None and isinstance(inputs.index, SegmentTable):
        raise WrongUsage("--index is a table, of which nobody lists the instances; name those with --definitions")
    catalog = load_catalog(inputs.definitions) if inputs.definitions else ()
    declared = [instance for definition in catalog for instance in definition.instances]
    given = open_index(inputs.index, declared=declared)
    given = replace(given, instances=tuple(sorted(declared))) if declared else given
    known = {instance.database for instance in given.instances}
    if unknown := sorted(set(databases) - known):
        raise WrongUsage(f"the index has no database {unknown[0]!r}; it has {', '.join(sorted(known))}")
    return given


def _write(source: LogSource, store: ObjectStore, locations: Locations, driver: Driver, tell: Tell) -> MapEntry:
    last_t = find_last_t(source, store, warn=tell)
    if not last_t:
        raise BadInput(f"{source.instance.name} has no datom up to t {source.until_t}; choose a later t")
    tell(f"{source.instance.name}: writing the cache up to t {last_t}")
    return write_first_cache(
        source,
        last_t=last_t,
        locations=locations,
        origin=Origin(transaction=str(uuid.uuid4()), read_at=SystemClock().now()),
        store=store,
        driver=driver,
        warn=tell,
        progress=lambda progress: show_progress(f"{source.instance.name}: {progress}"),
    )


def render(result: CacheResult) -> Iterator[str]:
    """One line per cache, then the path of the map."""
    yield from table(("instance", "last t", "log"), [(c.instance, c.last_t, c.log) for c in result.caches])
    yield f"{len(result.caches)} caches in {result.seconds} s; the map is {result.map}"
