"""Opens the files that an entry of the log cache map points to, and checks that they are what the entry says.

log_op.py decides what happens when they are not, and adds newer segments. The codes are those of domain/problems.py.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import polars as pl
from typing_extensions import override

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.problems import Code, Problem
from logcache_assets.domain.segments import Extraction
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.facts.facts_files import FactsFolder, parse_files
from logcache_assets.engine.storage.parquet import (
    ParquetError,
    collect_schema,
    list_parquet,
    read_parquet_files,
)
from logcache_assets.engine.storage.schemas import FACTS_SCHEMA, LOG_SCHEMA, column_types
from logcache_assets.ports import ObjectStore, ObjectStoreWrongData


class CacheError(EngineError):
    """A cached log is missing, damaged, stale, or not what the map says.

    Args:
        instance: the instance whose cache it is.
        message: what is wrong, for a person.
    """

    def __init__(self, instance: Instance, message: str) -> None:
        super().__init__(message)
        self.instance = instance

    @override
    def __reduce__(self) -> tuple[type["CacheError"], tuple[Instance, str]]:
        return type(self), (self.instance, str(self))


REMEDY = "revert its entry in log_cache_map.json to one that is sound, or refresh it"


def _refusal(instance: Instance, code: Code, found: str) -> str:
    return str(Problem(code=code, subjects=(instance.name,), found=(found,), remedy=REMEDY))


def check_not_ahead(instance: Instance, entry: MapEntry, newest_t: int) -> None:
    """Refuse a cache that ends after the segment index does; raises CacheError (C4)."""
    if entry.last_t > newest_t:
        raise CacheError(
            instance,
            _refusal(
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
            _refusal(
                instance,
                "C7",
                f"the cached log {entry.log} is stale: {len(replaced)} segments were extracted again after it was read "
                f"at {utc_text(entry.source_read_at)}, first t in ({replaced[0].last_batch_t}, {replaced[0].last_t}]; "
                "it may still hold deleted personal data",
            ),
        )


def list_cached_log(instance: Instance, entry: MapEntry, store: ObjectStore) -> tuple[str, ...]:
    """List the files of the cached log in log order and check their columns; raises CacheError."""
    with refusing_damage(instance, entry):
        uris = list_parquet(entry.log, store)
        schemas = [collect_schema(uri, store) for uri in uris]
    _check_found(instance, entry, entry.log, uris)
    for uri, schema in zip(uris, schemas, strict=True):
        _check_columns(instance, entry, uri, schema, LOG_SCHEMA)
    return uris


def read_cached_log(instance: Instance, entry: MapEntry, store: ObjectStore) -> pl.DataFrame:
    """Read the whole cached log in log order; raises CacheError."""
    uris = list_cached_log(instance, entry, store)
    with refusing_damage(instance, entry):
        frame = read_parquet_files(uris, store)
    check_last_t(instance, entry, entry.log, frame["t"].max())
    return frame.sort("t", maintain_order=True)


def open_cached_facts(
    instance: Instance, entry: MapEntry, store: ObjectStore, *, until_t: int | None = None
) -> FactsFolder:
    """Open the materialized entities, cut at until_t; raises CacheError.

    Only Parquet footers and the facts of tx instants are read.
    """
    uri = entry.materialized_entities
    with refusing_damage(instance, entry):
        uris = list_parquet(uri, store)
        schemas = [collect_schema(file, store) for file in uris]
    _check_found(instance, entry, uri, uris)
    for file, schema in zip(uris, schemas, strict=True):
        _check_columns(instance, entry, file, schema, FACTS_SCHEMA)
    with refusing_damage(instance, entry):
        cut = until_t if until_t is not None and until_t < entry.last_t else None
        folder = FactsFolder(instance_name=instance.name, files=parse_files(uris), last_t=entry.last_t, until_t=cut)
        last_t = folder.find_last_t(store)
    check_last_t(instance, entry, uri, last_t)
    return folder


@contextmanager
def refusing_damage(instance: Instance, entry: MapEntry) -> Iterator[None]:
    """Raise a CacheError for a missing or damaged file of the cache that the block reads.

    A store that could not answer passes through: an outage says nothing of the cache, and must not make a nightly run
    read the whole history instead.
    """
    try:
        yield
    except (ObjectStoreWrongData, ParquetError) as error:
        raise CacheError(instance, f"{_place(instance, entry)} cannot be read: {error}; or {REMEDY}") from error


def _place(instance: Instance, entry: MapEntry) -> str:
    return f"{instance.name}: the cache of t in (0, {entry.last_t}]"


def _check_found(instance: Instance, entry: MapEntry, uri: str, uris: Sequence[str]) -> None:
    if not uris:
        raise CacheError(instance, f"{_place(instance, entry)} is missing: no Parquet file lies below {uri}; {REMEDY}")


def _check_columns(instance: Instance, entry: MapEntry, uri: str, found: pl.Schema, wanted: pl.Schema) -> None:
    if found != wanted:
        raise CacheError(
            instance,
            _refusal(
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
            _refusal(
                instance,
                "C5",
                f"the map says that the cache at {uri} holds t in (0, {entry.last_t}], but its data ends at t {found}",
            ),
        )
