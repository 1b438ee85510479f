"""Step 3: copy raw logs into the permanent bucket, prove the copies, and check later that they are unchanged.

copying/ copies each folder with proof; the manifest is written last. An etag identifies a version of one object; equal
size and CRC64NVME prove that two objects hold the same bytes. describe_logs.py describes the export; other modules
point the map to a copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from logcache_assets.domain.documents import CopiedLog, PermanentLog, document_digest, render_document
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.lifecycle import Lifecycle
from logcache_assets.domain.locations import CacheFolder
from logcache_assets.domain.log_documents import FileProof, LogExport, Manifest, RawDataset, RawLogs
from logcache_assets.domain.log_ranges import prove_ranges
from logcache_assets.domain.problems import Problem, join_problems
from logcache_assets.errors import Refused
from logcache_assets.ports import Clock, ObjectStore
from logcache_assets.refresh.copying.copy_folder import FolderCopy
from logcache_assets.refresh.copying.copy_meter import OnProgress, ignore
from logcache_assets.refresh.copying.ledger import Entry, ledger_file, open_ledger
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.file_proofs import (
    data_files,
    expected_pins,
    expiry_of,
    find_damage,
    listed,
    pin,
    pins,
    read_manifest,
)
from logcache_assets.settings import Settings

EXPORT_AGAIN = "materialize log_export again"


@dataclass(frozen=True, slots=True)
class Copier:
    """Copies the raw datasets of an export into immutable folders of the permanent bucket."""

    store: ObjectStore
    clock: Clock
    settings: Settings
    progress: OnProgress = ignore

    def copy_export(self, export: LogExport) -> PermanentLog:
        """Copy every instance; all sources are checked before the first copy.

        Raises:
            Refused: a source changed or expires too soon, or a copy is not proven; nothing is overwritten.
        """
        lifecycle = self.store.lifecycle(self.settings.ephemeral_bucket)
        in_order = sorted(export.instances, key=lambda logs: self._time_left(logs, lifecycle))
        copied = {logs.instance: self._copy_instance(export, logs) for logs in in_order}
        return PermanentLog(
            transaction=export.transaction,
            database=export.database,
            source_read_at=export.source_read_at,
            logs=tuple(copied[logs.instance] for logs in export.instances),
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
            ranges=prove_ranges(logs.ranges),
        )
        return self._describe(folder, manifest)

    def _describe(self, folder: CacheFolder, manifest: Manifest) -> CopiedLog:
        """Write the manifest, after all copies; a different one that exists already is never overwritten."""
        text = render_document(manifest)
        self.store.create(folder.manifest, text.encode())
        return CopiedLog(
            instance=manifest.instance,
            last_t=manifest.last_t,
            manifest=folder.manifest,
            manifest_sha256=document_digest(text),
            rows=manifest.log.rows,
            files=len(manifest.log.files) + len(manifest.materialized_entities.files),
            size_bytes=manifest.log.size_bytes + manifest.materialized_entities.size_bytes,
        )

    def _time_left(self, logs: RawLogs, lifecycle: Lifecycle) -> timedelta:
        """How long the files of an instance are still there, after a look at all of them."""
        return min(self._require_time(dataset, lifecycle) for dataset in (logs.log, logs.materialized_entities))

    def _require_time(self, dataset: RawDataset, lifecycle: Lifecycle) -> timedelta:
        """How long the sources are still there; refuses before the first copy if they could expire during it (C12)."""
        found = listed(self.store, dataset.uri)
        _require_exported(dataset, pins(found))
        oldest = min(found.values(), key=lambda item: item.modified_at)
        dates = (expiry_of(item, lifecycle) for item in (*found.values(), self.store.head(oldest.uri)))
        expires = min((date for date in dates if date is not None), default=None)
        left = timedelta.max if expires is None else expires - self.clock.now()
        if expires is not None and left < self.settings.copy_time:
            problem = (
                f"the files at {dataset.uri} expire at {expires:%Y-%m-%d %H:%M} UTC, sooner than the copy may need: "
                "nothing was copied"
            )
            raise Refused.of(Problem(code="C12", found=(problem,), remedy="refresh from a newer nightly transaction"))
        return left

    def _copy_dataset(self, dataset: RawDataset, destination: str) -> RawDataset:
        """Copy missing files, then prove by one listing that the destination holds exactly the copies."""
        source, target = f"{dataset.uri.rstrip('/')}/", f"{destination}/"
        with open_ledger(ledger_file(self.settings.home_folder, source, target)) as ledger:
            copy = FolderCopy(
                store=self.store,
                clock=self.clock,
                ledger=ledger,
                source=source,
                destination=target,
                again=EXPORT_AGAIN,
                asked_at_once=self.settings.copy_threads,
                progress=self.progress,
            )
            copy.freeze()
            _require_exported(dataset, {entry.name: pin(entry.listed_at(source)) for entry in ledger.entries()})
            copy.compare()
            copy.copy_missing()
            copy.prove()
            proofs = {entry.name: _proof(entry) for entry in ledger.entries()}
        files = tuple(proofs[file.name] for file in data_files(dataset))
        return msgspec.structs.replace(dataset, uri=destination, files=files)


def _require_exported(dataset: RawDataset, found: Mapping[str, str]) -> None:
    """Refuse sources that are not exactly the files that the export read; both are name → pin."""
    expected = expected_pins(dataset)
    if not found or found != expected:
        problem = (
            f"the files at {dataset.uri} are no longer those that the notebook read ({len(found)} found, "
            f"{len(expected)} expected, or changed): nothing was copied"
        )
        raise _refused(problem, remedy=EXPORT_AGAIN)


def _proof(entry: Entry) -> FileProof:
    """The manifest's entry of a file: its checksum, and the etag with which later listings are compared."""
    return FileProof(
        name=entry.name, size_bytes=entry.size_bytes, etag=entry.copy_etag or "", checksum=entry.copy_checksum
    )


def find_intact_copy(documents: Documents, export: LogExport, settings: Settings) -> PermanentLog | None:
    """Find the document of an earlier copy of this export whose files all still match its manifest.

    Returns None if the export was not copied yet, or not completely.

    Raises:
        Refused: a copied file was changed, removed or added.
    """
    uri = settings.locations.permanent_log(transaction=export.transaction, database=export.database)
    document = documents.find(uri, PermanentLog)
    if document is None or [log.last_t for log in document.logs] != [logs.log.last_t for logs in export.instances]:
        return None
    for log in document.logs:
        manifest = read_manifest(documents, log)
        if manifest is None:
            return None
        if damage := list(find_damage(manifest, documents.store)):
            raise Refused(
                f"{join_problems(damage, shown=3)}; remove the damaged files and materialize permanent_log again"
            )
    return document


def _refused(problem: str, *, remedy: str) -> Refused:
    return Refused.of(Problem(code="C13", found=(problem,), remedy=remedy))
