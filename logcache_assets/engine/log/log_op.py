"""LogOp: the log of one instance, as the union of its cached log and the newer segments of the index.

Returns exactly the datoms that reading every segment from the beginning returns, or raises an error; never a silently
shorter log. A fault of the segments is an error under every policy. A cache that cannot be used is an error under
`strict`; under `fallback` it is a loud warning, and the next earlier cache, at last the segments alone, is used.
An outage of the store or the index is an error under every policy.

With a cache LogOp asks the index only for what is newer, and proves that it continues the cache. Whether the segments
below the cache's last_t still make a whole chain is not asked here: that belongs to the choice of a night, the gate and
inspection.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import polars as pl

from logcache_assets.domain.contract_definitions import definition_path
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.segments import Segment, find_chain_faults, newest_t
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.log.cached_log import check_not_ahead, check_not_stale, read_cached_log
from logcache_assets.engine.log.read_segments import read_portions
from logcache_assets.engine.storage.schemas import END, LOG_SCHEMA
from logcache_assets.ports import ObjectStore, SegmentIndex, Tell


class CachePolicy(StrEnum):
    """What to do when a cached log cannot be used."""

    STRICT = "strict"
    """Raise the error."""
    FALLBACK = "fallback"
    """Warn and use the next earlier cache, or the segments alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """Where the log of one instance is read from, and up to which t."""

    instance: Instance
    index: SegmentIndex
    """Asked for the segments after the cache when the log is opened."""
    cache: MapEntry | None = None
    earlier: tuple[MapEntry, ...] = ()
    """Former entries of the map for this instance, newest first: `fallback` tries them before the segments alone."""
    until_t: int | None = None
    """Inclusive; None is the whole log."""

    @property
    def after_t(self) -> int:
        """Where the cache ends and segments begin: the cache's last_t, 0 without a cache."""
        return self.cache.last_t if self.cache else 0

    def without_cache(self) -> "LogSource":
        """The source with the next earlier cache, without any after the last one."""
        return replace(self, cache=next(iter(self.earlier), None), earlier=self.earlier[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedLog:
    """A source and the index's answer for it, so that the index is asked once."""

    source: LogSource
    segments: tuple[Segment, ...]
    """Those that end after the source's cache, ascending by last_t."""


def ask_index(source: LogSource) -> IndexedLog:
    """Ask the index for the segments that end after the source's cache, or for all without a cache."""
    return IndexedLog(source=source, segments=source.index.segments(source.instance, after_t=source.after_t))


class ChainError(EngineError):
    """The segments of the index do not make a whole log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The segments to read after a cache, and the range of t that is wanted of them."""

    instance: Instance
    chain: tuple[Segment, ...]
    """Ascending by last_t; the first may begin before after_t, the last may end after until_t."""
    after_t: int
    until_t: int | None

    def read(self, segments: Sequence[Segment], store: ObjectStore) -> pl.DataFrame:
        """Read the datoms of some of its segments with after_t < t <= until_t, in log order; columns of LOG_SCHEMA."""
        return pl.concat([LOG_SCHEMA.to_frame(), *self.read_portions(segments, store)])

    def read_portions(self, segments: Sequence[Segment], store: ObjectStore) -> Iterator[pl.DataFrame]:
        """Read what `read` does in portions, of which few are held at a time."""
        wanted = pl.col("t") > self.after_t
        if self.until_t is not None:
            wanted &= pl.col("t") <= self.until_t
        whole = segments and segments[0].last_batch_t >= self.after_t and segments[-1].last_t <= (self.until_t or END)
        for portion in read_portions(segments, store):
            yield portion if whole else portion.filter(wanted)


def plan_delta(indexed: IndexedLog, *, warn: Tell) -> Delta:
    """Plan which segments to read after the source's cache.

    Raises:
        ChainError: the segments do not continue the cache, or do not begin at the log's beginning without one.
    """
    source = indexed.source
    _check_chain(indexed, warn=warn)
    chain = indexed.segments
    if source.until_t is not None:
        chain = tuple(s for s in chain if s.last_batch_t < source.until_t)
    return Delta(instance=source.instance, chain=chain, after_t=source.after_t, until_t=source.until_t)


def check_cache(indexed: IndexedLog) -> None:
    """Refuse a cache that the index contradicts, before its files are opened.

    Raises:
        CacheError: the cache ends after the index (C4), or part of it was extracted again since (C7).
    """
    source = indexed.source
    if source.cache is None:
        return
    if not indexed.segments:
        check_not_ahead(source.instance, source.cache, source.index.newest_t(source.instance))
    read_at = source.cache.source_read_at
    stale = source.index.extracted_since(source.instance, before_t=source.cache.last_t, since=read_at)
    check_not_stale(source.instance, source.cache, stale)


def find_last_t(source: LogSource, store: ObjectStore, *, warn: Tell) -> int:
    """Find the greatest t of a log without a cache, up to the source's until_t; 0 if the log begins later.

    Raises:
        ChainError: the segments do not make a whole log.
        SegmentError: the segment that holds it is not what the index says.
    """
    delta = plan_delta(ask_index(source), warn=warn)
    if not delta.chain:
        return 0
    last: int | None = delta.read(delta.chain[-1:], store).select(pl.col("t").max()).item()
    return delta.chain[-1].last_batch_t if last is None else last


def fall_back(indexed: IndexedLog, error: CacheError, *, policy: CachePolicy, warn: Tell) -> IndexedLog:
    """Replace the cache that failed by the next earlier one, or by the segments alone, and warn.

    The index is asked anew, because another cache needs other segments.

    Raises:
        CacheError: the given one, if the policy is strict.
    """
    if policy is CachePolicy.STRICT or indexed.source.cache is None:
        raise error
    lower = ask_index(indexed.source.without_cache())
    now, before, cache = len(lower.segments), len(indexed.segments), lower.source.cache
    way = f"with the earlier cache {cache.log}" if cache else "without the cache"
    begin = f"after t {cache.last_t}" if cache else "from the start"
    warn(f"WARNING: {error}. Going on {way}: {now} segments are read {begin} instead of {before}")
    return lower


def read_log(source: LogSource, store: ObjectStore, *, policy: CachePolicy, warn: Tell) -> pl.DataFrame:
    """Read every datom with t <= until_t, in log order; columns of LOG_SCHEMA.

    Raises:
        ChainError: a gap or an overlap in the index, or an instance that it does not know.
        SegmentError: a segment is not what the index says.
        CacheError: the cache cannot be used, and the policy is strict.
        SegmentIndexError: the index could not answer.
    """
    indexed = ask_index(source)
    while True:
        try:
            return pl.concat(list(_parts(indexed, store, warn)))
        except CacheError as error:
            indexed = fall_back(indexed, error, policy=policy, warn=warn)


def _parts(indexed: IndexedLog, store: ObjectStore, warn: Tell) -> Iterator[pl.DataFrame]:
    """The cached datoms, then those of the segments after it."""
    source = indexed.source
    if source.cache is not None:
        check_cache(indexed)
        cached = read_cached_log(source.instance, source.cache, store)
        yield cached if source.until_t is None else cached.filter(pl.col("t") <= source.until_t)
    delta = plan_delta(indexed, warn=warn)
    yield delta.read(delta.chain, store)


def _check_chain(indexed: IndexedLog, *, warn: Tell) -> None:
    """Raise ChainError for a fault that touches the asked log; a fault beyond until_t does not."""
    source = indexed.source
    name, until_t, ends_at = source.instance.name, source.until_t, max(newest_t(indexed.segments), source.after_t)
    if not ends_at:
        raise ChainError(
            f"{name}: the segment index knows no segment of this instance; restore its items, "
            f"or take the prototype {source.instance.prototype} out of {definition_path(source.instance.database)}"
        )
    for fault in find_chain_faults(indexed.segments, after_t=source.after_t):
        if until_t is None or fault.after_t < until_t:
            begins_at = fault.after_t if fault.code == "C3" else fault.until_t
            paths = ", ".join(s.path for s in indexed.segments if s.last_batch_t == begins_at)
            raise ChainError(f"{fault}; see {paths}")
    if until_t is not None and until_t > ends_at:
        warn(
            f"WARNING: {name}: t {until_t} is asked for, but the segment index ends at t {ends_at}; the log ends there"
        )
