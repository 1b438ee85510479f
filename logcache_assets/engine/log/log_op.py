"""LogOp: the log of one instance, as the union of its cached log and the newer segments of the index.

Exactly the datoms that reading every segment from the beginning gives, or an error; never a silently shorter log.
What is wrong with segments is an error under every policy. What is wrong with a cache is an error under `strict`; under
`fallback` it is a loud warning, and the next earlier cache, at last the segments alone, gives the log.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

import polars as pl

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.segments import Segment, chain_after, find_chain_faults, newest_t
from logcache_assets.engine.errors import EngineError
from logcache_assets.engine.log.cached_log import CacheError, check_index, read_cached_log
from logcache_assets.engine.log.read_segments import read_segments
from logcache_assets.engine.storage.schemas import END
from logcache_assets.ports import ObjectStore, Tell

T = TypeVar("T")


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
    earlier: tuple[MapEntry, ...] = ()
    """Former entries of the map for this instance, newest first: what `fallback` tries before the segments alone."""
    until_t: int | None = None
    """Inclusive; None is the whole log."""

    def without_cache(self) -> "LogSource":
        """The next step of the ladder."""
        return replace(self, cache=next(iter(self.earlier), None), earlier=self.earlier[1:])


class ChainError(EngineError):
    """The segments of the index do not make a whole log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The segments that continue a log after a t."""

    instance: Instance
    chain: tuple[Segment, ...]
    """In order; the first may begin before after_t, the last may end after until_t."""
    after_t: int
    until_t: int | None

    def read(self, segments: Sequence[Segment], store: ObjectStore) -> pl.DataFrame:
        """The datoms of some of its segments with after_t < t <= until_t, in log order; columns of LOG_SCHEMA."""
        wanted = pl.col("t") > self.after_t
        if self.until_t is not None:
            wanted &= pl.col("t") <= self.until_t
        frame = read_segments(segments, store)
        whole = segments and segments[0].last_batch_t >= self.after_t and segments[-1].last_t <= (self.until_t or END)
        return frame if whole else frame.filter(wanted)


def plan_delta(source: LogSource, *, warn: Tell) -> Delta:
    """The segments to read after the source's cache; raises ChainError when they do not continue it."""
    after_t = source.cache.last_t if source.cache else 0
    _check_chain(source, after_t=after_t, warn=warn)
    chain = chain_after(source.segments, after_t=after_t)
    if source.until_t is not None:
        chain = tuple(s for s in chain if s.last_batch_t < source.until_t)
    return Delta(instance=source.instance, chain=chain, after_t=after_t, until_t=source.until_t)


def find_last_t(source: LogSource, store: ObjectStore, *, warn: Tell) -> int:
    """The greatest t of a log without a cache, up to the source's until_t; 0 when it begins later.

    Raises:
        ChainError: the segments do not make a whole log.
        SegmentError: the segment that holds it is not what the index says.
    """
    delta = plan_delta(source, warn=warn)
    if not delta.chain:
        return 0
    last: int | None = delta.read(delta.chain[-1:], store).select(pl.col("t").max()).item()
    return delta.chain[-1].last_batch_t if last is None else last


def climb_down(source: LogSource, attempt: Callable[[LogSource], T], *, policy: CachePolicy, warn: Tell) -> T:
    """What an attempt gives with the first cache of the source that can be used, at last without one.

    Raises:
        CacheError: the cache cannot be used, and the policy is strict.
    """
    while True:
        try:
            return attempt(source)
        except CacheError as error:
            source = step_down(source, error, policy=policy, warn=warn)


def step_down(source: LogSource, error: CacheError, *, policy: CachePolicy, warn: Tell) -> LogSource:
    """The source without the cache that failed, told loudly; raises the error itself if the policy is strict."""
    if policy is CachePolicy.STRICT or source.cache is None:
        raise error
    lower = source.without_cache()
    now, before = (len(chain_after(source.segments, after_t=_end(s))) for s in (lower, source))
    way = f"with the earlier cache {lower.cache.log}" if lower.cache else "without the cache"
    begin = f"after t {lower.cache.last_t}" if lower.cache else "from the start"
    warn(f"WARNING: {error}. Going on {way}: {now} segments are read {begin} instead of {before}")
    return lower


def _end(source: LogSource) -> int:
    return source.cache.last_t if source.cache else 0


def read_log(source: LogSource, store: ObjectStore, *, policy: CachePolicy, warn: Tell) -> pl.DataFrame:
    """Every datom with t <= until_t, in log order; columns of LOG_SCHEMA.

    Raises:
        ChainError: a gap or an overlap in the index, or an instance that it does not know.
        SegmentError: a segment is not what the index says.
        CacheError: the cache cannot be used, and the policy is strict.
    """
    return climb_down(source, lambda s: pl.concat(list(_parts(s, store, warn))), policy=policy, warn=warn)


def _parts(source: LogSource, store: ObjectStore, warn: Tell) -> Iterator[pl.DataFrame]:
    if source.cache is not None:
        check_index(source.instance, source.segments, source.cache)
        cached = read_cached_log(source.instance, source.cache, store)
        yield cached if source.until_t is None else cached.filter(pl.col("t") <= source.until_t)
    delta = plan_delta(source, warn=warn)
    yield delta.read(delta.chain, store)


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
