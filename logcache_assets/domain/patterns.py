"""Patterns: groups of rows that differ in the same way, so that a reader sees their common cause."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from logcache_assets.domain.figures import FAULTS, Pattern
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.wording import count_of

EXAMPLES = 3
NAMED_SEGMENTS = 3
"""How many segments of a pattern are named."""


def merge_patterns(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    """Unite patterns of one kind; faults first, then those with the most rows."""
    merged: dict[tuple[object, ...], Pattern] = {}
    for pattern in patterns:
        key = (pattern.reason, pattern.change, pattern.prototype, pattern.columns)
        before = merged.get(key)
        merged[key] = _united(before, pattern) if before else pattern
    return tuple(sorted(merged.values(), key=_weight))


def _weight(pattern: Pattern) -> tuple[object, ...]:
    rest = (pattern.prototype, pattern.reason, pattern.change, pattern.columns)
    return pattern.reason not in FAULTS, -pattern.rows, *rest


def _united(one: Pattern, other: Pattern) -> Pattern:
    ts = [t for t in (one.first_t, one.last_t, other.first_t, other.last_t) if t is not None]
    return msgspec.structs.replace(
        one,
        rows=one.rows + other.rows,
        first_t=min(ts, default=None),
        last_t=max(ts, default=None),
        examples=tuple(dict.fromkeys((*one.examples, *other.examples)))[:EXAMPLES],
    )


def with_segments(pattern: Pattern, segments: Sequence[Segment], *, ts: Collection[int] | None = None) -> Pattern:
    """The pattern with the names of the segments that hold its t.

    Args:
        pattern: of one prototype.
        segments: of that instance.
        ts: the t of all its rows; without them every segment from its first to its last t is named.
    """
    if pattern.first_t is None or pattern.last_t is None:
        return pattern
    first, last = pattern.first_t, pattern.last_t
    between = (s for s in segments if s.last_t >= first and s.last_batch_t < last)
    held = sorted(between if ts is None else _holding(between, ts), key=lambda s: s.last_t)
    names = tuple(segment.path.rpartition("/")[2] for segment in held[:NAMED_SEGMENTS])
    return msgspec.structs.replace(pattern, segments=names, segment_count=len(held))


def _holding(segments: Iterable[Segment], ts: Collection[int]) -> Iterator[Segment]:
    ordered = sorted(ts)
    for segment in segments:
        after = bisect_right(ordered, segment.last_batch_t)
        if after < len(ordered) and ordered[after] <= segment.last_t:
            yield segment


def describe_patterns(patterns: Sequence[Pattern], *, total: int, place: str = "", known: Collection[str] = ()) -> str:
    """The likely cause in one clause: what the rows of one reason have in common.

    Args:
        patterns: of that reason, the largest first.
        total: rows of that reason.
        place: in front of the prototypes, `feed-` for the names of instances.
        known: every prototype that has rows, as far as the caller knows; if the patterns are on all of them, the clause
            says so instead of naming each.
    """
    first = patterns[0]
    shown = sum(pattern.rows for pattern in patterns)
    rows = count_of(total, f"{first.reason} row")
    count = f"the {rows} is" if total == 1 else f"{'all' if shown >= total else f'{shown:,} of'} {rows} are"
    of = " with wrong " if first.change == "row added" else " in "
    columns = f"{of}{', '.join(first.columns[:3])}" if first.columns else ""
    mostly = "" if len({(p.change, p.columns) for p in patterns}) == 1 else "mostly "
    where = _places({pattern.prototype for pattern in patterns}, place, known)
    return f"{count} on {where} ({mostly}{first.change}{columns}){_place_in_log(patterns)}"


def _places(prototypes: Collection[str], place: str, known: Collection[str]) -> str:
    """List the prototypes, or say `all prototypes` if these are all that are known; a single one is always named."""
    if len(prototypes) > 1 and set(known) <= set(prototypes) and known:
        return f"all prototypes of {place.removesuffix('-')}" if place else "all prototypes"
    return ", ".join(sorted(place + prototype for prototype in prototypes))


def _place_in_log(patterns: Sequence[Pattern]) -> str:
    """Name the range of t, and the segment if it is a single one; empty if a t is unknown or the logs are several."""
    spans = [(p.first_t, p.last_t) for p in patterns if p.first_t is not None and p.last_t is not None]
    if len(spans) < len(patterns) or len({p.prototype for p in patterns}) > 1:
        return ""
    first, last = min(a for a, _ in spans), max(b for _, b in spans)
    at = f", at t {first:,}" if first == last else f", in t {first:,}-{last:,}"
    names = {name for pattern in patterns for name in pattern.segments}
    if len(names) == 1 and all(pattern.segment_count == 1 for pattern in patterns):
        return f"{at}: one segment, {names.pop()}"
    return f"{at}, {patterns[0].segment_count:,} segments" if len(patterns) == 1 and patterns[0].segment_count else at
