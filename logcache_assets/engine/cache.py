"""Opens what an entry of the log cache map points to, and proves that it is what the entry says.

What is done when it is not, and how newer segments are added, is log.py. The ids are those of docs/runbook.md.
"""

from collections.abc import Sequence

import polars as pl

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry, utc_text
from logcache_assets.domain.segments import Segment, find_stale_segments, newest_t
from logcache_assets.engine.layout import FACTS_SCHEMA, LOG_SCHEMA, EngineError, column_types
from logcache_assets.engine.parquet import ParquetError, list_folder, parquet_uris, read_parquet_files
from logcache_assets.ports import ObjectStore, ObjectStoreError


class CacheError(EngineError):
    """A cached log is missing, damaged, stale, or not what the map says."""


REMEDY = "revert its entry in log_cache_map.json to one that is sound, or refresh it"


def read_cached_log(
    instance: Instance, segments: Sequence[Segment], entry: MapEntry, store: ObjectStore
) -> pl.DataFrame:
    """The cached log, whole and in log order; raises CacheError."""
    _check_index(instance, segments, entry)
    frame = _read(instance, entry, entry.log, LOG_SCHEMA, store)
    _check_last_t(instance, entry, entry.log, frame["t"].max())
    return frame.sort("t", maintain_order=True)


def read_cached_facts(
    instance: Instance, segments: Sequence[Segment], entry: MapEntry, store: ObjectStore
) -> pl.DataFrame:
    """The materialized entities, open and closed facts, sorted by FACTS_ORDER as they were written; raises CacheError.

    Every tx asserts its own instant, so the greatest t of any fact is the log's last t.
    """
    _check_index(instance, segments, entry)
    facts = _read(instance, entry, entry.materialized_entities, FACTS_SCHEMA, store)
    last_t = facts.select(pl.max_horizontal(pl.col("t_from", "t_to").max())).item()
    _check_last_t(instance, entry, entry.materialized_entities, last_t)
    return facts


def _check_index(instance: Instance, segments: Sequence[Segment], entry: MapEntry) -> None:
    """Does the index contradict the entry, before anything is opened?"""
    if entry.last_t > newest_t(segments):
        raise CacheError(
            f"{instance.name}: the cached log {entry.log} ends at t {entry.last_t}, ahead of the segment index, which "
            f"ends at {newest_t(segments)}: it belongs to another database or prototype (C4); {REMEDY}"
        )
    stale = find_stale_segments(segments, cached_until_t=entry.last_t, source_read_at=entry.source_read_at)
    if stale:
        raise CacheError(
            f"{instance.name}: the cached log {entry.log} is stale: {len(stale)} segments were extracted again after "
            f"it was read at {utc_text(entry.source_read_at)}, first {stale[0].path}, t in ({stale[0].last_batch_t}, "
            f"{stale[0].last_t}]; it may still hold deleted personal data (C7); {REMEDY}"
        )


def _read(instance: Instance, entry: MapEntry, uri: str, schema: pl.Schema, store: ObjectStore) -> pl.DataFrame:
    place = f"{instance.name}: the cache of t in (0, {entry.last_t}]"
    try:
        uris = parquet_uris(list_folder(uri, store))
        frame = read_parquet_files(uris, store)
    except (ObjectStoreError, ParquetError) as error:
        raise CacheError(f"{place} cannot be read: {error}; or {REMEDY}") from error
    if not uris:
        raise CacheError(f"{place} is missing: no Parquet file lies below {uri}; {REMEDY}")
    if frame.schema != schema:
        raise CacheError(
            f"{place} at {uri} has the columns {column_types(frame.schema)}, "
            f"but LogOp reads {column_types(schema)} (C17); {REMEDY}"
        )
    return frame


def _check_last_t(instance: Instance, entry: MapEntry, uri: str, found: object) -> None:
    if found != entry.last_t:
        raise CacheError(
            f"{instance.name}: the map says that the cache at {uri} holds t in (0, {entry.last_t}], but its data ends "
            f"at t {found} (C5); {REMEDY}"
        )
