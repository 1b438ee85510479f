"""Stage 2, the assets `log_export/<db>`; refresh/describe_logs.py describes the logs."""

import time
from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from logcache_assets.catalog import Catalog, select_databases
from logcache_assets.defs.asset_keys import located
from logcache_assets.defs.assets.outside_world import raw_key
from logcache_assets.defs.left_out import goes_on_result, goes_on_spec, report_left_out
from logcache_assets.defs.stage import (
    Context,
    Materialized,
    Metadata,
    database_key,
    in_turn,
    materialized,
    reuse_shown,
    selected_databases,
    tags_of,
    upstream_document,
)
from logcache_assets.defs.turns import Turn
from logcache_assets.domain.documents import NightlyTransaction
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.log_documents import LogExport, RawLogs
from logcache_assets.ports import ItaipuRepository, NotebookRunner, ObjectStore, SegmentIndex
from logcache_assets.refresh.describe_logs import LogDescriber
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.screen_databases import require_some
from logcache_assets.settings import Settings

STAGE = Stage.EXPORT.value


class LogExportConfig(dg.Config):
    """Run config of `log_export`."""

    verify_all: bool = Field(
        default=False,
        description="Compare the logs with every segment, "
        "also with those that the manifests of the active caches vouch for.",
    )


def build_log_export(catalog: Catalog) -> dg.AssetsDefinition:
    """One asset per database of this catalog, all in one step."""

    @dg.multi_asset(
        name=STAGE,
        can_subset=True,
        specs=[_spec(definition.database) for definition in catalog],
        check_specs=[goes_on_spec(STAGE, definition.database) for definition in catalog],
    )
    def log_export(
        context: Context,
        config: LogExportConfig,
        runner: dg.ResourceParam[NotebookRunner],
        store: dg.ResourceParam[ObjectStore],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        settings: dg.ResourceParam[Settings],
        turn: dg.ResourceParam[Turn],
    ) -> Iterator[Materialized | dg.AssetCheckResult]:
        documents, started = Documents(store), time.monotonic()
        describer = LogDescriber(
            store=store,
            segment_index=segment_index,
            runner=runner,
            locations=settings.locations,
            tell=context.log.info,
            tell_output=context.log.debug,
            verify_all=config.verify_all,
        )
        with in_turn(turn, Stage.EXPORT):
            night = upstream_document(context, documents, [Stage.NIGHT], NightlyTransaction)
            active = read_base_map(repository).entries
            selected = select_databases(catalog, selected_databases(context))
            described = describer.describe(night, selected, active=active)
            require_some(tuple(described.left_out.values()), tuple(d.database for d in selected), settings)
        of_run: Metadata = {"duration_seconds": round(time.monotonic() - started, 3)}
        if described.run is not None:
            of_run["notebook_run"] = dg.MetadataValue.url(described.run.page)
        for database in selected:
            name = database.database
            export = described.exports.get(name)
            if export is None:
                yield from report_left_out(STAGE, described.left_out[name], context, documents, settings.locations)
                continue
            uri = describer.document_uri(night, name)
            digest = documents.write(uri, export)
            reused = name in described.reused
            _tell(context, export, reused=reused)
            key = located(database_key(STAGE, name), context)
            yield materialized(uri, digest, of_run | _metadata(export) | reuse_shown(reused=reused), key=key)
            yield goes_on_result(STAGE, name, context)

    return log_export


def _spec(database: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        database_key(Stage.EXPORT, database),
        deps=[Stage.NIGHT.value, raw_key(database)],
        group_name="night",
        tags=tags_of(database),
        kinds={"databricks", "parquet"},
        description=(
            f"What the export notebook found in the raw logs of {database}: for the log and the materialized entities "
            "of every prototype the files, schema, rows, duplicates and last t, computed from the data. The log is "
            "proven to be its segments, range of t by range, and the entities to be the facts of that log."
        ),
    )


def _tell(context: Context, export: LogExport, *, reused: bool) -> None:
    rows = sum(logs.log.rows for logs in export.instances)
    ends = ", ".join(f"{logs.instance} to t {logs.log.last_t}" for logs in export.instances)
    how = "reused, as their earlier description is still true" if reused else "exported"
    context.log.info(f"{export.database}: {rows:,} datoms {how}, {ends}")


def _metadata(export: LogExport) -> Metadata:
    return {
        "dagster/row_count": sum(logs.log.rows for logs in export.instances),
        "size_bytes": sum(logs.log.size_bytes + logs.materialized_entities.size_bytes for logs in export.instances),
        "transaction": export.transaction,
        "dagster/column_schema": _column_schema(export),
        "instances": dg.MetadataValue.table(records=[_record(logs) for logs in export.instances]),
        **{f"last_t/{logs.instance}": logs.log.last_t for logs in export.instances},
    }


def _column_schema(export: LogExport) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(name, kind) for name, kind in export.instances[0].log.columns.items()])


def _record(logs: RawLogs) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "instance": logs.instance,
            "last_t": logs.log.last_t,
            "datoms": logs.log.rows,
            "current_facts": logs.current_facts,
            "segments_compared": len(logs.ranges),
            "segments_read": sum(not found.vouched for found in logs.ranges),
            "fingerprint": logs.log.fingerprint,
            "files": len(logs.log.files) + len(logs.materialized_entities.files),
            "log": logs.log.uri,
        }
    )
