"""Finds what is not proven of an exported log: that it is its segments, and that its entities are its facts (C31).

The contracts are no such proof: they start from the materialized entities, and show only some attributes.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from logcache_assets.domain.log_documents import DifferingAttribute, RawLogs
from logcache_assets.domain.log_ranges import ComparedRange, DatomSum, find_uncompared
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.segments import CHAIN_REMEDY
from logcache_assets.domain.soundness import OTHER_NIGHT, stale_problem
from logcache_assets.domain.wording import count_of

SHOWN = 3
"""How many ranges or attributes a problem names."""

OTHER_LOG = (
    "find out which of both is right: have the segment extracted again, or have Itaipu read the log without its cache"
)
FOLD_AGAIN = f"have Itaipu compute the materialized entities again, or {OTHER_NIGHT}"


def find_unproven(logs: RawLogs, *, source_read_at: datetime, equality_proves: bool = False) -> Iterator[Problem]:
    """Why the raw datasets of an instance are not proven to be its log and the facts of that log (C2, C7, C31).

    Args:
        logs: both raw datasets, as the notebook described them.
        source_read_at: when the night began to read the segments. What was extracted later is no evidence of what the
            night read: it is refused as such.
        equality_proves: a range that equals a segment is proven, also when that was extracted later: the question is
            what the log holds now, not what its writer read.
    """
    read_ms = source_read_at.timestamp() * 1000
    if later := [r for r in logs.ranges if r.timestamp_ms > read_ms and not (equality_proves and r.equal)]:
        yield stale_problem(logs.instance, later)
    if differing := [r for r in logs.ranges if not r.equal and r.timestamp_ms <= read_ms]:
        yield _refusal(logs, [f"the log is not its segments: {_clause(differing[0])}", *map(_clause, differing[1:])])
    for after_t, until_t in find_uncompared(logs.ranges, last_t=logs.log.last_t):
        found = f"the segment index has a gap, nothing covers t in ({after_t}, {until_t}]"
        yield Problem(code="C2", subjects=(logs.instance,), found=(found,), remedy=CHAIN_REMEDY)
    if logs.outside_datoms:
        yield _refusal(logs, [f"datoms of the log that lie in no segment's range of t: {logs.outside_datoms:,}"])
    if logs.wrong_txes:
        yield _refusal(logs, [f"t of the log whose tx or instant is not that of its datoms: {logs.wrong_txes:,}"])
    yield from _find_other_entities(logs)


def _tell_the_segments(logs: RawLogs) -> bool:
    """Whether the entities are the facts of the segments, so that only the log between them is wrong."""
    of_segments = sum((r.segments for r in logs.ranges), start=DatomSum())
    return bool(logs.ranges) and logs.materialized_entities.fingerprint.endswith(f":{of_segments.hashes}")


def _find_other_entities(logs: RawLogs) -> Iterator[Problem]:
    """Why the materialized entities are not the facts of the log beside them, or not laid out for their readers."""
    if clauses := [] if _tell_the_segments(logs) else _other_facts(logs):
        clauses[0] = f"the materialized entities are not the facts of the log: {clauses[0]}"
        yield _refusal(logs, clauses, FOLD_AGAIN)
    if logs.misplaced_facts:
        found = f"facts of the materialized entities that lie where no reader looks for them: {logs.misplaced_facts:,}"
        yield Problem(code="C17", subjects=(logs.instance,), found=(found,), remedy=FOLD_AGAIN)
    if logs.wrong_integers:
        found = f"facts of the materialized entities whose number is not that of their text: {logs.wrong_integers:,}"
        yield _refusal(logs, [found], FOLD_AGAIN)


def _other_facts(logs: RawLogs) -> list[str]:
    if logs.differing_attributes:
        return [*map(_attribute_clause, logs.differing_attributes)]
    return [] if logs.log.fingerprint == logs.materialized_entities.fingerprint else ["their sums differ"]


def _refusal(logs: RawLogs, clauses: Sequence[str], remedy: str = OTHER_LOG) -> Problem:
    more = [f"and {len(clauses) - SHOWN} more"] if len(clauses) > SHOWN else []
    return Problem(code="C31", subjects=(logs.instance,), found=(*clauses[:SHOWN], *more), remedy=remedy)


def _clause(differing: ComparedRange) -> str:
    place = f"in t ({differing.last_batch_t}, {differing.last_t}], of segment {differing.segment}"
    return f"{place}, {_counts(differing.missing, differing.extra, differing)}"


def _counts(missing: int, extra: int, differing: ComparedRange | None = None) -> str:
    """How many datoms are missing and extra; where they were not counted, how many there are on each side."""
    counts = [(missing, "missing"), (extra, "extra")]
    shown = [
        f"{count_of(number, 'datom')} {'is' if number == 1 else 'are'} {what}" for number, what in counts if number
    ]
    if shown or differing is None:
        return " and ".join(shown)
    return f"the log has {differing.log.datoms} datoms, the segment {differing.segments.datoms}, and they differ"


def _attribute_clause(differing: DifferingAttribute) -> str:
    return f"of attribute {differing.attribute}, {_counts(differing.missing, differing.extra)}"
