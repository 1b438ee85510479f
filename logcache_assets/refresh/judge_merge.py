"""May a commit be merged into the base branch now? Merging publishes, and much may happen after the proposal.

One answer for everybody who asks: `logcache local merge`, `logcache check-merge` in the check that the repository
requires, `logcache status`, and the sensor.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from logcache_assets.domain.adoption import find_outdated_proof, is_same_place
from logcache_assets.domain.documents import Candidate, Publication, document_digest, render_document
from logcache_assets.domain.gate import find_merge_problems
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import (
    MAP_PATH,
    LogCacheMap,
    MapEntry,
    UnprovenEntry,
    any_entry_of,
    changed_instances,
    entry_of,
)
from logcache_assets.domain.problems import Problem
from logcache_assets.engine.log.proven_files import load_manifest
from logcache_assets.errors import BadInput, WrongData
from logcache_assets.ports import PathNotFoundError, PullRequest
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.find_candidate import find_candidate
from logcache_assets.refresh.inspect_map import BaseMap, Inspector, read_base_map, read_map
from logcache_assets.refresh.publish import Publisher, find_evidence


@dataclass(frozen=True, slots=True)
class MergeJudge:
    """Judges commits that somebody wants to merge; every call reads the current state from the ports."""

    publisher: Publisher
    """Reads the state that the gate judges."""

    def find_problems(self, ref: str, *, lasting: bool = False) -> tuple[Problem, ...]:
        """Reasons not to merge a branch or commit now; empty if it may be merged, or leaves the map as it is.

        Args:
            ref: branch or sha.
            lasting: leave out what waiting remedies, such as the hour.
        """
        if not self.changes_map(ref):
            return ()
        try:
            entries = read_map(self.publisher.repository, ref=ref)
            base = read_base_map(self.publisher.repository)
        except (BadInput, PathNotFoundError) as error:
            return (Problem(code="C15", found=(f"the map cannot be read: {error}",)),)
        candidate = find_candidate(
            ref, self.publisher.store, self.publisher.repository, self.publisher.settings.locations
        )
        if candidate is None:
            return tuple(self._judge_by_hand(ref, entries, base))
        return (*self._judge_documents(candidate), *self._judge_candidate(candidate, lasting=lasting))

    def changes_map(self, ref: str) -> bool:
        """True if merging a branch or commit would bring another map than the base branch has.

        What counts is what it changed since it left the base branch. Its commits do not tell: a merge commit may take
        the base branch's newest commits without their map, and git's log of the map shows none of it.
        """
        repository = self.publisher.repository
        proposed = self._map_at(ref)
        return proposed not in {self._map_at(repository.base_branch), self._map_at(repository.merge_base(ref))}

    def _map_at(self, ref: str) -> str | None:
        try:
            return self.publisher.repository.read(MAP_PATH, ref=ref)
        except PathNotFoundError:
            return None

    def ref_of(self, shown: PullRequest) -> str:
        """The branch of a pull request, by which its candidate is found; or its commit where that differs."""
        return shown.branch if self.publisher.repository.head(shown.branch) == shown.head_sha else shown.head_sha

    def _judge_candidate(self, candidate: Candidate, *, lasting: bool) -> Iterator[Problem]:
        state = self.publisher.gather(candidate, *find_evidence(candidate, self.publisher))
        yield from find_merge_problems(state, lasting=lasting)

    def _judge_documents(self, candidate: Candidate) -> Iterator[Problem]:
        """Compare the stored verdict with the one for which the pull request was opened."""
        uri = self.publisher.settings.locations.publication(
            transaction=candidate.transaction, selection=candidate.selection
        )
        published = Documents(self.publisher.store).find(uri, Publication)
        verdict, _ = find_evidence(candidate, self.publisher)
        if published is None or verdict is None or published.candidate_sha != candidate.sha:
            return
        if document_digest(render_document(verdict)) != published.verdict_sha256:
            yield Problem(
                code="C29",
                found=("the stored verdict is not the one for which the pull request was opened",),
                remedy="refresh again, which brings the pull request up to date",
            )

    def _judge_by_hand(self, ref: str, entries: LogCacheMap, base: BaseMap) -> Iterator[Problem]:
        """A commit that no refresh made may return to former entries, adopt entries, or take entries out."""
        inspector = Inspector(Documents(self.publisher.store), self.publisher.segment_index)
        changed = changed_instances(entries, base.entries)
        yield from (_proves_nothing(ref, i) for i in changed if isinstance(any_entry_of(entries, i), UnprovenEntry))
        named = {instance: entry for instance in changed if (entry := entry_of(entries, instance)) is not None}
        adopted = {i: entry for i, entry in named.items() if is_same_place(entry, any_entry_of(base.entries, i))}
        returns = {instance: entry for instance, entry in named.items() if instance not in adopted}
        for instance in self._find_unvalidated(returns):
            yield Problem(
                code="C29",
                subjects=(instance.name,),
                found=(f"{ref} changes its entry, and no refresh validated that",),
                remedy="refresh, or return to an entry that was active before",
            )
        yield from inspector.find_problems_of_pointers(named)
        yield from inspector.find_problems_of_segments(returns)
        for instance, entry in adopted.items():
            yield from self._judge_adoption(instance, entry)

    def _judge_adoption(self, instance: Instance, entry: MapEntry) -> Iterator[Problem]:
        """What its manifest compared the log with must be what the index names now."""
        try:
            manifest, _ = load_manifest(entry, self.publisher.store)
        except WrongData:
            return  # The pointer's problem says it.
        segments, now = self.publisher.segment_index.segments(instance), self.publisher.clock.now()
        yield from find_outdated_proof(instance, entry, manifest, segments, now=now)

    def _find_unvalidated(self, entries: Mapping[Instance, MapEntry]) -> tuple[Instance, ...]:
        """Those entries that were never active."""
        repository, left = self.publisher.repository, dict(entries)
        for version in repository.versions(MAP_PATH, ref=repository.base_branch):
            if not left:
                break
            with suppress(BadInput, PathNotFoundError):
                former = read_map(repository, ref=version.sha)
                left = {instance: entry for instance, entry in left.items() if entry_of(former, instance) != entry}
        return tuple(left)


def _proves_nothing(ref: str, instance: Instance) -> Problem:
    return Problem(
        code="C14",
        subjects=(instance.name,),
        found=(f"{ref} changes its entry to one that names no manifest",),
        why="nobody could tell whether it holds deleted personal data",
        remedy="take the entry out, return to one with a manifest, or refresh",
    )
