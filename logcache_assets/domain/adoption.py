"""Adoption: an entry that was written by hand becomes one that is proven, and no pointer moves.

Nobody knows when the segments of such a cache were read. But where its log equals the segments as the index names them
now, range by range, it could have been read at the newest of their extractions: it holds nothing that an extraction
until then has removed. That instant becomes `source_read_at`; whatever is extracted later makes the cache stale (C7).
It follows from the index alone, so adopting the same files again gives the same manifest.
"""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.clocks import SKEW
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import CacheFolder, folder_of
from logcache_assets.domain.log_cache_map import AnyEntry, MapEntry, UnprovenEntry
from logcache_assets.domain.log_documents import Manifest, RawLogs
from logcache_assets.domain.log_ranges import SegmentRange, find_uncompared, prove_ranges, was_compared_with
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.segments import Segment, find_chain_faults, newest_t
from logcache_assets.domain.soundness import find_export_problems, find_segment_problems
from logcache_assets.domain.unproven import find_unproven

ADOPT = "prove it with `logcache adopt`, or replace it by a refresh"


def unproven_problem(instance: Instance, entry: UnprovenEntry) -> Problem:
    """What is told of an entry that names no manifest."""
    found = f"its entry names no manifest, so nothing proves what lies at {entry.log}; the segments are read instead"
    return Problem(code="C14", subjects=(instance.name,), found=(found,), remedy=ADOPT)


def refresh_instead(instance: Instance) -> str:
    """What to do about a cache that cannot be adopted."""
    return f"replace it: logcache refresh --databases {instance.database}"


def place_of(entry: UnprovenEntry) -> CacheFolder:
    """The folder of an entry, its URI as S3's clients write it."""
    return folder_of(_plain_uri(entry.log))


def _plain_uri(uri: str) -> str:
    return "s3://" + uri.partition("://")[2].rstrip("/")


def is_same_place(entry: MapEntry, former: AnyEntry | None) -> bool:
    """True if an entry points to what an unproven one pointed to, up to the same t."""
    if not isinstance(former, UnprovenEntry):
        return False
    pointers = (_plain_uri(former.log), _plain_uri(former.materialized_entities))
    return (entry.last_t, entry.log, entry.materialized_entities) == (former.last_t, *pointers)


def find_place_problems(instance: Instance, entry: UnprovenEntry, *, caches: str) -> Iterator[Problem]:
    """Why no manifest can lie beside these files: a manifest has one place, which follows from the entry's paths.

    Args:
        instance: of the entry.
        entry: written by hand.
        caches: prefix of every cached log; nothing is ever written elsewhere.
    """
    folder = place_of(entry)
    wanted = (folder.log, folder.materialized_entities)
    if (_plain_uri(entry.log), _plain_uri(entry.materialized_entities)) == wanted and folder.uri.startswith(caches):
        return
    found = (
        f"the entry points to {entry.log} and {entry.materialized_entities}, not to `log` and `materialized-entities` "
        f"of one folder below {caches}, where alone a manifest is looked for"
    )
    yield Problem(code="C14", subjects=(instance.name,), found=(found,), remedy=refresh_instead(instance))


def find_index_problems(instance: Instance, entry: UnprovenEntry, segments: Sequence[Segment]) -> Iterator[Problem]:
    """Why the segments of the index can prove no log up to the entry's last_t (C1 to C4); no file is read for it."""
    if entry.last_t > newest_t(segments):
        found = f"the cache ends at t {entry.last_t}, ahead of the index, which ends at {newest_t(segments)}"
        why = "it belongs to another database or prototype, or the database was created again"
        yield Problem(code="C4", subjects=(instance.name,), found=(found,), why=why, remedy="find out which")
    yield from find_chain_faults(segments, after_t=0)


def find_adoption_problems(
    instance: Instance, entry: UnprovenEntry, logs: RawLogs, *, written_at: datetime
) -> Iterator[Problem]:
    """Why the files of an entry are not proven to be the log up to its last_t, and the facts of that log.

    Args:
        instance: of the entry.
        entry: written by hand.
        logs: both datasets, described and compared with every segment of the index.
        written_at: when the newest of the files was written. What was extracted again after it and differs is deleted
            personal data (C7).
    """
    found = [
        *find_export_problems(logs, None),
        *find_unproven(logs, source_read_at=written_at, equality_proves=True),
    ]
    if logs.log.rows and logs.log.last_t != entry.last_t:
        wrong = f"the map says last_t {entry.last_t}, the data ends at {logs.log.last_t}"
        found.append(Problem(code="C5", subjects=(instance.name,), found=(wrong,)))
    for problem in found:
        yield problem if problem.code == "C2" else replace(problem, remedy=refresh_instead(instance))


def read_instant(ranges: Sequence[SegmentRange]) -> datetime:
    """The newest extraction among the segments that a log was found to equal."""
    return datetime.fromtimestamp(max(r.timestamp_ms for r in ranges) / 1000, UTC)


def adopted_manifest(entry: UnprovenEntry, logs: RawLogs) -> Manifest:
    """The manifest of proven files; their checksums are those of `logs`."""
    origin = f"adopted/{logs.instance}/{logs.log.uri}/{logs.log.last_t}/{logs.log.fingerprint}"
    return Manifest(
        instance=logs.instance,
        last_t=entry.last_t,
        transaction=str(uuid.uuid5(uuid.NAMESPACE_URL, origin)),
        source_read_at=read_instant(logs.ranges),
        log=logs.log,
        materialized_entities=logs.materialized_entities,
        ranges=prove_ranges(logs.ranges),
        origin="adopted",
    )


def entry_of_manifest(manifest: Manifest, *, manifest_sha256: str) -> MapEntry:
    """The map entry of the cached log that a manifest describes."""
    return MapEntry(
        last_t=manifest.last_t,
        log=manifest.log.uri,
        materialized_entities=manifest.materialized_entities.uri,
        transaction=manifest.transaction,
        source_read_at=manifest.source_read_at,
        manifest_sha256=manifest_sha256,
    )


def find_outdated_proof(
    instance: Instance, entry: MapEntry, manifest: Manifest, segments: Sequence[Segment], *, now: datetime
) -> Iterator[Problem]:
    """Why the comparison that a manifest records does not prove its log by today's index (C2, C7, C31)."""
    yield from find_segment_problems(instance, segments, entry)
    subjects, remedy = (instance.name,), refresh_instead(instance)
    if gaps := list(find_uncompared(manifest.ranges, last_t=manifest.last_t)):
        found = f"its manifest compared the log with no segment in t ({gaps[0][0]}, {gaps[0][1]}]"
        yield Problem(code="C31", subjects=subjects, found=(found,), remedy=remedy)
    if not was_compared_with(manifest.ranges, segments, last_t=manifest.last_t):
        found = "the index names other segments than those that its manifest compared the log with"
        why = "deleted personal data could go unseen"
        yield Problem(code="C7", subjects=subjects, found=(found,), why=why, remedy=remedy)
    if entry.source_read_at - now > SKEW:
        found = f"a segment was extracted at {utc_text(entry.source_read_at)}, and now is {utc_text(now)}"
        why = "deleted personal data could go unseen"
        yield Problem(code="C7", subjects=subjects, found=(found,), why=why, remedy="find out whose clock is wrong")
