"""Finds the candidate that a branch or commit of the itaipu repository proposes."""

from logcache_assets.domain.documents import Candidate
from logcache_assets.domain.locations import Locations, Stage
from logcache_assets.domain.log_cache_map import changed_instances, entry_of
from logcache_assets.ports import ItaipuRepository, ObjectStore
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map, read_map


def find_candidate(
    ref: str, store: ObjectStore, repository: ItaipuRepository, locations: Locations
) -> Candidate | None:
    """The candidate with this branch or commit; None if no refresh made it.

    Only the documents of the nights that its changed entries name are read.

    Raises:
        BadInput: the map there or on the base branch is malformed.
        PathNotFoundError: there is no map.
    """
    entries, base = read_map(repository, ref=ref), read_base_map(repository).entries
    named = (entry_of(entries, instance) for instance in changed_instances(entries, base))
    sha, documents = repository.head(ref) or ref, Documents(store)
    for night in sorted({entry.transaction for entry in named if entry}):
        for uri in store.list_uris(f"{locations.refresh(transaction=night)}{Stage.CANDIDATE}/"):
            candidate = documents.read(uri, Candidate)
            if candidate.branch == ref or candidate.sha.startswith(sha):
                return candidate
    return None
