"""Adopts a map that was written by hand: manifests beside the files that are proven, and one pull request for the map.

prove_entries.py proves; judge_merge.py says whether the pull request may be merged. Nothing is moved, deleted or
overwritten, and entries that are not proven stay as they are.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from logcache_assets.domain.adoption_request import adoption_branch, render_adoption, render_adoption_title
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import (
    MAP_PATH,
    UnprovenEntry,
    all_instances_of,
    render_map,
    unproven_of,
    with_entries,
)
from logcache_assets.domain.selections import selection_name
from logcache_assets.errors import WrongUsage
from logcache_assets.ports import ItaipuRepository, ObjectStore, PullRequest
from logcache_assets.refresh.inspect_map import BaseMap, read_base_map
from logcache_assets.refresh.prove_entries import EntryProver, Problems, ProvenCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What became of every entry that named no manifest."""

    proven: Mapping[Instance, ProvenCache]
    left: Mapping[Instance, Problems]
    """Every reason why an entry was left as it is."""
    pull_request: PullRequest | None
    """None if nothing was proven, or nothing was to be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopter:
    """Adopts the entries of the map on the base branch."""

    store: ObjectStore
    repository: ItaipuRepository
    prover: EntryProver

    def adopt(self, databases: Collection[str], *, dry_run: bool) -> Adoption:
        """Prove the entries of these databases, of all if none is named; then write manifests and propose the map.

        Raises:
            WrongUsage: the map has no such database.
            BadInput: the map is of neither form.
            Unavailable: an outside system could not answer; what was proven before is found again.
        """
        base = read_base_map(self.repository)
        wanted = _select(base, databases)
        found = self.prover.prove(wanted)
        proven = {i: outcome for i, outcome in found.items() if isinstance(outcome, ProvenCache)}
        left = {i: outcome for i, outcome in found.items() if not isinstance(outcome, ProvenCache)}
        proposed = None
        if proven and not dry_run:
            self._write(tuple(proven.values()))
            proposed = self._propose(base, proven, left, selection=_selection(base, wanted))
        return Adoption(proven=proven, left=left, pull_request=proposed)

    def _write(self, caches: Sequence[ProvenCache]) -> None:
        """Write each manifest where none lies; equal bytes are there after an adoption that was interrupted."""
        for cache in caches:
            self.store.create(folder_of(cache.manifest.log.uri).manifest, cache.text.encode())

    def _propose(
        self,
        base: BaseMap,
        proven: Mapping[Instance, ProvenCache],
        left: Mapping[Instance, Problems],
        *,
        selection: str,
    ) -> PullRequest:
        manifests = [cache.manifest for cache in proven.values()]
        merged = with_entries(base.entries, {i: cache.entry for i, cache in proven.items()})
        branch, title = adoption_branch(selection), render_adoption_title(manifests)
        self.repository.commit(branch=branch, parent=base.sha, files={MAP_PATH: render_map(merged)}, message=title)
        return self.repository.propose(branch=branch, title=title, body=render_adoption(manifests, left, branch=branch))


def _select(base: BaseMap, databases: Collection[str]) -> dict[Instance, UnprovenEntry]:
    """The entries to prove."""
    known = {instance.database for instance, _ in all_instances_of(base.entries)}
    if unknown := sorted(set(databases) - known):
        raise WrongUsage(f"the map has no database {unknown[0]!r}; it has {', '.join(sorted(known)) or 'none'}")
    return {i: entry for i, entry in unproven_of(base.entries).items() if not databases or i.database in databases}


def _selection(base: BaseMap, wanted: Collection[Instance]) -> str:
    every = sorted({instance.database for instance in unproven_of(base.entries)})
    return selection_name(sorted({instance.database for instance in wanted}), catalog=every)
