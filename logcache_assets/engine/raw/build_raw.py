"""Builds the two raw datasets of an instance at a t: its log, and its materialized entities.

A nightly run of Itaipu writes them, and a database without a cache gets them as its first one. docs/formats.md has
their layout; describe_raw.py describes them from their data.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.drivers.progress import Meter, OnProgress, ignore
from logcache_assets.engine.facts.datomic_schema import DatomicSchema
from logcache_assets.engine.facts.facts_files import write_facts
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.log.cached_log import check_last_t, open_cached_log, read_proven
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.engine.log.open_logs import LogLadder, OpenedLog, load_facts
from logcache_assets.engine.log.proven_files import ProvenFiles
from logcache_assets.engine.storage.buckets import BUCKET_DATOMS, Bucket
from logcache_assets.engine.storage.parquet import count_file, empty_others, write_part
from logcache_assets.engine.storage.schemas import LOG_SCHEMA
from logcache_assets.ports import ObjectStore, StoredObject, Tell

PART_DATOMS = 2_000_000
"""About how many datoms one file of a log holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBuild:
    """Which log to write, into which folders, and how."""

    source: LogSource
    log: Folder
    """An empty folder."""
    entities: Folder
    """An empty folder."""
    policy: CachePolicy = CachePolicy.STRICT
    """What to do when the source's cache cannot be used."""
    bucket_datoms: int = BUCKET_DATOMS
    """About how many datoms one bucket of the materialized entities comes from."""
    part_datoms: int = PART_DATOMS
    """About how many datoms one file of the log holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltRaw:
    """Figures of the raw datasets that were written."""

    datoms: int
    """Rows of the log."""
    facts: int
    """Rows of the materialized entities."""
    last_t: int
    """The greatest t of the log; 0 for an empty one."""


def build_raw(
    build: RawBuild, *, store: ObjectStore, driver: Driver, warn: Tell, progress: OnProgress = ignore
) -> BuiltRaw:
    """Write the log and the materialized entities of one instance.

    Raises:
        CacheError: the source's cache cannot be used, and the policy is strict.
        EngineError: the log is not whole.
    """
    ladder = LogLadder([build.source], store, policy=build.policy, warn=warn, bucket_datoms=build.bucket_datoms)
    return ladder.attempt(lambda opened: _build(build, opened, store, driver, Meter(progress)))


def _build(
    build: RawBuild, opened: Mapping[Instance, OpenedLog], store: ObjectStore, driver: Driver, meter: Meter
) -> BuiltRaw:
    (log,) = opened.values()
    parts = list(driver.run(list(_log_tasks(build, log, store))))
    _check_cached(build.source.instance, log, parts)
    empty_others([part.file for part in parts], LOG_SCHEMA.to_frame(), build.log.uri, build.log.store)
    (facts,) = load_facts(opened, store, driver, meter).values()
    schema = facts.read_schema()
    tasks = [FactsTask(facts, schema, bucket, build.entities) for bucket in facts.all_buckets()]
    meter.expect(len(tasks))
    rows = 0
    for count in driver.run(tasks):
        rows += count
        meter.add(buckets=1)
    last_ts = [part.last_t for part in parts if part.last_t is not None]
    return BuiltRaw(datoms=sum(part.rows for part in parts), facts=rows, last_t=max(last_ts, default=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPart:
    """One file of a log that was written."""

    rows: int
    last_t: int | None
    """The greatest t in it; None for an empty file."""
    cached_t: int | None
    """The greatest t of the cached files in it, before they were cut at until_t; None without any."""
    file: StoredObject


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTask:
    """A driver's task: write one file of the log from files of the cached log and the segments that follow them."""

    log: OpenedLog
    files: ProvenFiles | None
    """All files of the cached log; None without a cache."""
    cached: tuple[str, ...]
    segments: tuple[Segment, ...]
    source: ObjectStore
    out: Folder
    number: int

    def run(self) -> LogPart:
        """Write the file, without datoms after until_t."""
        cached, delta = self._read_cached(), self.log.delta
        until_t = delta.until_t
        kept = cached if until_t is None else cached.filter(pl.col("t") <= until_t)
        datoms = pl.concat([kept, delta.read(self.segments, self.source)])
        file = write_part(datoms, self.out.uri, self.out.store, number=self.number)
        return LogPart(rows=len(datoms), last_t=_last_t(datoms), cached_t=_last_t(cached), file=file)

    def _read_cached(self) -> pl.DataFrame:
        if self.files is None or not self.cached:
            return LOG_SCHEMA.to_frame()
        return read_proven(self.files, self.cached, self.source)


def _last_t(datoms: pl.DataFrame) -> int | None:
    last: int | None = datoms.select(pl.col("t").max()).item()
    return last


def _log_tasks(build: RawBuild, log: OpenedLog, store: ObjectStore) -> Iterator[LogTask]:
    """Plan the files of the log in its order, the cached files first, each of about part_datoms."""
    files = open_cached_log(log.delta.instance, log.cached.entry, store) if log.cached else None
    pieces = [*_cached_pieces(files, store), *_segment_pieces(log)]
    for number, group in enumerate(group_pieces(pieces, part_datoms=build.part_datoms)):
        yield LogTask(
            log=log,
            files=files,
            cached=tuple(uri for piece in group for uri in piece.cached),
            segments=tuple(segment for piece in group for segment in piece.segments),
            source=store,
            out=build.log,
            number=number,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A cached file or a segment: the smallest part that is put into one file of the log."""

    datoms: int
    cached: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()


def _cached_pieces(files: ProvenFiles | None, store: ObjectStore) -> Iterator[Piece]:
    uris = files.uris if files else ()
    return (Piece(datoms=count_file(uri, store), cached=(uri,)) for uri in uris)


def _segment_pieces(log: OpenedLog) -> Iterator[Piece]:
    each = log.datoms // max(1, len(log.delta.chain))
    return (Piece(datoms=each, segments=(segment,)) for segment in log.delta.chain)


def group_pieces(pieces: Sequence[Piece], *, part_datoms: int) -> Iterator[tuple[Piece, ...]]:
    """Group neighbouring pieces up to part_datoms each; a larger piece is a group of its own."""
    group: list[Piece] = []
    for piece in pieces:
        if group and sum(p.datoms for p in group) + piece.datoms > part_datoms:
            yield tuple(group)
            group = []
        group.append(piece)
    yield tuple(group)


def _check_cached(instance: Instance, log: OpenedLog, parts: list[LogPart]) -> None:
    if log.cached:
        found = max((part.cached_t for part in parts if part.cached_t is not None), default=None)
        check_last_t(instance, log.cached.entry, log.cached.entry.log, found)


@dataclass(frozen=True, slots=True)
class FactsTask:
    """A driver's task: write the materialized entities of one bucket."""

    facts: InstanceFacts
    schema: DatomicSchema
    bucket: Bucket
    out: Folder

    def run(self) -> int:
        """Write the file and return the number of its facts."""
        facts = self.facts.every(self.schema, self.bucket)
        write_facts(facts, self.bucket, self.out.uri, self.out.store)
        return len(facts)
