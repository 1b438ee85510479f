"""Reads what entity contracts read of the cached state, by the engine's own code, and computes nothing.

`python bench/state_scan.py ROOT MAP DEFINITIONS FIGURES` writes the CPU seconds of the reading alone, without the start
of the process.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.catalog import load_catalog
from logcache_assets.cli.input_files import read_map
from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.engine.facts.instance_facts import CachedFacts, InstanceFacts
from logcache_assets.engine.log.cached_log import open_cached_facts
from logcache_assets.engine.log.datoms import DatomsInMemory
from logcache_assets.engine.storage.schemas import END
from logcache_assets.ports import ObjectStore


def main() -> None:
    """Read the state of every instance."""
    root, log_map, definitions, figures = map(Path, sys.argv[1:5])
    store, entries, catalog = FolderObjectStore(root, SystemClock()), read_map(log_map), load_catalog(definitions)
    began = time.process_time()
    for definition in catalog:
        for instance in definition.instances:
            scan(open_state(instance, entries, store), definition)
    figures.write_text(json.dumps({"cpu_seconds": time.process_time() - began}), "utf-8")


def open_state(instance: Instance, entries: LogCacheMap, store: ObjectStore) -> InstanceFacts:
    """The facts of an instance as its cache holds them, with no datom after it."""
    entry = entry_of(entries, instance)
    if entry is None:
        raise SystemExit(f"{instance.name} has no cache in the map; state_scan.py reads caches alone")
    folder = open_cached_facts(instance, entry, store)
    cached, nothing = CachedFacts(entry=entry, folder=folder), DatomsInMemory([])
    return InstanceFacts(instance=instance, cached=cached, datoms=nothing, buckets=folder.buckets, store=store)


def scan(facts: InstanceFacts, definition: DatabaseDefinition) -> None:
    """Read the open facts of everything that the contracts show, once."""
    known = facts.read_schema().attributes
    types = {known[name].id: known[name].value_type for name in shown_by(definition) if name in known}
    for bucket in facts.all_buckets():
        facts.of(types, bucket, after_t=END)


def shown_by(definition: DatabaseDefinition) -> Iterator[str]:
    """Names of the attributes that a database's entity contracts show; some refer to others, which are read too."""
    for entity in definition.entities:
        yield entity.primary_key
        yield from (name for a in entity.attributes for name in (a.attribute, a.ref) if name)


if __name__ == "__main__":
    main()
