"""What must hold of exported logs, of the base map and of a candidate before anything is published.

Every function gives the reasons as sentences; none means sound. The ids are those of docs/runbook.md.
"""

from collections.abc import Iterator, Mapping, Sequence

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.documents import Manifest, RawLogs
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import LogCacheMap, MapEntry
from logcache_assets.domain.segments import Segment, find_chain_faults, find_stale_segments, newest_t

LOG_COLUMNS: Mapping[str, str] = {
    "e": "int64",
    "a": "int64",
    "v": "string",
    "t": "int64",
    "tx": "int64",
    "added": "bool",
    "tx_instant": "timestamp[ms, tz=UTC]",
}
"""What LogOp reads: the columns of a segment (C17)."""


FACTS_COLUMNS: Mapping[str, str] = {
    "e": "int64",
    "a": "int64",
    "v": "string",
    "n": "int64",
    "t_from": "int64",
    "t_to": "int64",
}
"""What contracts start from: the columns of materialized entities (C17)."""


def find_export_problems(logs: RawLogs, active: MapEntry | None) -> Iterator[str]:
    """Why the raw logs of an instance must not become its cache (C5, C6, C17, C19)."""
    log, entities = logs.log, logs.materialized_entities
    if not log.rows:
        yield f"{logs.instance}: the exported log is empty"
    if log.columns != LOG_COLUMNS:
        yield f"{logs.instance}: LogOp cannot read columns {log.columns}, it reads {dict(LOG_COLUMNS)} (C17)"
    if entities.columns != FACTS_COLUMNS:
        yield f"{logs.instance}: materialized entities have columns {entities.columns}, not {dict(FACTS_COLUMNS)} (C17)"
    if logs.duplicate_datoms:
        yield f"{logs.instance}: {logs.duplicate_datoms} datoms of the log are duplicates (C19)"
    if log.last_t != entities.last_t:
        yield f"{logs.instance}: the log ends at t {log.last_t}, the materialized entities at {entities.last_t} (C5)"
    if active and log.last_t < active.last_t:
        yield f"{logs.instance}: the log ends at t {log.last_t}, behind the active cache's {active.last_t} (C6)"


def find_segment_problems(instance: Instance, segments: Sequence[Segment], entry: MapEntry) -> Iterator[str]:
    """Why LogOp could not continue this entry with the segments of the index (C1 to C4, C7)."""
    stale = find_stale_segments(segments, cached_until_t=entry.last_t, source_read_at=entry.source_read_at)
    if stale:
        first = stale[0]
        yield (
            f"{instance.name}: {len(stale)} segments that the cache holds were extracted again after it was read, "
            f"first t in ({first.last_batch_t}, {first.last_t}]: it may still hold deleted personal data (C7); "
            "refresh from a nightly run that started later"
        )
    if entry.last_t > newest_t(segments):
        yield (
            f"{instance.name}: the cache ends at t {entry.last_t}, ahead of the index, which ends at "
            f"{newest_t(segments)}: another database or prototype (C4)"
        )
    for fault in find_chain_faults(segments, after_t=entry.last_t):
        yield f"{fault}; repair the segment index or have the range extracted again"


def find_pointer_problems(
    instance: Instance, entry: MapEntry, manifest: Manifest, *, manifest_sha256: str
) -> Iterator[str]:
    """Why an entry and the manifest it points to do not belong together (C5, C7, C13, C14)."""
    if manifest_sha256 != entry.manifest_sha256:
        yield (
            f"{instance.name}: the manifest {folder_of(entry.log).manifest} is not the one that the map names "
            f"(found {manifest_sha256[:12]}, expected {entry.manifest_sha256[:12]}) (C13)"
        )
    if manifest.last_t != entry.last_t:
        yield f"{instance.name}: the map says last_t {entry.last_t}, the data ends at {manifest.last_t} (C5)"
    if (manifest.transaction, manifest.source_read_at) != (entry.transaction, entry.source_read_at):
        yield (
            f"{instance.name}: the map says transaction {entry.transaction[:8]}, read at "
            f"{utc_text(entry.source_read_at)}, the manifest {manifest.transaction[:8]}, read at "
            f"{utc_text(manifest.source_read_at)}: deleted personal data could go unseen (C7)"
        )
    expected = (instance.name, manifest.log.uri, manifest.materialized_entities.uri)
    if (manifest.instance, entry.log, entry.materialized_entities) != expected:
        yield f"{instance.name}: the entry points to the folder of {manifest.instance}, {entry.log} (C14)"


def find_lost_entries(*, base: LogCacheMap, candidate: LogCacheMap, changed: Sequence[Instance]) -> Iterator[str]:
    """Entries outside this refresh that the candidate would change (C16)."""
    for prototype in sorted(base.keys() | candidate.keys()):
        before, after = base.get(prototype, {}), candidate.get(prototype, {})
        for database in sorted(before.keys() | after.keys()):
            instance = Instance(database=database, prototype=prototype)
            if instance not in changed and before.get(database) != after.get(database):
                yield f"{instance.name}: its entry would change, and it is not part of this refresh (C16)"
