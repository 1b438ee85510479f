"""The published caches: what the base branch's map points to, database by database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from logcache_assets.domain.canonical_json import canonical_json, sha256_of
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import AnyEntry, LogCacheMap, all_instances_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BeyondCache:
    """What the log of an instance holds beyond its cached log: what every run reads beside the cache."""

    segments: int
    size_bytes: int
    """Of those segments; of more than a few, scaled from the newest."""
    datoms: int | None
    """An estimate from the datoms of the segments that the cache holds; None if it has no manifest that tells."""
    newest_t: int
    newest_at: datetime | None
    """When the newest segment was extracted; None if there is no segment beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedInstance:
    """The published cache of one instance."""

    instance: Instance
    entry: AnyEntry
    beyond: BeyondCache


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCache:
    """The published caches of one database, and how they came to be."""

    database: str
    instances: tuple[PublishedInstance, ...]
    """Those that have an entry; empty if nothing is published."""
    sha: str
    """The commit that brought these entries, or the newest one if it is older than was searched."""
    committed_at: datetime | None
    pull_request: str | None
    """The address of the pull request that brought them; None if no refresh did."""


def by_database(entries: LogCacheMap) -> dict[str, dict[Instance, AnyEntry]]:
    """Database → its entries; both ascending."""
    grouped: dict[str, dict[Instance, AnyEntry]] = {}
    for instance, entry in sorted(all_instances_of(entries), key=itemgetter(0)):
        grouped.setdefault(instance.database, {})[instance] = entry
    return grouped


def digests_of(entries: LogCacheMap) -> Mapping[str, str]:
    """Database → digest of its entries: another digest is another published cache."""
    named = {database: {i.prototype: e for i, e in own.items()} for database, own in by_database(entries).items()}
    return {database: sha256_of(canonical_json(own))[:16] for database, own in named.items()}
