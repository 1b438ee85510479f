"""Finds problems in exported logs, in the base map and in a candidate, before anything is published.

Every function yields the problems it finds, and nothing for a sound input.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.clocks import SKEW
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import AnyEntry, LogCacheMap, MapEntry
from logcache_assets.domain.log_documents import Manifest, RawLogs
from logcache_assets.domain.log_ranges import SegmentRange
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.segments import Extraction, Segment, find_chain_faults, find_stale_segments, newest_t
from logcache_assets.domain.wording import count_of

LOG_COLUMNS: Mapping[str, str] = {
    "e": "int64",
    "a": "int64",
    "v": "string",
    "t": "int64",
    "tx": "int64",
    "added": "bool",
    "tx_instant": "timestamp[ms, tz=UTC]",
}
"""Columns of a segment and of a cached log (C17)."""

FACTS_COLUMNS: Mapping[str, str] = {
    "e": "int64",
    "a": "int64",
    "v": "string",
    "n": "int64",
    "t_from": "int64",
    "t_to": "int64",
}
"""Columns of materialized entities (C17)."""

OTHER_NIGHT = "wait for the next nightly run, or name another transaction with --transaction"
REFRESH_AGAIN = "revert the entry to a sound cached log, or refresh it"
CORRECT_ENTRY = "write what its manifest says into the entry in log_cache_map.json, by a pull request"


def find_export_problems(logs: RawLogs, active: AnyEntry | None) -> Iterator[Problem]:
    """Why the raw logs of an instance must not become its cached log (C5, C6, C17, C19).

    Args:
        logs: both raw datasets, as the notebook described them.
        active: the instance's entry in the active map; None if it has none.
    """
    yield from _find_column_problems(logs)
    log, entities = logs.log, logs.materialized_entities
    if not log.rows:
        yield Problem(subjects=(logs.instance,), found=("the exported log is empty",), remedy=OTHER_NIGHT)
    if logs.duplicate_datoms:
        found = f"{logs.duplicate_datoms} datoms of the log are duplicates"
        yield Problem(code="C19", subjects=(logs.instance,), found=(found,), remedy=OTHER_NIGHT)
    if log.last_t != entities.last_t:
        found = f"the log ends at t {log.last_t}, the materialized entities at {entities.last_t}"
        yield Problem(code="C5", subjects=(logs.instance,), found=(found,), remedy=OTHER_NIGHT)
    if active and log.last_t < active.last_t:
        found = f"the log ends at t {log.last_t}, behind the active cache's {active.last_t}"
        yield Problem(code="C6", subjects=(logs.instance,), found=(found,), remedy=OTHER_NIGHT)


def _find_column_problems(logs: RawLogs) -> Iterator[Problem]:
    log, entities = logs.log.columns, logs.materialized_entities.columns
    if log != LOG_COLUMNS:
        found = f"LogOp cannot read columns {log}, it reads {dict(LOG_COLUMNS)}"
        yield Problem(code="C17", subjects=(logs.instance,), found=(found,), remedy=OTHER_NIGHT)
    if entities != FACTS_COLUMNS:
        found = f"materialized entities have columns {entities}, not {dict(FACTS_COLUMNS)}"
        yield Problem(code="C17", subjects=(logs.instance,), found=(found,), remedy=OTHER_NIGHT)


def find_segment_problems(instance: Instance, segments: Sequence[Segment], entry: MapEntry) -> Iterator[Problem]:
    """Why LogOp could not continue this entry with the segments of the index (C1 to C4, C7)."""
    stale = find_stale_segments(segments, cached_until_t=entry.last_t, source_read_at=entry.source_read_at)
    if stale:
        yield stale_problem(instance.name, stale)
    yield from find_continuation_problems(instance, segments, entry, indexed_t=newest_t(segments))


def find_continuation_problems(
    instance: Instance, segments: Sequence[Segment], entry: MapEntry, *, indexed_t: int
) -> Iterator[Problem]:
    """Why the segments with t beyond an entry's last_t do not continue its log (C1 to C4).

    Args:
        instance: of the entry.
        segments: those beyond, or more.
        entry: of the map.
        indexed_t: the greatest last_t of the whole index.
    """
    if entry.last_t > indexed_t:
        yield Problem(
            code="C4",
            subjects=(instance.name,),
            found=(f"the cache ends at t {entry.last_t}, ahead of the index, which ends at {indexed_t}",),
            why="it belongs to another database or prototype, or the database was created again",
            remedy="find out which; never merge it",
        )
    yield from find_chain_faults(segments, after_t=entry.last_t)


def stale_problem(instance: str, stale: Sequence[Segment | SegmentRange | Extraction]) -> Problem:
    """The refusal of a log that was read before some of its segments were extracted again (C7)."""
    first, were = stale[0], "was" if len(stale) == 1 else "were"
    found = (
        f"{count_of(len(stale), 'segment')} with t that the cache holds {were} extracted again after the cache was "
        f"read, first t in ({first.last_batch_t}, {first.last_t}]"
    )
    return Problem(
        code="C7",
        subjects=(instance,),
        found=(found,),
        why="it may still hold deleted personal data",
        remedy="refresh from a nightly run that started later",
    )


def is_remedied_by_refresh(problem: Problem) -> bool:
    """True for damage of a cached log, which another one replaces; a map edited by hand is corrected by hand."""
    return problem.remedy != CORRECT_ENTRY


def find_blind_reading(instance: Instance, entry: MapEntry, *, written_at: datetime) -> Iterator[Problem]:
    """A cached log that says it was read after its manifest was written: no excision since then would show (C7)."""
    if entry.source_read_at - written_at > SKEW:
        found = (
            f"the map says that its segments were read at {utc_text(entry.source_read_at)}, but its manifest was "
            f"written before that, at {utc_text(written_at)}"
        )
        yield Problem(
            code="C7",
            subjects=(instance.name,),
            found=(found,),
            why="deleted personal data could go unseen",
            remedy="refresh it from a night whose start is right",
        )


def find_pointer_problems(
    instance: Instance, entry: MapEntry, manifest: Manifest, *, manifest_sha256: str
) -> Iterator[Problem]:
    """Why an entry and the manifest it points to do not belong together (C5, C7, C13, C14)."""
    subjects = (instance.name,)
    if manifest_sha256 != entry.manifest_sha256:
        found = (
            f"the manifest {folder_of(entry.log).manifest} is not the one that the map names "
            f"(found {manifest_sha256[:12]}, expected {entry.manifest_sha256[:12]})"
        )
        yield Problem(code="C13", subjects=subjects, found=(found,), remedy=REFRESH_AGAIN)
    if manifest.last_t != entry.last_t:
        found = f"the map says last_t {entry.last_t}, the data ends at {manifest.last_t}"
        yield Problem(code="C5", subjects=subjects, found=(found,), remedy=CORRECT_ENTRY)
    if (manifest.transaction, manifest.source_read_at) != (entry.transaction, entry.source_read_at):
        yield _other_origin(instance, entry, manifest)
    if manifest.instance != instance.name:
        found = f"the entry points to the folder of {manifest.instance}, {entry.log}"
        yield Problem(code="C14", subjects=subjects, found=(found,), remedy=REFRESH_AGAIN)
    described = {manifest.log.uri: entry.log, manifest.materialized_entities.uri: entry.materialized_entities}
    for inside, pointer in described.items():
        if pointer != inside:
            found = f"the entry points to {pointer}, the manifest beside it describes {inside}"
            yield Problem(code="C14", subjects=subjects, found=(found,), remedy=REFRESH_AGAIN)


def _other_origin(instance: Instance, entry: MapEntry, manifest: Manifest) -> Problem:
    found = (
        f"the map says transaction {entry.transaction[:8]}, read at {utc_text(entry.source_read_at)}, "
        f"the manifest {manifest.transaction[:8]}, read at {utc_text(manifest.source_read_at)}"
    )
    return Problem(
        code="C7",
        subjects=(instance.name,),
        found=(found,),
        why="deleted personal data could go unseen",
        remedy=CORRECT_ENTRY,
    )


def find_lost_entries(*, base: LogCacheMap, candidate: LogCacheMap, changed: Sequence[Instance]) -> Iterator[Problem]:
    """Entries outside this refresh that the candidate would change (C16)."""
    for prototype in sorted(base.keys() | candidate.keys()):
        before, after = base.get(prototype, {}), candidate.get(prototype, {})
        for database in sorted(before.keys() | after.keys()):
            instance = Instance(database=database, prototype=prototype)
            if instance not in changed and before.get(database) != after.get(database):
                yield Problem(
                    code="C16",
                    subjects=(instance.name,),
                    found=("its entry would change, and it is not part of this refresh",),
                    remedy="refresh again, so that the candidate is built on the base branch as it is now",
                )
