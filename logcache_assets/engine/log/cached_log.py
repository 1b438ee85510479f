"""Opens the files that an entry of the log cache map points to, and checks that they are what the entry says.

proven_files.py compares them with their manifest. log_op.py decides what happens when they are not what they should be,
and adds newer segments.
"""

from collections.abc import Sequence
from contextlib import suppress

import polars as pl

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.segments import Extraction
from logcache_assets.engine.facts.facts_files import FactsFolder, parse_files
from logcache_assets.engine.log.cache_error import REMEDY, CacheError, place_of, refusal, refusing_damage
from logcache_assets.engine.log.proven_files import ProvenFiles, open_proven, read_manifest
from logcache_assets.engine.storage.parquet import ParquetError, collect_schema, read_parquet_files
from logcache_assets.engine.storage.schemas import FACTS_SCHEMA, LOG_SCHEMA, column_types
from logcache_assets.ports import ObjectStore


def check_not_ahead(instance: Instance, entry: MapEntry, newest_t: int) -> None:
    """Refuse a cache that ends after the segment index does; raises CacheError (C4)."""
    if entry.last_t > newest_t:
        raise CacheError(
            instance,
            refusal(
                instance,
                "C4",
                f"the cached log {entry.log} ends at t {entry.last_t}, ahead of the segment index, which ends at "
                f"{newest_t}: it belongs to another database or prototype",
            ),
        )


def check_not_stale(instance: Instance, entry: MapEntry, replaced: Sequence[Extraction]) -> None:
    """Refuse a cache of which some segments were extracted again after it was read; raises CacheError (C7)."""
    if replaced:
        raise CacheError(
            instance,
            refusal(
                instance,
                "C7",
                f"the cached log {entry.log} is stale: {len(replaced)} segments were extracted again after it was read "
                f"at {utc_text(entry.source_read_at)}, first t in ({replaced[0].last_batch_t}, {replaced[0].last_t}]; "
                "it may still hold deleted personal data",
            ),
        )


def open_cached_log(instance: Instance, entry: MapEntry, store: ObjectStore) -> ProvenFiles:
    """List the files of the cached log and check their names and columns; raises CacheError."""
    files = open_proven(instance, entry, read_manifest(instance, entry, store).log, store)
    _check_files(files, entry.log, LOG_SCHEMA, store)
    return files


def read_cached_log(instance: Instance, entry: MapEntry, store: ObjectStore) -> pl.DataFrame:
    """Read the whole cached log in log order; raises CacheError."""
    files = open_cached_log(instance, entry, store)
    frame = read_proven(files, files.uris, store)
    check_last_t(instance, entry, entry.log, frame["t"].max())
    return frame.sort("t", maintain_order=True)


def open_cached_facts(
    instance: Instance, entry: MapEntry, store: ObjectStore, *, until_t: int | None = None
) -> FactsFolder:
    """Open the materialized entities, cut at until_t; raises CacheError.

    Only Parquet footers and the facts of tx instants are read.
    """
    uri = entry.materialized_entities
    files = open_proven(instance, entry, read_manifest(instance, entry, store).materialized_entities, store)
    _check_files(files, uri, FACTS_SCHEMA, store)
    with refusing_damage(instance, entry):
        cut = until_t if until_t is not None and until_t < entry.last_t else None
        folder = FactsFolder(
            instance_name=instance.name,
            files=parse_files(files.uris),
            last_t=entry.last_t,
            until_t=cut,
            verified=files.verified,
        )
        last_t = folder.find_last_t(store)
    check_last_t(instance, entry, uri, last_t)
    return folder


def read_proven(files: ProvenFiles, uris: Sequence[str], store: ObjectStore) -> pl.DataFrame:
    """Read some of the files in their order, once their bytes are those of the manifest; raises CacheError."""
    sources = [files.verified(uri, store) for uri in uris]
    with refusing_damage(files.instance, files.entry):
        return read_parquet_files(uris, sources[0] if sources else store)


def _check_files(files: ProvenFiles, folder: str, wanted: pl.Schema, store: ObjectStore) -> None:
    with refusing_damage(files.instance, files.entry):
        schemas = [_schema_of(files, uri, wanted, store) for uri in files.uris]
    _check_found(files.instance, files.entry, folder, files.uris)
    for uri, schema in zip(files.uris, schemas, strict=True):
        _check_columns(files.instance, files.entry, uri, schema, wanted)


def _schema_of(files: ProvenFiles, uri: str, wanted: pl.Schema, store: ObjectStore) -> pl.Schema:
    """A file's schema by its footer; behind a network the verified file is asked before its footer is called wrong."""
    if not store.reads_whole_objects:
        return collect_schema(uri, store)
    with suppress(ParquetError):
        if (found := collect_schema(uri, store)) == wanted:
            return found
    return collect_schema(uri, files.verified(uri, store))


def _check_found(instance: Instance, entry: MapEntry, uri: str, uris: Sequence[str]) -> None:
    if not uris:
        place = place_of(instance, entry)
        raise CacheError(instance, f"{place} is missing: no Parquet file lies below {uri}; {REMEDY}")


def _check_columns(instance: Instance, entry: MapEntry, uri: str, found: pl.Schema, wanted: pl.Schema) -> None:
    if found != wanted:
        raise CacheError(
            instance,
            refusal(
                instance,
                "C17",
                f"the cache of t in (0, {entry.last_t}] at {uri} has the columns {column_types(found)}, but LogOp "
                f"reads {column_types(wanted)}",
            ),
        )


def check_last_t(instance: Instance, entry: MapEntry, uri: str, found: object) -> None:
    """Refuse a cache whose data does not end where the map says; raises CacheError."""
    if found != entry.last_t:
        raise CacheError(
            instance,
            refusal(
                instance,
                "C5",
                f"the map says that the cache at {uri} holds t in (0, {entry.last_t}], but its data ends at t {found}",
            ),
        )
