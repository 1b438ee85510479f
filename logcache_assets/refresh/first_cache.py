"""Computes a cache of a database instance from its log: both raw datasets, their manifest, and the map entry.

A refresh copies datasets that a night of Itaipu wrote. This module makes an instance's first cache, and the caches of
the local world and of the benchmarks.
"""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from logcache_assets.domain.documents import document_digest, render_document
from logcache_assets.domain.locations import CacheFolder, Locations
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.log_documents import InstanceRequest, Manifest, RawDataset, RawLogs
from logcache_assets.domain.log_ranges import plan_comparison, prove_ranges
from logcache_assets.domain.problems import join_problems
from logcache_assets.domain.unproven import find_unproven
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.drivers.progress import OnProgress, ignore
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.engine.raw.build_raw import RawBuild, build_raw
from logcache_assets.engine.raw.prove_logs import prove_logs
from logcache_assets.errors import Refused
from logcache_assets.ports import ObjectStore, Tell
from logcache_assets.refresh.file_proofs import proof_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The fields of a map entry that say where its cache comes from."""

    transaction: str
    """UUID of the metapod transaction; without one, an id of its own."""
    read_at: datetime
    """When the segments were read."""


def write_first_cache(  # noqa: PLR0913 - input, output, origin and driver
    source: LogSource,
    *,
    last_t: int,
    locations: Locations,
    origin: Origin,
    store: ObjectStore,
    driver: Driver,
    warn: Tell,
    progress: OnProgress = ignore,
) -> MapEntry:
    """Write the cache of the log up to the source's until_t into its folder of the permanent bucket, the manifest last.

    Raises:
        Refused: the written datasets are not the log up to last_t.
        EngineError: the log is not whole.
    """
    folder = locations.cache_folder(source.instance, last_t=last_t, transaction=origin.transaction)
    build = RawBuild(source=source, log=Folder(store, folder.log), entities=Folder(store, folder.materialized_entities))
    built = build_raw(build, store=store, driver=driver, warn=warn, progress=progress)
    logs = _compare_with_segments(source, folder, store=store, driver=driver)
    found = (built.last_t, logs.log.last_t, logs.materialized_entities.last_t, logs.log.rows)
    if found != (last_t, last_t, last_t, built.datoms):
        raise Refused(
            f"{source.instance.name}: the cache was to end at t {last_t} with {built.datoms} datoms, but its log ends "
            f"at {logs.log.last_t} with {logs.log.rows}, its entities at {logs.materialized_entities.last_t}; "
            "choose a t of the log (the last_t of a segment), or find out who else writes there"
        )
    if problems := list(find_unproven(logs, source_read_at=origin.read_at)):
        raise Refused(join_problems(problems))
    manifest = Manifest(
        instance=source.instance.name,
        last_t=last_t,
        transaction=origin.transaction,
        source_read_at=origin.read_at,
        log=_with_checksums(logs.log, store),
        materialized_entities=_with_checksums(logs.materialized_entities, store),
        ranges=prove_ranges(logs.ranges),
        origin="segments",
    )
    text = render_document(manifest)
    store.create(folder.manifest, text.encode())
    return MapEntry(
        last_t=last_t,
        log=folder.log,
        materialized_entities=folder.materialized_entities,
        transaction=origin.transaction,
        source_read_at=origin.read_at,
        manifest_sha256=document_digest(text),
    )


def _compare_with_segments(source: LogSource, folder: CacheFolder, *, store: ObjectStore, driver: Driver) -> RawLogs:
    """Describe the written datasets and compare them with all segments, which are read again for it."""
    segments = plan_comparison(source.index.segments(source.instance), ())
    wanted = InstanceRequest(
        instance=source.instance.name,
        log=folder.log,
        materialized_entities=folder.materialized_entities,
        segments=segments,
    )
    (logs,) = prove_logs([wanted], store=store, driver=driver, tell=lambda _: None)
    return logs


def _with_checksums(dataset: RawDataset, store: ObjectStore) -> RawDataset:
    """Add the checksum of every file, read by HEAD because listings show none."""
    files = (proof_of(file.name, store.head(f"{dataset.uri}/{file.name}")) for file in dataset.files)
    return replace(dataset, files=tuple(files))
