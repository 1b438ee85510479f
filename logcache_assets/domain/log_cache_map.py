"""The log cache map: which Parquet LogOp uses up to which t; the file is `log_cache_map.json`.

Git is the registry, so the file has one canonical form (sorted keys, two spaces, final newline): equal maps are equal
bytes, and a refresh changes exactly the lines of its own entries (C15, C16). handwritten_map.py reads the older form,
whose entries name no manifest.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated

import msgspec

from logcache_assets.domain.canonical_json import canonical_json, sha256_of
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.json_text import JsonError, NotJsonError, UnfitJsonError, decode_json, plain_json
from logcache_assets.domain.known_kinds import converted
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.problems import Problem, coded
from logcache_assets.errors import BadInput

MAP_PATH = "log_cache_map.json"
"""Where the map lies in the itaipu repository."""

PositiveT = Annotated[int, msgspec.Meta(gt=0, lt=2**63 - 1)]
Uuid = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
S3Uri = Annotated[str, msgspec.Meta(pattern=r"^s3://[^/]+/.+\Z")]
SparkUri = Annotated[str, msgspec.Meta(pattern=r"^s3[an]?://[^/]+/.+\Z")]
"""As Spark's users write it."""
UtcInstant = Annotated[datetime, msgspec.Meta(tz=True)]


class MapEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the map: what LogOp needs to know about a cached log."""

    last_t: PositiveT
    """The cached log holds every datom with t <= last_t."""
    log: S3Uri
    materialized_entities: S3Uri
    transaction: Uuid
    """The metapod transaction whose raw datasets were copied."""
    source_read_at: UtcInstant
    """Start of that transaction, which is when its segments were read."""
    manifest_sha256: Sha256
    """Digest of the manifest that proves the copy."""


class UnprovenEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An entry of a map that was written by hand: it names no manifest, so nothing proves what lies there.

    LogOp reads the segments in its place. A refresh replaces it, `logcache adopt` proves it.
    """

    last_t: PositiveT
    log: SparkUri
    materialized_entities: SparkUri
    transaction: str | None = None
    """What somebody wrote down; it proves nothing, and neither does the next field."""
    source_read_at: str | None = None


AnyEntry = MapEntry | UnprovenEntry
LogCacheMap = Mapping[str, Mapping[str, AnyEntry]]
"""Prototype → database → entry."""


def parse_map(text: str, *, where: str) -> LogCacheMap:
    """Parse a map; any other text, and any other form of it, is refused.

    Args:
        text: the file.
        where: what to call it in an error, for example `log_cache_map.json on main`.

    Raises:
        BadInput: the text is not JSON or not in canonical form, a key is unknown or missing, or a last_t is not a
            positive integer.
    """
    try:
        parsed = decode_json(text, dict[str, dict[str, MapEntry]])
    except UnfitJsonError as error:
        raise BadInput(f"{where}: {_explain(str(error), text)}; correct that value and commit") from error
    except NotJsonError as error:
        found = f"{where} is not JSON: {error}"
        raise BadInput(str(Problem(code="C15", found=(found,), remedy="correct it and commit"))) from error
    if render_map(parsed) != text:
        problem = Problem(
            code="C15",
            found=(f"{where} is not in canonical form (sorted keys, two spaces, final newline, instants as …Z)",),
            why="a refresh would touch other entries' bytes",
            remedy="write it again canonically and commit",
        )
        raise BadInput(str(problem))
    return parsed


def _explain(message: str, text: str) -> str:
    """Name the entry that is wrong, because msgspec's message names neither prototype nor database."""
    try:
        plain = plain_json(text)
    except JsonError:
        return coded(message, "C15")
    for prototype, databases in plain.items() if isinstance(plain, dict) else ():
        for database, entry in databases.items() if isinstance(databases, dict) else ():
            try:
                converted(entry, MapEntry)
            except msgspec.ValidationError as error:
                found = entry.get("last_t") if isinstance(entry, dict) and "last_t" in str(error) else None
                shown = f", found {json.dumps(found)[:60]}" if isinstance(found, str | int | float) else ""
                place = f"entry {shortened(prototype, 60)} / {shortened(database, 60)}"
                return coded(f"{place}: {shortened(str(error))}{shown}", "C15")
    return coded(message, "C15")


def render_map(entries: LogCacheMap) -> str:
    """The canonical text of a map."""
    return canonical_json(entries)


def map_digest(text: str) -> str:
    """SHA-256 of a map's bytes: what a verdict is bound to."""
    return sha256_of(text)


def any_entry_of(entries: LogCacheMap, instance: Instance) -> AnyEntry | None:
    """The entry of an instance, if it has one, whether it names a manifest or not."""
    return entries.get(instance.prototype, {}).get(instance.database)


def entry_of(entries: LogCacheMap, instance: Instance) -> MapEntry | None:
    """The entry of an instance, if it has one that names a manifest; only such a cache is ever read."""
    found = any_entry_of(entries, instance)
    return found if isinstance(found, MapEntry) else None


def is_active(instance: Instance, entries: LogCacheMap, transaction: str) -> bool:
    """True if an instance's entry points to the cached log of this nightly transaction."""
    entry = entry_of(entries, instance)
    return entry is not None and entry.transaction == transaction


def all_instances_of(entries: LogCacheMap) -> Iterator[tuple[Instance, AnyEntry]]:
    """Every instance of a map with its entry, ascending by prototype and database."""
    for prototype, databases in sorted(entries.items()):
        for database in sorted(databases):
            yield Instance(database=database, prototype=prototype), databases[database]


def instances_of(entries: LogCacheMap) -> Iterator[tuple[Instance, MapEntry]]:
    """Every instance whose entry names a manifest, in the order of all_instances_of."""
    return ((instance, entry) for instance, entry in all_instances_of(entries) if isinstance(entry, MapEntry))


def unproven_of(entries: LogCacheMap) -> dict[Instance, UnprovenEntry]:
    """Every instance whose entry names no manifest, in the order of all_instances_of."""
    return {instance: entry for instance, entry in all_instances_of(entries) if isinstance(entry, UnprovenEntry)}


def changed_instances(one: LogCacheMap, other: LogCacheMap) -> tuple[Instance, ...]:
    """The instances whose entries differ between two maps, or that only one of them has; ascending."""
    both = {instance for entries in (one, other) for instance, _ in all_instances_of(entries)}
    return tuple(sorted(i for i in both if any_entry_of(one, i) != any_entry_of(other, i)))


def with_entries(base: LogCacheMap, changed: Mapping[Instance, AnyEntry]) -> LogCacheMap:
    """Return the base map with these entries added or replaced; all others stay the same objects."""
    merged = {prototype: dict(databases) for prototype, databases in base.items()}
    for instance, entry in changed.items():
        merged.setdefault(instance.prototype, {})[instance.database] = entry
    return merged
