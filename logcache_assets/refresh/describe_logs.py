"""Step 2: run the export notebook, which describes the raw logs of the chosen night, one document per database.

domain/soundness.py decides whether a described log may become a cache; engine/raw computes the description.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from logcache_assets.catalog import Catalog
from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.documents import LeftOut, NightlyTransaction, leave_out
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.domain.locations import Locations, Stage
from logcache_assets.domain.log_cache_map import LogCacheMap, MapEntry, any_entry_of, entry_of
from logcache_assets.domain.log_documents import ExportAnswer, ExportRequest, InstanceRequest, LogExport, RawLogs
from logcache_assets.domain.log_ranges import ProvenRange, plan_comparison, was_compared_with
from logcache_assets.domain.names import raw_datasets
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.soundness import OTHER_NIGHT, find_export_problems
from logcache_assets.domain.unproven import find_unproven
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.log.proven_files import read_manifest
from logcache_assets.errors import Refused
from logcache_assets.ports import NotebookRun, NotebookRunner, NotebookWrongData, ObjectStore, SegmentIndex, Tell
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.export_run import read_answer, request_token, store_request
from logcache_assets.refresh.file_proofs import expected_pins, listed, pins

Segments = Mapping[Instance, Sequence[Segment]]
"""The segments of each instance of a refresh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What is known of the raw logs of a night."""

    exports: Mapping[str, LogExport]
    """One document per database whose logs may become its caches."""
    left_out: Mapping[str, LeftOut]
    """The other databases."""
    reused: frozenset[str]
    """Databases whose earlier document is still true."""
    run: NotebookRun | None
    """The run that found it out; None if every document was there and still true."""


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

    def describe(self, night: NightlyTransaction, databases: Catalog, *, active: LogCacheMap) -> Described:
        """Describe each database; the notebook runs once for all databases without a valid document.

        Args:
            night: the night whose raw logs are described.
            databases: the databases of the refresh.
            active: the map whose caches vouch for segments that they were compared with.

        Raises:
            Refused: the night was not chosen for one of these databases.
            NotebookError: the notebook failed, or its result lacks an instance.
        """
        _require_raw_paths(night, databases)
        left_out = {left.database: left for left in night.left_out}
        databases = tuple(d for d in databases if d.database not in left_out)
        segments = ask_each((i for database in databases for i in database.instances), self.segment_index.segments)
        known = {d.database: self._find_valid(night, d, segments) for d in databases}
        due = tuple(d for d in databases if known[d.database] is None)
        found: dict[str, LogExport | tuple[Problem, ...]] = {n: e for n, e in known.items() if e is not None}
        run = None
        if due:
            self.tell(f"The export notebook reads the raw logs of {', '.join(d.database for d in due)}")
            run, exported = self._export(night, due, segments, active)
            found |= exported
        for name, export in found.items():
            wrong = export if isinstance(export, tuple) else tuple(find_problems(export, active))
            if wrong:
                left_out[name] = leave_out(name, wrong, stage=Stage.EXPORT, transaction=night.transaction)
        sound = {name: e for name, e in found.items() if isinstance(e, LogExport) and name not in left_out}
        reused = frozenset(name for name in sound if known[name] is not None)
        return Described(exports=sound, left_out=left_out, reused=reused, run=run)

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
    ) -> tuple[NotebookRun, dict[str, LogExport | tuple[Problem, ...]]]:
        """Run the notebook once for these databases; returns its run, and the document of each, or what is wrong."""
        instances = [instance for database in databases for instance in database.instances]
        request = ExportRequest(
            transaction=night.transaction,
            instances=tuple(self._request(night, i, segments[i], entry_of(active, i)) for i in instances),
        )
        token = request_token(request, night)
        uri = store_request(request, token=token, locations=self.locations, store=self.store)
        run = self.runner.run({"request": uri}, token=token, tell=self.tell, tell_output=self.tell_output)
        answer = read_answer(run.result, self.store)
        found = {logs.instance: logs for logs in answer.instances}
        known = found.keys() | answer.unread.keys()
        if missing := [instance.name for instance in instances if instance.name not in known]:
            raise NotebookWrongData(
                f"the notebook's result lacks {', '.join(missing)}; see its output and run it again"
            )
        unread = {d.database: tuple(_unread(d, answer)) for d in databases}
        return run, {d.database: unread[d.database] or _document(night, d, found) for d in databases}

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


def _unread(database: DatabaseDefinition, answer: ExportAnswer) -> Iterator[Problem]:
    for name in (instance.name for instance in database.instances):
        if why := answer.unread.get(name):
            yield Problem(subjects=(name,), found=(why,), remedy=OTHER_NIGHT)


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
        yield from find_export_problems(logs, any_entry_of(active, parse_instance(logs.instance)))
        yield from find_unproven(logs, source_read_at=export.source_read_at)


def _require_raw_paths(night: NightlyTransaction, databases: Catalog) -> None:
    for database in databases:
        if database.database not in night.databases:
            raise Refused(
                f"nightly_transaction was chosen for {', '.join(night.databases)} only; materialize it together with "
                f"{Stage.EXPORT}/{database.database}"
            )
