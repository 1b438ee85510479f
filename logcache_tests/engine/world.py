"""The demo's real Datomic log for the engine's tests: sources, definitions, and a bucket to write to."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
import polars as pl

import logcache_assets
from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.segment_list import SegmentList
from logcache_assets.domain.contract_definitions import DatabaseDefinition, parse_definition
from logcache_assets.domain.documents import document_digest, render_document
from logcache_assets.domain.index_items import parse_index_item
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.log_documents import Manifest, RawDataset
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.drivers.driver import Folder, LocalDriver
from logcache_assets.engine.log.log_op import CachePolicy, LogSource, read_log
from logcache_assets.engine.raw.build_raw import RawBuild, build_raw
from logcache_assets.engine.storage.buckets import BUCKET_DATOMS
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.ports import ObjectStore
from logcache_assets.refresh.file_proofs import listed, proof_of

WORLD = Path(logcache_assets.__file__).parent / "local_platform" / "demo_world"
LOGS_BUCKET = "nu-spark-datomic-logs"
OWN_BUCKET = "own-bucket"
AFTER_EVERY_SEGMENT = datetime(2030, 1, 1, tzinfo=UTC)
BEFORE_EVERY_SEGMENT = datetime(2010, 1, 1, tzinfo=UTC)
DATABASES = ("customers", "double-entry", "feed")
FEED_S0 = parse_instance("feed-s0")


def open_store(folder: Path) -> FolderObjectStore:
    """A store with the demo's segments, re-extracted files in their own bucket, and a bucket to write to."""
    buckets = folder / "buckets"
    buckets.mkdir(parents=True, exist_ok=True)
    (buckets / LOGS_BUCKET).symlink_to(WORLD / "buckets" / LOGS_BUCKET)
    (buckets / "reextracted").symlink_to(WORLD / "reextraction" / "buckets" / LOGS_BUCKET)
    clock = LocalClock(folder / "clock")
    clock.set(datetime(2018, 5, 28, tzinfo=UTC))
    store = FolderObjectStore(buckets, clock)
    store.create_bucket(OWN_BUCKET)
    return store


@cache
def segments_of(instance: Instance, *, reextracted: bool = False) -> tuple[Segment, ...]:
    """All segments of an instance; re-extracted ones replace others by the index's key, as in DynamoDB."""
    found = {s.last_t: s for s in _index(WORLD / "index.jsonl") if s.instance == instance}
    if reextracted:
        for segment in _index(WORLD / "reextraction" / "index.jsonl"):
            if segment.instance == instance:
                path = segment.path.replace(f"s3://{LOGS_BUCKET}/", "s3://reextracted/")
                found[segment.last_t] = replace(segment, path=path)
    return tuple(found.values())


@cache
def _index(file: Path) -> tuple[Segment, ...]:
    return tuple(parse_index_item(line, where=str(file)) for line in file.read_text("utf-8").splitlines())


@cache
def cut_off(instance: Instance, name: str) -> int:
    """An instance's last t at a named cut-off of the demo's timeline."""
    cut_offs: dict[str, dict[str, int]] = json.loads((WORLD / "cutoffs.json").read_text("utf-8"))
    return cut_offs[instance.name][name]


@cache
def definition_of(database: str) -> DatabaseDefinition:
    """The demo's definition of a database."""
    file = WORLD / "contracts" / f"{database}.yaml"
    return parse_definition(file.read_text("utf-8"), where=file.name)


def refuse_warning(line: str) -> None:
    """A `warn` that fails the test."""
    raise AssertionError(line)


def source_at(instance: Instance, cut: str, *, reextracted: bool = False) -> LogSource:
    """A source of segments only, up to a named cut-off."""
    index = SegmentList(segments_of(instance, reextracted=reextracted))
    return LogSource(instance=instance, index=index, until_t=cut_off(instance, cut))


def strict_log(source: LogSource, store: ObjectStore) -> pl.DataFrame:
    """Read the log by the strict policy; warnings fail the test."""
    return read_log(source, store, policy=CachePolicy.STRICT, warn=refuse_warning)


def driver_in(store: ObjectStore) -> LocalDriver:
    """A driver with a new scratch folder."""
    return LocalDriver(Folder(store, f"s3://{OWN_BUCKET}/scratch/{uuid.uuid4()}"))


def write_cache(
    source: LogSource,
    store: ObjectStore,
    *,
    folder: str,
    last_t: int,
    read_at: datetime = AFTER_EVERY_SEGMENT,
    bucket_datoms: int = BUCKET_DATOMS,
) -> MapEntry:
    """Write both raw datasets up to last_t, and return the entry that points to them."""
    base = f"s3://{OWN_BUCKET}/{folder}/{source.instance.name}"
    build = RawBuild(
        source=replace(source, until_t=last_t),
        log=Folder(store, f"{base}/log"),
        entities=Folder(store, f"{base}/materialized-entities"),
        bucket_datoms=bucket_datoms,
    )
    build_raw(build, store=store, driver=driver_in(store), warn=refuse_warning)
    return seal(entry_at(base, last_t=last_t, read_at=read_at), store)


def seal(entry: MapEntry, store: ObjectStore, *, instance: Instance | None = None) -> MapEntry:
    """Write the manifest of what lies in an entry's folders now, and return the entry that names it.

    By default the instance is that of the folder's name.
    """
    folder = folder_of(entry.log)
    manifest = Manifest(
        instance=instance.name if instance else folder.uri.rpartition("/")[2],
        last_t=entry.last_t,
        transaction=entry.transaction,
        source_read_at=entry.source_read_at,
        log=_described(entry.log, store),
        materialized_entities=_described(entry.materialized_entities, store),
    )
    text = render_document(manifest)
    store.write(folder.manifest, text.encode())
    return msgspec.structs.replace(entry, manifest_sha256=document_digest(text))


def _described(uri: str, store: ObjectStore) -> RawDataset:
    files = tuple(proof_of(name, store.head(item.uri)) for name, item in sorted(listed(store, uri).items()))
    return RawDataset(uri=uri, files=files, columns={}, rows=0, last_t=0, fingerprint="")


def entry_at(base: str, *, last_t: int, read_at: datetime = AFTER_EVERY_SEGMENT) -> MapEntry:
    """The map entry for the raw datasets below a folder, without a manifest."""
    return MapEntry(
        last_t=last_t,
        log=f"{base}/log",
        materialized_entities=f"{base}/materialized-entities",
        transaction="0b7c8e1a-6f0f-4f3e-9d3b-2f1f6f3f8a11",
        source_read_at=read_at,
        manifest_sha256="0" * 64,
    )
