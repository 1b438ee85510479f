"""Inspects a log cache map: the files that its entries point to, and the segments that would continue their logs.

Every inspection reads files and index again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from logcache_assets.domain.documents import Candidate
from logcache_assets.domain.handwritten_map import parse_any_map
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import (
    MAP_PATH,
    LogCacheMap,
    MapEntry,
    any_entry_of,
    entry_of,
)
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.soundness import (
    REFRESH_AGAIN,
    find_blind_reading,
    find_lost_entries,
    find_pointer_problems,
    find_segment_problems,
)
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.engine.log.proven_files import load_manifest
from logcache_assets.errors import Refused, WrongData
from logcache_assets.ports import ItaipuRepository, SegmentIndex
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.file_proofs import find_damage


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseMap:
    """The active map and the commit that holds it."""

    sha: str
    text: str
    entries: LogCacheMap


def read_base_map(repository: ItaipuRepository) -> BaseMap:
    """The map on the base branch.

    Raises:
        Refused: the repository has no base branch.
        BadInput: the map is malformed.
    """
    sha = repository.head(repository.base_branch)
    if sha is None:
        raise Refused(
            f"the itaipu repository has no branch {repository.base_branch}; check which repository is configured"
        )
    text = repository.read(MAP_PATH, ref=sha)
    return BaseMap(sha=sha, text=text, entries=parse_any_map(text, where=f"{MAP_PATH} on {repository.base_branch}"))


def read_map(repository: ItaipuRepository, *, ref: str, place: str | None = None) -> LogCacheMap:
    """The map at a branch or commit; raises PathNotFoundError, and BadInput if the map is malformed.

    Args:
        repository: of Itaipu.
        ref: branch or commit.
        place: where that is, for errors, for example `on main`; default: `at <ref>`.
    """
    return parse_any_map(repository.read(MAP_PATH, ref=ref), where=f"{MAP_PATH} {place or f'at {ref}'}")


@dataclass(frozen=True, slots=True)
class Inspector:
    """Inspects maps with the object store and the segment index."""

    documents: Documents
    segment_index: SegmentIndex

    def find_problems(
        self, entries: LogCacheMap, *, changed: Sequence[Instance], base: LogCacheMap
    ) -> Iterator[Problem]:
        """Reasons not to publish a map.

        Args:
            entries: the map.
            changed: the instances of the refresh. Only their pointers are followed and their segments checked, and
                only their entries may differ from the base map's. Damage of another entry is there already.
            base: the map that it would replace.
        """
        yield from find_lost_entries(base=base, candidate=entries, changed=changed)
        kept = {instance: entry for instance in changed if (entry := entry_of(entries, instance)) is not None}
        yield from self.find_problems_of_pointers(kept)
        yield from self.find_problems_of_segments(kept)

    def find_problems_of_pointers(self, entries: Mapping[Instance, MapEntry]) -> Iterator[Problem]:
        """`find_pointer_problems` of several entries, in their order."""
        found = ask_each(entries, lambda instance: tuple(self.find_pointer_problems(instance, entries[instance])))
        yield from chain.from_iterable(found.values())

    def find_problems_of_segments(self, entries: Mapping[Instance, MapEntry]) -> Iterator[Problem]:
        """Problems of the segments that would continue the logs of several entries, in their order."""
        for instance, segments in ask_each(entries, self.segment_index.segments).items():
            yield from find_segment_problems(instance, segments, entries[instance])

    def find_pointer_problems(self, instance: Instance, entry: MapEntry) -> Iterator[Problem]:
        """Problems of an entry's manifest and of the files that the manifest names."""
        try:
            manifest, digest = load_manifest(entry, self.documents.store)
        except WrongData as error:
            found = f"the entry points to no sound manifest: {error}"
            yield Problem(code="C14", subjects=(instance.name,), found=(found,), remedy=REFRESH_AGAIN)
            return
        yield from find_pointer_problems(instance, entry, manifest, manifest_sha256=digest)
        try:
            written_at = self.documents.store.head(folder_of(entry.log).manifest).modified_at
            yield from find_blind_reading(instance, entry, written_at=written_at)
            yield from find_damage(manifest, self.documents.store)
        except WrongData as error:
            found = f"the files of {manifest.log.uri} cannot be listed: {error}"
            yield Problem(code="C13", subjects=(instance.name,), found=(found,), remedy=REFRESH_AGAIN)


def find_map_problems(
    candidate: Candidate, text: str, repository: ItaipuRepository, inspector: Inspector
) -> Iterator[Problem]:
    """Inspect the map on a candidate's branch against the one that the candidate was built on.

    Raises:
        BadInput: one of the two maps is malformed.
    """
    entries = parse_any_map(text, where=f"{MAP_PATH} on {candidate.branch}")
    base = read_map(repository, ref=candidate.base_sha, place=f"on {repository.base_branch}")
    changed = tuple(parse_instance(change.instance) for change in candidate.changes)
    yield from inspector.find_problems(entries, changed=changed, base=base)


def find_moved_entries(candidate: Candidate, repository: ItaipuRepository) -> Iterator[Problem]:
    """Entries of this refresh that the base branch changed since the candidate was built (C26).

    Raises:
        BadInput: one of the two maps is malformed.
    """
    built_on = read_map(repository, ref=candidate.base_sha, place=f"on {repository.base_branch}")
    entries = read_base_map(repository).entries
    for instance in (parse_instance(change.instance) for change in candidate.changes):
        if any_entry_of(entries, instance) != any_entry_of(built_on, instance):
            yield Problem(
                code="C26",
                subjects=(instance.name,),
                found=(f"its entry on {repository.base_branch} was changed after the candidate was built",),
                remedy="refresh again",
            )
