"""LogOp: the log of one instance, as the union of its cached log and the newer segments of the index.

Exactly the datoms that reading every segment from the beginning gives, or an error; never a silently shorter log.
What is wrong with segments is an error under every policy. What is wrong with the cache is an error under `strict`;
under `fallback` it is a loud warning, and the segments alone give the log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.segments import Segment, chain_after, find_chain_faults, newest_t
from logcache_assets.engine.cache import CacheError, read_cached_facts, read_cached_log
from logcache_assets.engine.facts import cut_facts, fold_datoms, fold_delta
from logcache_assets.engine.layout import EngineError
from logcache_assets.engine.segments import read_segments
from logcache_assets.ports import ObjectStore, Tell


class CachePolicy(StrEnum):
    """What to do when a cached log cannot be trusted."""

    STRICT = "strict"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """Where the log of one instance is read from, and up to which t."""

    instance: Instance
    segments: tuple[Segment, ...]
    """All that the index knows, in any order."""
    cache: MapEntry | None = None
    until_t: int | None = None
    """Inclusive; None is the whole log."""


class ChainError(EngineError):
    """The segments of the index do not make a whole log."""


ReadCached = Callable[[Instance, tuple[Segment, ...], MapEntry, ObjectStore], pl.DataFrame]


def read_log(source: LogSource, store: ObjectStore, *, policy: CachePolicy, warn: Tell) -> pl.DataFrame:
    """Every datom with t <= until_t, in log order; columns of LOG_SCHEMA.

    Raises:
        ChainError: a gap or an overlap in the index, or an instance that it does not know.
        SegmentError: a segment is not what the index says.
        CacheError: the cache cannot be used, and the policy is strict.
    """
    cached = _cached(source, store, read_cached_log, policy=policy, warn=warn)
    if cached is None:
        return _read_delta(source, store, after_t=0, warn=warn)
    frame, last_t = cached
    if source.until_t is not None:
        frame = frame.filter(pl.col("t") <= source.until_t)
    return pl.concat([frame, _read_delta(source, store, after_t=last_t, warn=warn)])


def read_facts(source: LogSource, store: ObjectStore, *, policy: CachePolicy, warn: Tell) -> pl.DataFrame:
    """Every fact asserted at t <= until_t, as it stood then; columns of FACTS_SCHEMA, sorted by FACTS_ORDER.

    With a cache only the newer datoms are folded, onto its materialized entities. Raises what read_log raises.
    """
    cached = _cached(source, store, read_cached_facts, policy=policy, warn=warn)
    if cached is None:
        return fold_datoms(_read_delta(source, store, after_t=0, warn=warn))
    facts, last_t = cached
    if source.until_t is not None and source.until_t < last_t:
        return cut_facts(facts, until_t=source.until_t)
    return fold_delta(facts, _read_delta(source, store, after_t=last_t, warn=warn))


def _cached(
    source: LogSource, store: ObjectStore, read: ReadCached, *, policy: CachePolicy, warn: Tell
) -> tuple[pl.DataFrame, int] | None:
    """What the cache holds and its last_t; None without a cache that can be used."""
    if source.cache is None:
        return None
    try:
        return read(source.instance, source.segments, source.cache, store), source.cache.last_t
    except CacheError as error:
        if policy is CachePolicy.STRICT:
            raise
        warn(f"WARNING: {error}. Going on without the cache: {len(source.segments)} segments are read from the start")
        return None


def _read_delta(source: LogSource, store: ObjectStore, *, after_t: int, warn: Tell) -> pl.DataFrame:
    """The datoms of the index's segments with after_t < t <= until_t, in log order."""
    _check_chain(source, after_t=after_t, warn=warn)
    wanted = pl.col("t") > after_t
    chain = chain_after(source.segments, after_t=after_t)
    if source.until_t is not None:
        wanted &= pl.col("t") <= source.until_t
        chain = tuple(s for s in chain if s.last_batch_t < source.until_t)
    return read_segments(chain, store).filter(wanted).sort("t", maintain_order=True)


def _check_chain(source: LogSource, *, after_t: int, warn: Tell) -> None:
    """Faults beyond until_t do not touch the log that is asked for."""
    name, until_t, ends_at = source.instance.name, source.until_t, max(newest_t(source.segments), after_t)
    if not ends_at:
        raise ChainError(
            f"{name}: the segment index knows no segment of this instance; restore its items, "
            f"or take the prototype {source.instance.prototype} out of contracts/{source.instance.database}.yaml"
        )
    for fault in find_chain_faults(source.segments, after_t=after_t):
        if until_t is None or fault.after_t < until_t:
            begins_at = fault.after_t if fault.check == "C3" else fault.until_t
            paths = ", ".join(s.path for s in source.segments if s.last_batch_t == begins_at)
            raise ChainError(f"{fault}: see {paths}; repair the segment index, or have the range extracted again")
    if until_t is not None and until_t > ends_at:
        warn(
            f"WARNING: {name}: t {until_t} is asked for, but the segment index ends at t {ends_at}; the log ends there"
        )
