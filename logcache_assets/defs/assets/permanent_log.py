"""Stage 3, the assets `permanent_log/<db>`; refresh/copy_logs.py copies the logs."""

import time
from collections.abc import Iterator

import dagster as dg

from logcache_assets.catalog import Catalog
from logcache_assets.defs.asset_keys import located
from logcache_assets.defs.assets.outside_world import LOG_SCHEMA
from logcache_assets.defs.left_out import (
    goes_on_result,
    goes_on_spec,
    left_out_by,
    report_left_out,
    upstream_or_left_out,
)
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
)
from logcache_assets.defs.turns import Turn
from logcache_assets.domain.documents import LeftOut, PermanentLog
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.log_documents import LogExport
from logcache_assets.errors import WrongData
from logcache_assets.ports import Clock, ObjectStore
from logcache_assets.refresh.copy_logs import Copier, find_intact_copy
from logcache_assets.refresh.copying.copy_meter import ProgressLines
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.screen_databases import require_some
from logcache_assets.settings import Settings

STAGE = Stage.PERMANENT_LOG.value


def build_permanent_log(catalog: Catalog) -> dg.AssetsDefinition:
    """One asset per database of this catalog, all in one step."""

    @dg.multi_asset(
        name=STAGE,
        can_subset=True,
        specs=[_spec(definition.database) for definition in catalog],
        check_specs=[goes_on_spec(STAGE, definition.database) for definition in catalog],
    )
    def permanent_log(
        context: Context,
        store: dg.ResourceParam[ObjectStore],
        clock: dg.ResourceParam[Clock],
        settings: dg.ResourceParam[Settings],
        turn: dg.ResourceParam[Turn],
    ) -> Iterator[Materialized | dg.AssetCheckResult]:
        documents, databases = Documents(store), selected_databases(context)
        left_out: list[LeftOut] = []
        for database in databases:
            started = time.monotonic()
            with in_turn(turn, Stage.PERMANENT_LOG):
                export = upstream_or_left_out(context, documents, Stage.EXPORT, database, LogExport)
                copier = Copier(store, clock, settings, progress=ProgressLines(context.log.info))
                document, reused = _copied(export, copier, documents, settings)
            if isinstance(document, LeftOut):
                left_out.append(document)
                yield from report_left_out(STAGE, document, context, documents, settings.locations)
                continue
            with in_turn(turn, Stage.PERMANENT_LOG):
                uri = settings.locations.permanent_log(transaction=document.transaction, database=database)
                digest = documents.write(uri, document)
            size = sum(log.size_bytes for log in document.logs)
            how = "reused, as the earlier copy is intact" if reused else "copied and proven"
            context.log.info(f"{database}: {sum(log.files for log in document.logs)} files, {size:,} bytes {how}")
            metadata = (
                _metadata(document)
                | reuse_shown(reused=reused)
                | {"duration_seconds": round(time.monotonic() - started, 3)}
            )
            yield materialized(uri, digest, metadata, key=located(database_key(STAGE, database), context))
            yield goes_on_result(STAGE, database, context)
        with in_turn(turn, Stage.PERMANENT_LOG):
            require_some(left_out, databases, settings)

    return permanent_log


def _copied(
    export: LogExport | LeftOut, copier: Copier, documents: Documents, settings: Settings
) -> tuple[PermanentLog | LeftOut, bool]:
    """The copy of an export, and whether it is an earlier one; what refuses it is a fault of its database."""
    if isinstance(export, LeftOut):
        return export, False
    try:
        earlier = find_intact_copy(documents, export, settings)
        return earlier or copier.copy_export(export), earlier is not None
    except WrongData as error:
        return left_out_by(error, stage=STAGE, database=export.database, transaction=export.transaction), False


def _spec(database: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        database_key(STAGE, database),
        deps=[database_key(Stage.EXPORT, database)],
        group_name="permanent_copy",
        tags=tags_of(database),
        kinds={"s3", "parquet"},
        metadata={"dagster/column_schema": LOG_SCHEMA},
        description=(
            f"The logs of {database} where nothing expires: one immutable folder per prototype and t, holding exactly "
            "the exported files. A manifest, written last, proves every file; nothing is ever overwritten or deleted."
        ),
    )


def _metadata(document: PermanentLog) -> Metadata:
    return {
        "dagster/row_count": sum(log.rows for log in document.logs),
        "files": sum(log.files for log in document.logs),
        "size_bytes": sum(log.size_bytes for log in document.logs),
        "transaction": document.transaction,
        "source_read_at": dg.MetadataValue.timestamp(document.source_read_at),
        "cached_logs": dg.MetadataValue.table(
            records=[
                dg.TableRecord(
                    {
                        "instance": log.instance,
                        "last_t": log.last_t,
                        "datoms": log.rows,
                        "files": log.files,
                        "size_bytes": log.size_bytes,
                        "manifest": log.manifest,
                    }
                )
                for log in document.logs
            ]
        ),
        **{f"last_t/{log.instance}": log.last_t for log in document.logs},
    }
