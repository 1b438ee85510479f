"""Stage 2: the export notebook describes the raw logs of every database, from their data."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence

import dagster as dg
import msgspec

from logcache_assets.catalog import Catalog, select_databases
from logcache_assets.defs.stage import (
    BASE_BRANCH,
    DOCUMENT,
    OWNERS,
    Context,
    Materialized,
    Metadata,
    database_key,
    refusals_fail_the_asset,
    selected_databases,
    tags_of,
    upstream_document,
)
from logcache_assets.domain.definitions import DatabaseDefinition
from logcache_assets.domain.documents import LogExport, NightlyTransaction, RawLogs
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.domain.log_cache_map import MAP_PATH, LogCacheMap, entry_of, parse_map
from logcache_assets.domain.names import raw_datasets
from logcache_assets.domain.soundness import find_export_problems
from logcache_assets.errors import Refused
from logcache_assets.ports import ItaipuRepository, NotebookError, NotebookRunner, ObjectStore, Tell
from logcache_assets.refresh.copy_logs import digests, expected_digests, listed
from logcache_assets.refresh.document_store import Documents
from logcache_assets.settings import Settings

STAGE = "log_export"


def export_logs(
    night: NightlyTransaction, databases: Catalog, *, runner: NotebookRunner, tell: Tell
) -> dict[str, LogExport]:
    """Run the notebook once for these databases; one document each."""
    instances = [instance for database in databases for instance in database.instances]
    parameters = {"request": _request_text(night, instances)}
    answer = runner.run(parameters, token=_token(parameters), tell=tell)
    found = {logs.instance: logs for logs in _parse_answer(answer)}
    if missing := [instance.name for instance in instances if instance.name not in found]:
        raise NotebookError(f"the notebook's result lacks {', '.join(missing)}; see its output and run it again")
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


def _token(parameters: dict[str, str]) -> str:
    """The same request finds the same notebook run (Databricks: at most 64 characters)."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def _parse_answer(answer: str) -> tuple[RawLogs, ...]:
    try:
        return msgspec.json.decode(answer, type=tuple[RawLogs, ...])
    except msgspec.DecodeError as error:
        raise NotebookError(f"the notebook's result is malformed: {error}; see its output and run it again") from error


def _document(night: NightlyTransaction, database: DatabaseDefinition, found: dict[str, RawLogs]) -> LogExport:
    return LogExport(
        transaction=night.transaction,
        database=database.database,
        source_read_at=night.started_at,
        instances=tuple(found[instance.name] for instance in database.instances),
    )


def is_still_true(
    export: LogExport, night: NightlyTransaction, database: DatabaseDefinition, store: ObjectStore
) -> bool:
    """Whether a document still describes the files that lie at the raw paths."""
    if [logs.instance for logs in export.instances] != [instance.name for instance in database.instances]:
        return False
    return all(
        dataset.uri == night.raw_paths[name] and digests(listed(store, dataset.uri)) == expected_digests(dataset)
        for logs in export.instances
        for name, dataset in zip(
            raw_datasets(parse_instance(logs.instance)), (logs.log, logs.materialized_entities), strict=True
        )
    )


def build_log_export(catalog: Catalog) -> dg.AssetsDefinition:
    """One asset per database of this catalog, all in one step."""

    @dg.multi_asset(
        name=STAGE,
        can_subset=True,
        specs=[_spec(definition.database) for definition in catalog],
    )
    def log_export(
        context: Context,
        runner: dg.ResourceParam[NotebookRunner],
        store: dg.ResourceParam[ObjectStore],
        repository: dg.ResourceParam[ItaipuRepository],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[Materialized]:
        documents, started = Documents(store), time.monotonic()
        with refusals_fail_the_asset():
            night = upstream_document(context, documents, ["nightly_transaction"], NightlyTransaction)
            databases = select_databases(catalog, selected_databases(context))
            _require_raw_paths(night, databases)
            active = parse_map(repository.read(MAP_PATH, ref=BASE_BRANCH), where=f"{MAP_PATH} on {BASE_BRANCH}")
            exports = _find_or_export(context, night, databases, documents=documents, runner=runner, settings=settings)
            problems = [p for export in exports.values() for p in _problems(export, active)]
        duration: Metadata = {"duration_seconds": round(time.monotonic() - started, 3)}
        for database, export in exports.items():
            if not list(_problems(export, active)):
                yield _materialized(context, documents, export, settings, database=database, more=duration)
        if problems:
            raise dg.Failure(description="; ".join(problems), allow_retries=False)

    return log_export


def _spec(database: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        database_key(STAGE, database),
        deps=["nightly_transaction"],
        group_name="night",
        tags=tags_of(database),
        owners=OWNERS,
        kinds={"databricks", "parquet"},
        description=(
            f"What the export notebook found in the raw logs of {database}: for the log and the materialized entities "
            "of every prototype the files, schema, rows, duplicates, fingerprint and last t, computed from the data."
        ),
    )


def _require_raw_paths(night: NightlyTransaction, databases: Catalog) -> None:
    for database in databases:
        if database.database not in night.databases:
            raise Refused(
                f"nightly_transaction was chosen for {', '.join(night.databases)} only; materialize it together with "
                f"{STAGE}/{database.database}"
            )


def _find_or_export(
    context: Context,
    night: NightlyTransaction,
    databases: Catalog,
    *,
    documents: Documents,
    runner: NotebookRunner,
    settings: Settings,
) -> dict[str, LogExport]:
    """Documents that are complete and still true, and a notebook run for the rest."""
    found = {d.database: documents.find(_uri(settings, night.transaction, d.database), LogExport) for d in databases}
    kept = {
        d.database: export
        for d in databases
        if (export := found[d.database]) and is_still_true(export, night, d, documents.store)
    }
    due = tuple(d for d in databases if d.database not in kept)
    if due:
        context.log.info(f"The export notebook reads the raw logs of {', '.join(d.database for d in due)}")
        kept |= export_logs(night, due, runner=runner, tell=context.log.debug)
    return kept


def _uri(settings: Settings, transaction: str, database: str) -> str:
    return settings.locations.document(transaction=transaction, stage=STAGE, name=database)


def _problems(export: LogExport, active: LogCacheMap) -> Iterator[str]:
    for logs in export.instances:
        yield from find_export_problems(logs, entry_of(active, parse_instance(logs.instance)))


def _materialized(
    context: Context,
    documents: Documents,
    export: LogExport,
    settings: Settings,
    *,
    database: str,
    more: Metadata,
) -> Materialized:
    uri = _uri(settings, export.transaction, database)
    digest = documents.write(uri, export)
    rows = sum(logs.log.rows for logs in export.instances)
    ends = ", ".join(f"{logs.instance} to t {logs.log.last_t}" for logs in export.instances)
    context.log.info(f"{database}: {rows:,} datoms exported, {ends}")
    return dg.MaterializeResult(
        asset_key=database_key(STAGE, database),
        data_version=dg.DataVersion(digest),
        metadata=more
        | {
            DOCUMENT: dg.MetadataValue.path(uri),
            "dagster/row_count": rows,
            "size_bytes": sum(logs.log.size_bytes + logs.materialized_entities.size_bytes for logs in export.instances),
            "transaction": export.transaction,
            "dagster/column_schema": _column_schema(export),
            "instances": dg.MetadataValue.table(records=[_record(logs) for logs in export.instances]),
            **{f"last_t/{logs.instance}": logs.log.last_t for logs in export.instances},
        },
    )


def _column_schema(export: LogExport) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(name, kind) for name, kind in export.instances[0].log.columns.items()])


def _record(logs: RawLogs) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "instance": logs.instance,
            "last_t": logs.log.last_t,
            "datoms": logs.log.rows,
            "current_facts": logs.current_facts,
            "files": len(logs.log.files) + len(logs.materialized_entities.files),
            "log": logs.log.uri,
        }
    )
