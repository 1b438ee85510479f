"""Step 2: run the export notebook, which describes the raw logs of the chosen night, one document per database.

domain/soundness.py decides whether a described log may become a cache; engine/raw computes the description.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from logcache_assets.catalog import Catalog
from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.documents import NightlyTransaction
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.domain.locations import Locations, Stage
from logcache_assets.domain.log_cache_map import LogCacheMap, MapEntry, entry_of
from logcache_assets.domain.log_documents import ExportRequest, InstanceRequest, LogExport, RawLogs
from logcache_assets.domain.log_ranges import ProvenRange, plan_comparison, was_compared_with
from logcache_assets.domain.names import raw_datasets
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.soundness import find_export_problems
from logcache_assets.domain.unproven import find_unproven
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.log.proven_files import read_manifest
from logcache_assets.errors import Refused
from logcache_assets.ports import NotebookRunner, NotebookWrongData, ObjectStore, SegmentIndex, Tell
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.export_run import read_answer, request_token, store_request
from logcache_assets.refresh.file_proofs import expected_pins, listed, pins

Segments = Mapping[Instance, Sequence[Segment]]
"""The segments of each instance of a refresh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDescriber:
    """Reuses documents that still describe the raw logs, and runs the notebook for the other databases."""

    store: ObjectStore
    segment_index: SegmentIndex
    runner: NotebookRunner
    locations: Locations
    tell: Tell
    """Takes lines for the run's log."""
    tell_output: Tell
    """Takes the notebook's own output."""
    verify_all: bool = False
    """Compare the logs with every segment, also with those that the active caches' manifests vouch for."""

    def describe(self, night: NightlyTransaction, databases: Catalog, *, active: LogCacheMap) -> dict[str, LogExport]:
        """Return one document per database; the notebook runs once for all databases without a valid document.

        Args:
            night: the night whose raw logs are described.
            databases: the databases of the refresh.
            active: the map whose caches vouch for segments that they were compared with.

        Raises:
            Refused: the night was not chosen for one of these databases.
            NotebookError: the notebook failed, or its result lacks an instance.
        """
        _require_raw_paths(night, databases)
        segments = {i: self.segment_index.segments(i) for database in databases for i in database.instances}
        known = {d.database: self._find_valid(night, d, segments) for d in databases}
        due = tuple(d for d in databases if known[d.database] is None)
        found = {name: export for name, export in known.items() if export is not None}
        if due:
            self.tell(f"The export notebook reads the raw logs of {', '.join(d.database for d in due)}")
            found |= self._export(night, due, segments, active)
        return {d.database: found[d.database] for d in databases}

    def document_uri(self, night: NightlyTransaction, database: str) -> str:
        """URI of the document of a database."""
        return self.locations.export(transaction=night.transaction, database=database)

    def _find_valid(
        self, night: NightlyTransaction, database: DatabaseDefinition, segments: Segments
    ) -> LogExport | None:
        uri = self.document_uri(night, database.database)
        export = Documents(self.store).find(uri, LogExport)
        if export is None or not is_still_true(export, night, database, segments, self.store):
            return None
        is_enough = not (self.verify_all and any(r.vouched for logs in export.instances for r in logs.ranges))
        return export if is_enough else None

    def _export(
        self, night: NightlyTransaction, databases: Catalog, segments: Segments, active: LogCacheMap
    ) -> dict[str, LogExport]:
        """Run the notebook once for these databases and return one document for each."""
        instances = [instance for database in databases for instance in database.instances]
        request = ExportRequest(
            transaction=night.transaction,
            instances=tuple(self._request(night, i, segments[i], entry_of(active, i)) for i in instances),
        )
        token = request_token(request, night)
        uri = store_request(request, token=token, locations=self.locations, store=self.store)
        answer = self.runner.run({"request": uri}, token=token, tell=self.tell_output)
        found = {logs.instance: logs for logs in read_answer(answer, self.store)}
        if missing := [instance.name for instance in instances if instance.name not in found]:
            raise NotebookWrongData(
                f"the notebook's result lacks {', '.join(missing)}; see its output and run it again"
            )
        return {database.database: _document(night, database, found) for database in databases}

    def _request(
        self, night: NightlyTransaction, instance: Instance, segments: Sequence[Segment], entry: MapEntry | None
    ) -> InstanceRequest:
        log, entities = raw_datasets(instance)
        proven = () if entry is None or self.verify_all else find_proven_ranges(instance, entry, self.store)
        return InstanceRequest(
            instance=instance.name,
            log=night.raw_paths[log],
            materialized_entities=night.raw_paths[entities],
            segments=plan_comparison(segments, proven),
        )


def find_proven_ranges(instance: Instance, entry: MapEntry, store: ObjectStore) -> tuple[ProvenRange, ...]:
    """The ranges that an entry's manifest vouches for; none if the entry has no sound manifest."""
    try:
        return read_manifest(instance, entry, store).ranges
    except CacheError:
        return ()


def _document(night: NightlyTransaction, database: DatabaseDefinition, found: Mapping[str, RawLogs]) -> LogExport:
    return LogExport(
        transaction=night.transaction,
        database=database.database,
        source_read_at=night.started_at,
        instances=tuple(found[instance.name] for instance in database.instances),
    )


def is_still_true(
    export: LogExport,
    night: NightlyTransaction,
    database: DatabaseDefinition,
    segments: Segments,
    store: ObjectStore,
) -> bool:
    """True if a document still describes the files at the raw paths and the segments of the index."""
    if [logs.instance for logs in export.instances] != [instance.name for instance in database.instances]:
        return False
    return all(
        was_compared_with(logs.ranges, segments[instance], last_t=logs.log.last_t)
        and all(
            dataset.uri == night.raw_paths[name] and pins(listed(store, dataset.uri)) == expected_pins(dataset)
            for name, dataset in zip(raw_datasets(instance), (logs.log, logs.materialized_entities), strict=True)
        )
        for logs, instance in zip(export.instances, database.instances, strict=True)
    )


def find_problems(export: LogExport, active: LogCacheMap) -> Iterator[Problem]:
    """Reasons why the logs of a database must not become its caches."""
    for logs in export.instances:
        yield from find_export_problems(logs, entry_of(active, parse_instance(logs.instance)))
        yield from find_unproven(logs, source_read_at=export.source_read_at)


def _require_raw_paths(night: NightlyTransaction, databases: Catalog) -> None:
    for database in databases:
        if database.database not in night.databases:
            raise Refused(
                f"nightly_transaction was chosen for {', '.join(night.databases)} only; materialize it together with "
                f"{Stage.EXPORT}/{database.database}"
            )
