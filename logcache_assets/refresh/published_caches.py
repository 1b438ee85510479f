"""Describes the published caches from metadata alone: map, index, manifests, sizes of objects, pull requests."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from logcache_assets.domain.documents import Publication
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.log_cache_map import MAP_PATH, AnyEntry, LogCacheMap, MapEntry
from logcache_assets.domain.published_caches import BeyondCache, PublishedCache, PublishedInstance, by_database
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.engine.log.proven_files import load_manifest
from logcache_assets.errors import BadInput, WrongData
from logcache_assets.ports import (
    FileVersion,
    ItaipuRepository,
    ObjectNotFoundError,
    ObjectStore,
    PathNotFoundError,
    SegmentIndex,
)
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import BaseMap, read_map
from logcache_assets.settings import Settings

SEARCHED = 20
"""How many of the map's newest versions are read to find the commit that brought an entry."""
SIZED = 20
"""Of how many segments of an instance the sizes are asked; the newest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheDescriber:
    """Describes what is published."""

    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository
    settings: Settings

    def describe(self, base: BaseMap, databases: Collection[str]) -> tuple[PublishedCache, ...]:
        """The published caches of these databases, in their order."""
        published = by_database(base.entries)
        entries = {database: published.get(database, {}) for database in databases}
        flat = {instance: entry for own in entries.values() for instance, entry in own.items()}
        beyond = ask_each(flat, lambda instance: self._beyond(instance, flat[instance]))
        commits = find_commits(self.repository, base, databases)
        return tuple(
            PublishedCache(
                database=database,
                instances=tuple(
                    PublishedInstance(instance=instance, entry=entry, beyond=beyond[instance])
                    for instance, entry in own.items()
                ),
                sha=commits[database].sha if database in commits else base.sha,
                committed_at=commits[database].committed_at if database in commits else None,
                pull_request=self._find_pull_request(database, tuple(own.values())),
            )
            for database, own in entries.items()
        )

    def _beyond(self, instance: Instance, entry: AnyEntry) -> BeyondCache:
        segments = self.segment_index.segments(instance, after_t=entry.last_t)
        return BeyondCache(
            segments=len(segments),
            size_bytes=self._size_bytes(segments),
            datoms=self._estimate_datoms(entry, len(segments)),
            newest_t=segments[-1].last_t if segments else entry.last_t,
            newest_at=max((segment.extracted_at for segment in segments), default=None),
        )

    def _size_bytes(self, segments: Sequence[Segment]) -> int:
        asked = segments[-SIZED:]
        if not asked:
            return 0
        with ThreadPoolExecutor(min(SIZED, len(asked))) as pool:
            sizes = list(pool.map(self._size_of, asked))
        return sum(sizes) * len(segments) // len(asked)

    def _size_of(self, segment: Segment) -> int:
        """The size of a segment's file; a file that is gone has none, and is the business of the night's choice."""
        try:
            return self.store.head(segment.path).size_bytes
        except ObjectNotFoundError:
            return 0

    def _estimate_datoms(self, entry: AnyEntry, segments: int) -> int | None:
        """So many segments' datoms, if they are as large as those of the cached log."""
        if not isinstance(entry, MapEntry):
            return None
        with suppress(WrongData):
            manifest, _ = load_manifest(entry, self.store)
            if manifest.ranges:
                return manifest.log.rows * segments // len(manifest.ranges)
        return None

    def _find_pull_request(self, database: str, entries: Sequence[AnyEntry]) -> str | None:
        """The merged pull request of a refresh from the night that wrote these entries."""
        nights = sorted({entry.transaction for entry in entries if isinstance(entry, MapEntry)})
        locations, documents = self.settings.locations, Documents(self.store)
        for night in nights:
            for uri in self.store.list_uris(f"{locations.refresh(transaction=night)}{Stage.PULL_REQUEST}/"):
                with suppress(WrongData):
                    found = documents.read(uri, Publication)
                    shown = self.repository.pull_request(found.number)
                    if shown.state == "merged" and self._brings(found, database):
                        return shown.url
        return None

    def _brings(self, published: Publication, database: str) -> bool:
        """True if a pull request changed entries of a database."""
        after = read_map(self.repository, ref=published.candidate_sha)
        before = read_map(self.repository, ref=published.base_sha)
        return by_database(after).get(database) != by_database(before).get(database)


def find_commits(repository: ItaipuRepository, base: BaseMap, databases: Collection[str]) -> dict[str, FileVersion]:
    """Database → the commit that brought its present entries, as git dates it.

    Databases whose commit is older than the versions that are searched are left out.
    """
    versions = repository.versions(MAP_PATH, ref=base.sha)
    published = by_database(base.entries)
    found: dict[str, FileVersion] = {}
    left = dict.fromkeys(databases)
    for newer, older in pairwise(versions[: SEARCHED + 1]):
        former = by_database(_map_at(repository, older.sha))
        moved = [name for name in left if published.get(name) != former.get(name)]
        found.update(dict.fromkeys(moved, newer))
        left = dict.fromkeys(name for name in left if name not in moved)
        if not left:
            return found
    first = versions[-1:] if len(versions) <= SEARCHED else ()
    return found | {name: version for version in first for name in left}


def _map_at(repository: ItaipuRepository, sha: str) -> LogCacheMap:
    """The map of a former commit; a malformed or missing one has no entries."""
    try:
        return read_map(repository, ref=sha)
    except (BadInput, PathNotFoundError):
        return {}
