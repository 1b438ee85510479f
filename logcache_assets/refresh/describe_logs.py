"""Step 2: run the export notebook, which describes the raw logs of the chosen night, one document per database.

domain/soundness.py decides whether a described log may become a cache; engine/raw computes the description.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from logcache_assets.catalog import Catalog
from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.documents import LogExport, NightlyTransaction, RawLogs
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.domain.json_text import JsonError, decode_json
from logcache_assets.domain.locations import Locations, Stage
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.domain.names import raw_datasets
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.soundness import find_export_problems
from logcache_assets.errors import Refused
from logcache_assets.ports import NotebookRunner, NotebookWrongData, ObjectStore, Tell
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.file_proofs import expected_pins, listed, pins


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDescriber:
    """Reuses documents that still describe the raw logs, and runs the notebook for the other databases."""

    store: ObjectStore
    runner: NotebookRunner
    locations: Locations
    tell: Tell
    """Takes lines for the run's log."""
    tell_output: Tell
    """Takes the notebook's own output."""

    def describe(self, night: NightlyTransaction, databases: Catalog) -> dict[str, LogExport]:
        """Return one document per database; the notebook runs once for all databases without a valid document.

        Raises:
            Refused: the night was not chosen for one of these databases.
            NotebookError: the notebook failed, or its result lacks an instance.
        """
        _require_raw_paths(night, databases)
        known = {d.database: self._find_valid(night, d) for d in databases}
        due = tuple(d for d in databases if known[d.database] is None)
        found = {name: export for name, export in known.items() if export is not None}
        if due:
            self.tell(f"The export notebook reads the raw logs of {', '.join(d.database for d in due)}")
            found |= export_logs(night, due, runner=self.runner, tell=self.tell_output)
        return {d.database: found[d.database] for d in databases}

    def document_uri(self, night: NightlyTransaction, database: str) -> str:
        """URI of the document of a database."""
        return self.locations.export(transaction=night.transaction, database=database)

    def _find_valid(self, night: NightlyTransaction, database: DatabaseDefinition) -> LogExport | None:
        uri = self.document_uri(night, database.database)
        export = Documents(self.store).find(uri, LogExport)
        return export if export and is_still_true(export, night, database, self.store) else None


def export_logs(
    night: NightlyTransaction, databases: Catalog, *, runner: NotebookRunner, tell: Tell
) -> dict[str, LogExport]:
    """Run the notebook once for these databases and return one document for each.

    Raises:
        NotebookError: the notebook failed, or its result lacks an instance.
    """
    instances = [instance for database in databases for instance in database.instances]
    parameters = {"request": _request_text(night, instances)}
    answer = runner.run(parameters, token=_token(parameters), tell=tell)
    found = {logs.instance: logs for logs in _parse_answer(answer)}
    if missing := [instance.name for instance in instances if instance.name not in found]:
        raise NotebookWrongData(f"the notebook's result lacks {', '.join(missing)}; see its output and run it again")
    return {database.database: _document(night, database, found) for database in databases}


def _request_text(night: NightlyTransaction, instances: Sequence[Instance]) -> str:
    wanted = []
    for instance in instances:
        log, entities = raw_datasets(instance)
        wanted.append(
            {
                "instance": instance.name,
                "log": night.raw_paths[log],
                "materialized_entities": night.raw_paths[entities],
            }
        )
    return json.dumps({"transaction": night.transaction, "instances": wanted}, sort_keys=True)


def _token(parameters: Mapping[str, str]) -> str:
    """Token of a request: the same request finds the same notebook run. Databricks allows 64 characters."""
    return hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode()).hexdigest()


def _parse_answer(answer: str) -> tuple[RawLogs, ...]:
    try:
        return decode_json(answer, tuple[RawLogs, ...])
    except JsonError as error:
        raise NotebookWrongData(
            f"the notebook's result is malformed: {error}; see its output and run it again"
        ) from error


def _document(night: NightlyTransaction, database: DatabaseDefinition, found: Mapping[str, RawLogs]) -> LogExport:
    return LogExport(
        transaction=night.transaction,
        database=database.database,
        source_read_at=night.started_at,
        instances=tuple(found[instance.name] for instance in database.instances),
    )


def is_still_true(
    export: LogExport, night: NightlyTransaction, database: DatabaseDefinition, store: ObjectStore
) -> bool:
    """True if a document still describes the files at the raw paths."""
    if [logs.instance for logs in export.instances] != [instance.name for instance in database.instances]:
        return False
    return all(
        dataset.uri == night.raw_paths[name] and pins(listed(store, dataset.uri)) == expected_pins(dataset)
        for logs in export.instances
        for name, dataset in zip(
            raw_datasets(parse_instance(logs.instance)), (logs.log, logs.materialized_entities), strict=True
        )
    )


def find_problems(export: LogExport, active: LogCacheMap) -> Iterator[Problem]:
    """Reasons why the logs of a database must not become its caches."""
    for logs in export.instances:
        yield from find_export_problems(logs, entry_of(active, parse_instance(logs.instance)))


def _require_raw_paths(night: NightlyTransaction, databases: Catalog) -> None:
    for database in databases:
        if database.database not in night.databases:
            raise Refused(
                f"nightly_transaction was chosen for {', '.join(night.databases)} only; materialize it together with "
                f"{Stage.EXPORT}/{database.database}"
            )
