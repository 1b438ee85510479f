"""Proves the caches of entries that were written by hand: from their files, the segments, and nothing else.

What costs least comes first: the paths, the index, a listing, a manifest that an earlier adoption left, at last every
byte of the log, of its entities and of the segments. Nothing is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from logcache_assets.domain.adoption import (
    adopted_manifest,
    entry_of_manifest,
    find_adoption_problems,
    find_index_problems,
    find_outdated_proof,
    find_place_problems,
    is_same_place,
    place_of,
    refresh_instead,
)
from logcache_assets.domain.documents import document_digest, parse_document, render_document
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import CacheFolder
from logcache_assets.domain.log_cache_map import MapEntry, UnprovenEntry
from logcache_assets.domain.log_documents import InstanceRequest, Manifest, RawDataset, RawLogs
from logcache_assets.domain.log_ranges import plan_comparison
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.engine.raw.checksum_files import ChecksumTask
from logcache_assets.engine.raw.prove_logs import prove_each
from logcache_assets.errors import Refused, WrongData
from logcache_assets.ports import Clock, ObjectNotFoundError, ObjectStore, SegmentIndex, Tell
from logcache_assets.refresh.file_proofs import find_damage, listed, pin, proof_of
from logcache_assets.settings import Settings

Problems = tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenCache:
    """A cache that is what its entry says, with the manifest that tells why."""

    manifest: Manifest
    text: str
    """The manifest as it lies, or will lie, in the store."""

    @property
    def entry(self) -> MapEntry:
        """Its entry of the map."""
        return entry_of_manifest(self.manifest, manifest_sha256=document_digest(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What a look at paths, index and listings shows of an entry."""

    problems: Problems
    segments: Sequence[Segment] = ()
    written_at: datetime | None = None
    """When the newest of the files was written."""
    known: ProvenCache | None = None
    """By the manifest of an earlier adoption, which still proves the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryProver:
    """Proves entries that name no manifest."""

    store: ObjectStore
    segment_index: SegmentIndex
    clock: Clock
    settings: Settings
    driver: Driver
    tell: Tell = field(repr=False)

    def prove(self, entries: Mapping[Instance, UnprovenEntry]) -> dict[Instance, ProvenCache | Problems]:
        """Each entry's proven cache, or every reason why it is not proven.

        Raises:
            Unavailable: the store or the index could not answer.
        """
        looked = ask_each(entries, lambda instance: self._look(instance, entries[instance]))
        due = {i: found for i, found in looked.items() if not found.problems and found.known is None}
        described = self._describe({i: self._request(i, entries[i], found.segments) for i, found in due.items()})
        return {i: found.known or self._judge(i, entries[i], found, described.get(i)) for i, found in looked.items()}

    def _look(self, instance: Instance, entry: UnprovenEntry) -> _Looked:
        """Look at paths, index and listings."""
        if problems := tuple(find_place_problems(instance, entry, caches=self.settings.locations.caches)):
            return _Looked(problems=problems)
        try:
            segments = self.segment_index.segments(instance)
        except WrongData as error:
            return _Looked(problems=(_unread(instance, f"the segment index cannot be read: {error}"),))
        if problems := tuple(find_index_problems(instance, entry, segments)):
            return _Looked(problems=problems)
        try:
            return self._look_at_files(instance, entry, segments)
        except WrongData as error:
            return _Looked(problems=(_unread(instance, f"the files of {entry.log} cannot be listed: {error}"),))

    def _look_at_files(self, instance: Instance, entry: UnprovenEntry, segments: Sequence[Segment]) -> _Looked:
        folder = place_of(entry)
        datasets = {uri: listed(self.store, uri) for uri in (folder.log, folder.materialized_entities)}
        if gone := tuple(_gone(instance, uri) for uri, found in datasets.items() if not found):
            return _Looked(problems=gone)
        written_at = max(item.modified_at for found in datasets.values() for item in found.values())
        known = self._find_known(folder)
        if known and (problems := tuple(self._find_problems_of(known, instance, entry, segments))):
            return _Looked(problems=problems)
        return _Looked(problems=(), segments=segments, written_at=written_at, known=known)

    def _find_known(self, folder: CacheFolder) -> ProvenCache | None:
        """The cache as a manifest describes it that lies in the folder."""
        try:
            content = self.store.read(folder.manifest)
        except ObjectNotFoundError:
            return None
        manifest = parse_document(content, Manifest, where=folder.manifest)
        return ProvenCache(manifest=manifest, text=content.decode())

    def _find_problems_of(
        self, known: ProvenCache, instance: Instance, entry: UnprovenEntry, segments: Sequence[Segment]
    ) -> Iterator[Problem]:
        """Why the manifest that lies beside the files does not prove them."""
        manifest = known.manifest
        if manifest.instance != instance.name or not is_same_place(known.entry, entry):
            found = f"a manifest lies at {place_of(entry).manifest}, and it describes another cached log"
            yield Problem(code="C14", subjects=(instance.name,), found=(found,), remedy=refresh_instead(instance))
            return
        yield from find_outdated_proof(instance, known.entry, manifest, segments, now=self.clock.now())
        yield from find_damage(manifest, self.store)

    def _request(self, instance: Instance, entry: UnprovenEntry, segments: Sequence[Segment]) -> InstanceRequest:
        folder = place_of(entry)
        return InstanceRequest(
            instance=instance.name,
            log=folder.log,
            materialized_entities=folder.materialized_entities,
            segments=plan_comparison(segments, ()),
        )

    def _describe(self, requests: Mapping[Instance, InstanceRequest]) -> dict[Instance, RawLogs | Problem]:
        found = prove_each(tuple(requests.values()), store=self.store, driver=self.driver, tell=self.tell)
        logs = {instance: found[instance.name] for instance in requests}
        return {i: _unread(i, why) if isinstance(why, str) else why for i, why in logs.items()}

    def _judge(
        self, instance: Instance, entry: UnprovenEntry, looked: _Looked, logs: RawLogs | Problem | None
    ) -> ProvenCache | Problems:
        if logs is None or looked.written_at is None:
            return looked.problems
        if isinstance(logs, Problem):
            return (logs,)
        if problems := tuple(find_adoption_problems(instance, entry, logs, written_at=looked.written_at)):
            return problems
        try:
            checked = replace(
                logs,
                log=self._with_checksums(logs.log),
                materialized_entities=self._with_checksums(logs.materialized_entities),
            )
        except WrongData as error:
            return (_unread(instance, f"its files cannot be read: {error}"),)
        manifest = adopted_manifest(entry, checked)
        proven = ProvenCache(manifest=manifest, text=render_document(manifest))
        later = find_outdated_proof(instance, proven.entry, manifest, looked.segments, now=self.clock.now())
        return tuple(later) or proven

    def _with_checksums(self, dataset: RawDataset) -> RawDataset:
        """Add the checksum of every file, which still is the one that was described; raises WrongData if not."""
        tasks = [ChecksumTask(f"{dataset.uri}/{file.name}", self.store) for file in dataset.files]
        found = {item.uri: item for item in self.driver.run(tasks)}
        for file in dataset.files:
            item = found.get(f"{dataset.uri}/{file.name}")
            if item is None or pin(item) != pin(file):
                raise Refused(f"{dataset.uri}/{file.name} is no longer the file that was described")
        return replace(dataset, files=tuple(proof_of(f.name, found[f"{dataset.uri}/{f.name}"]) for f in dataset.files))


def _gone(instance: Instance, uri: str) -> Problem:
    found = f"no file lies at {uri}"
    return Problem(code="C13", subjects=(instance.name,), found=(found,), remedy=refresh_instead(instance))


def _unread(instance: Instance, found: str) -> Problem:
    return Problem(subjects=(instance.name,), found=(found,), remedy=refresh_instead(instance))
