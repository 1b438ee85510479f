"""Step 3: copy raw logs into the permanent bucket, prove the copies, and check later that they are unchanged.

The order makes it safe: list the sources, copy exactly the listed versions, list the destination and compare it with
the copies' answers, write the manifest last. An etag identifies a version of one object; equal size and CRC64NVME prove
that two objects hold the same bytes. describe_logs.py describes the export; other modules point the map to a copy.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import msgspec

from logcache_assets.domain.copying import plan_copy
from logcache_assets.domain.documents import CopiedLog, PermanentLog, document_digest, render_document
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.locations import CacheFolder
from logcache_assets.domain.log_documents import FileProof, LogExport, Manifest, RawDataset, RawLogs
from logcache_assets.domain.log_ranges import prove_ranges
from logcache_assets.domain.problems import Problem, join_problems
from logcache_assets.errors import LogCacheError, Refused, Unavailable
from logcache_assets.ports import Clock, ObjectStore, ObjectStoreUnavailable, StoredObject
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.file_proofs import (
    content,
    data_files,
    differing,
    expected_pins,
    find_damage,
    listed,
    pin,
    pins,
    proof_of,
    read_manifest,
)
from logcache_assets.settings import Settings

EXPORT_AGAIN = "materialize log_export again"
REMOVE = "nothing is overwritten: find out who wrote it, remove it and materialize permanent_log again"
_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Copier:
    """Copies the raw datasets of an export into immutable folders of the permanent bucket."""

    store: ObjectStore
    clock: Clock
    settings: Settings

    def copy_export(self, export: LogExport) -> PermanentLog:
        """Copy every instance; all sources are checked before the first copy.

        Raises:
            Refused: a source changed or expires too soon, or a copy is not proven; nothing is overwritten.
        """
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

    def _inventory(self, dataset: RawDataset) -> dict[str, StoredObject]:
        """List the sources, which must be exactly the files that the export read."""
        found, expected = listed(self.store, dataset.uri), expected_pins(dataset)
        if not found or pins(found) != expected:
            problem = (
                f"the files at {dataset.uri} are no longer those that the notebook read ({len(found)} found, "
                f"{len(expected)} expected, or changed): nothing was copied"
            )
            raise _refused(problem, remedy=EXPORT_AGAIN)
        return found

    def _require_time(self, dataset: RawDataset, sources: dict[str, StoredObject]) -> None:
        """Refuse before the first copy if the sources could expire during it (C12)."""
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
        """Copy missing files, then prove by one listing that the destination holds exactly the copies."""
        sources, found = self._inventory(dataset), listed(self.store, destination)
        there = self._compare_found(sources, found, destination)
        plan = plan_copy(
            source={name: there[name].source if name in there else pin(item) for name, item in sources.items()},
            destination={name: there[name].destination if name in there else pin(item) for name, item in found.items()},
        )
        if wrong := sorted(plan.conflicting + plan.foreign):
            raise _conflict(destination, wrong, sources, found)
        copied = {name: there[name].object for name in plan.present}
        copied |= self._copy_files(sources, plan.missing, destination)
        _require_proven(destination, sources, copied)
        self._require_listed(destination, copied)
        return msgspec.structs.replace(dataset, uri=destination, files=_proofs(dataset, copied))

    def _compare_found(
        self, sources: Mapping[str, StoredObject], found: Mapping[str, StoredObject], destination: str
    ) -> dict[str, "_FoundFile"]:
        """Read by HEAD the size and checksum, on both sides, of every file that an interrupted copy left."""
        names = sorted(sources.keys() & found.keys())
        at_source = self._in_parallel(self._head_source, [sources[name] for name in names])
        at_destination = self._in_parallel(lambda item: self.store.head(item.uri), [found[name] for name in names])
        pairs = {
            name: _FoundFile(source=content(source), destination=content(there), object=there)
            for name, source, there in zip(names, at_source, at_destination, strict=True)
            if source.checksum and there.checksum
        }
        if unproven := [name for name in names if name not in pairs]:
            problem = (
                f"{destination}/{unproven[0]} exists already and cannot be compared with its source, because the "
                f"store keeps no checksum of one of them{_more(unproven)}"
            )
            raise _refused(problem, remedy=REMOVE)
        return pairs

    def _head_source(self, pinned: StoredObject) -> StoredObject:
        source = self.store.head(pinned.uri)
        if pin(source) != pin(pinned):
            raise _refused(f"{pinned.uri} changed after it was listed: nothing more was copied", remedy=EXPORT_AGAIN)
        return source

    def _copy_files(
        self, sources: Mapping[str, StoredObject], names: Sequence[str], destination: str
    ) -> dict[str, StoredObject]:
        """Copy in parallel and return each copy as the store describes it; an error does not stop the other copies."""

        def copy(name: str) -> StoredObject | LogCacheError:
            try:
                return self.store.copy(sources[name], f"{destination}/{name}")
            except LogCacheError as error:
                return error

        outcomes = dict(zip(names, self._in_parallel(copy, names), strict=True))
        errors = [outcome for outcome in outcomes.values() if isinstance(outcome, LogCacheError)]
        if errors:
            refused = [error for error in errors if not isinstance(error, Unavailable)]
            kind = Refused if refused else ObjectStoreUnavailable
            raise kind(f"{len(errors)} of {len(names)} files were not copied, first: {(refused or errors)[0]}")
        return {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, StoredObject)}

    def _require_listed(self, destination: str, copied: Mapping[str, StoredObject]) -> None:
        """Refuse unless a listing shows exactly these files, with the size and etag of each."""
        shown = listed(self.store, destination)
        if wrong := differing(pins(copied), pins(shown)):
            raise _conflict(destination, wrong, copied, shown)

    def _in_parallel(self, ask: Callable[[_Asked], _Answer], asked: Sequence[_Asked]) -> list[_Answer]:
        with ThreadPoolExecutor(self.settings.copy_threads) as pool:
            return list(pool.map(ask, asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoundFile:
    """A file that existed at the destination before the copy."""

    source: str
    destination: str
    """Content (size and checksum) on each side, equal only for equal bytes."""
    object: StoredObject


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


def _require_proven(destination: str, sources: Mapping[str, StoredObject], copied: Mapping[str, StoredObject]) -> None:
    """Refuse copies whose size is not the source's, or that have no checksum."""
    for name, item in copied.items():
        if item.size_bytes != sources[name].size_bytes or item.checksum is None:
            found = f"{item.size_bytes} of {sources[name].size_bytes} bytes, checksum {item.checksum or 'missing'}"
            raise _refused(f"the copy of {destination}/{name} is not proven ({found})", remedy=REMOVE)


def _proofs(dataset: RawDataset, copied: Mapping[str, StoredObject]) -> tuple[FileProof, ...]:
    """The manifest's entry of each file: its checksum, and the etag with which later listings are compared."""
    return tuple(proof_of(file.name, copied[file.name]) for file in data_files(dataset))


def _more(names: Sequence[str]) -> str:
    return f", and {len(names) - 1} more" if len(names) > 1 else ""


def _conflict(
    destination: str, wrong: Sequence[str], copied: Mapping[str, StoredObject], found: Mapping[str, StoredObject]
) -> Refused:
    """The refusal of a destination that differs from its source; it names the first object that differs."""
    name = wrong[0]
    sizes = [f"{side[name].size_bytes} bytes" if name in side else "absent" for side in (copied, found)]
    problem = (
        f"{destination}/{name} is not what was copied: {sizes[0]} at the source, {sizes[1]} at the destination"
        f"{_more(wrong)}"
    )
    return _refused(problem, remedy=REMOVE)


def _refused(problem: str, *, remedy: str) -> Refused:
    return Refused(str(Problem(code="C13", found=(problem,), remedy=remedy)))
