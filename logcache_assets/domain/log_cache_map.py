"""The log cache map: which Parquet LogOp uses up to which t; the file is `log_cache_map.json`.

Git is the registry, so the file has one canonical form (sorted keys, two spaces, final newline): equal maps are equal
bytes, and a refresh changes exactly the lines of its own entries (C15, C16).
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated

import msgspec

from logcache_assets.domain.canonical_json import canonical_json, sha256_of
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.json_text import JsonError, NotJsonError, UnfitJsonError, decode_json, plain_json
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.problems import Problem, coded
from logcache_assets.errors import BadInput

MAP_PATH = "log_cache_map.json"
"""Where the map lies in the itaipu repository."""

PositiveT = Annotated[int, msgspec.Meta(gt=0, lt=2**63 - 1)]
Uuid = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
S3Uri = Annotated[str, msgspec.Meta(pattern=r"^s3://[^/]+/.+\Z")]
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


LogCacheMap = Mapping[str, Mapping[str, MapEntry]]
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
                msgspec.convert(entry, MapEntry)
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


def entry_of(entries: LogCacheMap, instance: Instance) -> MapEntry | None:
    """The entry of an instance, if it has one."""
    return entries.get(instance.prototype, {}).get(instance.database)


def is_active(instance: Instance, entries: LogCacheMap, transaction: str) -> bool:
    """True if an instance's entry points to the cached log of this nightly transaction."""
    entry = entry_of(entries, instance)
    return entry is not None and entry.transaction == transaction


def instances_of(entries: LogCacheMap) -> Iterator[tuple[Instance, MapEntry]]:
    """Every instance of a map with its entry, ascending by prototype and database."""
    for prototype, databases in sorted(entries.items()):
        for database, entry in sorted(databases.items()):
            yield Instance(database=database, prototype=prototype), entry


def changed_instances(one: LogCacheMap, other: LogCacheMap) -> tuple[Instance, ...]:
    """The instances whose entries differ between two maps, or that only one of them has; ascending."""
    both = {instance for entries in (one, other) for instance, _ in instances_of(entries)}
    return tuple(sorted(instance for instance in both if entry_of(one, instance) != entry_of(other, instance)))


def with_entries(base: LogCacheMap, changed: Mapping[Instance, MapEntry]) -> LogCacheMap:
    """Return the base map with these entries added or replaced; all others stay the same objects."""
    merged = {prototype: dict(databases) for prototype, databases in base.items()}
    for instance, entry in changed.items():
        merged.setdefault(instance.prototype, {})[instance.database] = entry
    return merged
