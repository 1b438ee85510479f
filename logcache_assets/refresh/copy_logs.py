"""Cached logs on the object store: copied with proof, and looked at again later.

The order is what makes it safe: frozen inventory, copies of exactly those bytes, one listing that proves the
destination, the manifest last. What belongs elsewhere: choosing what to copy (permanent_log.py), pointing to it
(log_cache_candidate.py).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from logcache_assets.domain.copying import plan_copy
from logcache_assets.domain.documents import (
    CopiedLog,
    FileProof,
    LogExport,
    Manifest,
    PermanentLog,
    RawDataset,
    RawLogs,
    render_document,
)
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.locations import CacheFolder
from logcache_assets.domain.problems import Problem
from logcache_assets.errors import LogCacheError, Refused
from logcache_assets.ports import Clock, ObjectNotFoundError, ObjectStore, StoredObject
from logcache_assets.refresh.document_store import Documents
from logcache_assets.settings import Settings


@dataclass(frozen=True, slots=True)
class Copier:
    """Copies the raw datasets of an export into their immutable folders."""

    store: ObjectStore
    clock: Clock
    settings: Settings

    def copy_export(self, export: LogExport) -> PermanentLog:
        """Copy every instance; all sources are checked before the first byte moves."""
        for logs in export.instances:
            for dataset in (logs.log, logs.materialized_entities):
                self._require_time(dataset, self._inventory(dataset))
        return PermanentLog(
            transaction=export.transaction,
            database=export.database,
            source_read_at=export.source_read_at,
            logs=tuple(self._copy_instance(export, logs) for logs in export.instances),
        )

    def _copy_instance(self, export: LogExport, logs: RawLogs) -> CopiedLog:
        folder = self.settings.locations.cache_folder(
            parse_instance(logs.instance), last_t=logs.log.last_t, transaction=export.transaction
        )
        manifest = Manifest(
            instance=logs.instance,
            last_t=logs.log.last_t,
            transaction=export.transaction,
            source_read_at=export.source_read_at,
            log=self._copy_dataset(logs.log, folder.log),
            materialized_entities=self._copy_dataset(logs.materialized_entities, folder.materialized_entities),
        )
        return self._describe(folder, manifest)

    def _describe(self, folder: CacheFolder, manifest: Manifest) -> CopiedLog:
        """Write the manifest last and read back its digest; one that says the same of the same files is kept."""
        earlier = Documents(self.store).find(folder.manifest, Manifest)
        if earlier is None or _without_checksums(earlier) != _without_checksums(manifest):
            self.store.create(folder.manifest, render_document(manifest).encode())
        return CopiedLog(
            instance=manifest.instance,
            last_t=manifest.last_t,
            manifest=folder.manifest,
            manifest_sha256=hashlib.sha256(self.store.read(folder.manifest)).hexdigest(),
            rows=manifest.log.rows,
            files=len(manifest.log.files) + len(manifest.materialized_entities.files),
            size_bytes=manifest.log.size_bytes + manifest.materialized_entities.size_bytes,
        )

    def _inventory(self, dataset: RawDataset) -> dict[str, StoredObject]:
        """The listed sources, which must be exactly the files that the export read."""
        found, expected = listed(self.store, dataset.uri), expected_digests(dataset)
        if not found or digests(found) != expected:
            problem = (
                f"the files at {dataset.uri} are no longer those that the notebook read ({len(found)} found, "
                f"{len(expected)} expected, or changed): nothing was copied"
            )
            raise Refused(str(Problem(code="C13", found=(problem,), remedy="materialize log_export again")))
        return found

    def _require_time(self, dataset: RawDataset, sources: dict[str, StoredObject]) -> None:
        """Refuse at the start when the sources would expire during the copy (C12)."""
        days = self.store.retention_days(self.settings.ephemeral_bucket)
        if days is None:
            return
        expires = min(item.modified_at for item in sources.values()) + timedelta(days=days)
        if expires - self.clock.now() < self.settings.copy_time:
            problem = (
                f"the files at {dataset.uri} expire at {expires:%Y-%m-%d %H:%M} UTC, sooner than the copy may need: "
                "nothing was copied"
            )
            raise Refused(str(Problem(code="C12", found=(problem,), remedy="refresh from a newer nightly transaction")))

    def _copy_dataset(self, dataset: RawDataset, destination: str) -> RawDataset:
        """Copy what is missing, then prove by one listing that the destination holds exactly the sources."""
        sources = self._inventory(dataset)
        plan = plan_copy(source=digests(sources), destination=digests(listed(self.store, destination)))
        if plan.conflicting or plan.foreign:
            raise Refused(_conflict_text(destination, sources, listed(self.store, destination)))
        checksums = self._copy_files(sources, plan.missing, destination)
        copied = listed(self.store, destination)
        if digests(copied) != digests(sources):
            raise Refused(_conflict_text(destination, sources, copied))
        return msgspec.structs.replace(dataset, uri=destination, files=_proofs(dataset, copied, checksums))

    def _copy_files(
        self, sources: Mapping[str, StoredObject], names: Sequence[str], destination: str
    ) -> dict[str, str]:
        """Copy in parallel; every error is collected instead of stopping at the first. Returns checksums."""

        def copy(name: str) -> str | LogCacheError:
            try:
                return self.store.copy(sources[name], f"{destination}/{name}")
            except LogCacheError as error:
                return error

        with ThreadPoolExecutor(self.settings.copy_threads) as pool:
            outcomes = dict(zip(names, pool.map(copy, names), strict=True))
        errors = [outcome for outcome in outcomes.values() if isinstance(outcome, LogCacheError)]
        if errors:
            raise Refused(f"{len(errors)} of {len(names)} files were not copied, first: {errors[0]}")
        return {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, str)}


def _proofs(
    dataset: RawDataset, copied: Mapping[str, StoredObject], checksums: Mapping[str, str]
) -> tuple[FileProof, ...]:
    """What the manifest says of each file; a file of an earlier, interrupted copy has no checksum, only its etag."""
    return tuple(
        FileProof(
            name=file.name,
            size_bytes=copied[file.name].size_bytes,
            etag=copied[file.name].etag,
            checksum=checksums.get(file.name),
        )
        for file in dataset.files
    )


def _without_checksums(manifest: Manifest) -> Manifest:
    """What stays true of a copy that was interrupted: only the copying call itself tells a checksum."""

    def bare(dataset: RawDataset) -> RawDataset:
        files = tuple(msgspec.structs.replace(file, checksum=None) for file in dataset.files)
        return msgspec.structs.replace(dataset, files=files)

    return msgspec.structs.replace(
        manifest, log=bare(manifest.log), materialized_entities=bare(manifest.materialized_entities)
    )


def listed(store: ObjectStore, folder: str) -> dict[str, StoredObject]:
    """The objects of a folder by their name in it."""
    prefix = folder.rstrip("/") + "/"
    return {item.uri.removeprefix(prefix): item for item in store.list_objects(prefix)}


def digests(found: Mapping[str, StoredObject]) -> dict[str, str]:
    """What must be equal for two objects to be the same bytes."""
    return {name: f"{item.size_bytes}/{item.etag}" for name, item in found.items()}


def expected_digests(dataset: RawDataset) -> dict[str, str]:
    """The digests that a document states of a dataset's files."""
    return {file.name: f"{file.size_bytes}/{file.etag}" for file in dataset.files}


def _conflict_text(destination: str, sources: dict[str, StoredObject], copied: dict[str, StoredObject]) -> str:
    """Name the first object that differs, and what to do."""
    wrong = sorted(n for n in sources.keys() | copied.keys() if digests(sources).get(n) != digests(copied).get(n))
    name = wrong[0]
    sizes = [f"{found[name].size_bytes} bytes" if name in found else "absent" for found in (sources, copied)]
    found = (
        f"{destination}/{name} is not what was copied: {sizes[0]} at the source, {sizes[1]} at the destination"
        f"{f', and {len(wrong) - 1} more' if len(wrong) > 1 else ''}"
    )
    remedy = "nothing is overwritten: find out who wrote it, remove it and materialize permanent_log again"
    return str(Problem(code="C13", found=(found,), remedy=remedy))


def find_damage(manifest: Manifest, store: ObjectStore) -> Iterator[Problem]:
    """Files of a cached log that are not what its manifest says (C13)."""
    for dataset in (manifest.log, manifest.materialized_entities):
        found, expected = digests(listed(store, dataset.uri)), expected_digests(dataset)
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != expected.get(name):
                yield Problem(
                    code="C13",
                    subjects=(manifest.instance,),
                    found=(f"{dataset.uri}/{name} {_fate(name, found, expected)}",),
                    remedy="find out who wrote or removed it; nothing is ever overwritten",
                )


def _fate(name: str, found: Mapping[str, str], expected: Mapping[str, str]) -> str:
    if name not in found:
        return "is gone"
    if name not in expected:
        return "is not in the manifest"
    sizes = [digest.partition("/")[0] for digest in (expected[name], found[name])]
    return f"is not what was copied: {sizes[0]} bytes by the manifest, {sizes[1]} bytes found"


def read_manifest(documents: Documents, log: CopiedLog) -> Manifest | None:
    """The manifest of a cached log; None when it is gone. Refuses one that was changed."""
    try:
        content = documents.store.read(log.manifest)
    except ObjectNotFoundError:
        return None
    if hashlib.sha256(content).hexdigest() != log.manifest_sha256:
        problem = f"{log.manifest} was changed after the copy"
        raise Refused(str(Problem(code="C13", found=(problem,), remedy="compare it with the files and restore it")))
    return documents.read(log.manifest, Manifest)
