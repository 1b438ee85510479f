"""Stage 1: the newest good DAILY transaction, or the one named in the run config."""

from datetime import timedelta

import dagster as dg

from logcache_assets.catalog import Catalog, select_databases
from logcache_assets.defs.stage import (
    DOCUMENT,
    OWNERS,
    WHOLE,
    Context,
    Materialized,
    Metadata,
    databases_in_run,
    refusals_fail_the_asset,
)
from logcache_assets.domain.documents import NightlyTransaction, RejectedTransaction
from logcache_assets.domain.selections import selection_name
from logcache_assets.domain.transactions import (
    Choice,
    GoodNight,
    StoredFiles,
    TransactionType,
    choose_transaction,
    wanted_datasets,
)
from logcache_assets.errors import Refused
from logcache_assets.ports import Clock, Metapod, ObjectStore
from logcache_assets.refresh.document_store import Documents
from logcache_assets.settings import Settings


class NightlyTransactionConfig(dg.Config):
    """Which transaction to build on."""

    transaction: str | None = None
    """A metapod transaction; the only way to use a HOTFIX. Default: the newest good DAILY one."""


def choose_night(
    databases: Catalog, *, named: str | None, metapod: Metapod, store: ObjectStore, clock: Clock, settings: Settings
) -> Choice:
    """Judge the recent transactions, or the named one, by the rules of a good night."""
    rules = GoodNight(
        instances=tuple(instance for database in databases for instance in database.instances),
        types=(TransactionType.DAILY, TransactionType.HOTFIX) if named else (TransactionType.DAILY,),
        now=clock.now(),
        retention_days=store.retention_days(settings.ephemeral_bucket),
        needed=settings.copy_time,
    )
    since = clock.now() - timedelta(days=settings.lookback_days)
    candidates = (metapod.transaction(named),) if named else metapod.transactions(*TransactionType, since=since)
    return choose_transaction(candidates, rules, lambda uri: _stored_files(store, uri))


def _stored_files(store: ObjectStore, folder_uri: str) -> StoredFiles:
    found = store.list_objects(folder_uri.rstrip("/") + "/")
    oldest = min((item.modified_at for item in found), default=None)
    return StoredFiles(count=len(found), oldest_modified_at=oldest)


def refusal_text(choice: Choice, settings: Settings) -> str:
    """Why there is no good transaction, with every rejected one."""
    if not choice.rejected:
        return (
            f"metapod shows no transaction of the last {settings.lookback_days} days; "
            "wait for the next nightly run, or raise LOGCACHE_LOOKBACK_DAYS"
        )
    lines = [
        f"{r.transaction.type} {r.transaction.id}: {'; '.join(r.reasons[:3])}{_more(r.reasons)}"
        for r in choice.rejected
    ]
    return "no good nightly transaction; wait for the next nightly run or name one. Rejected: " + " | ".join(lines)


def _more(reasons: tuple[str, ...]) -> str:
    return f" and {len(reasons) - 3} more reasons" if len(reasons) > 3 else ""  # noqa: PLR2004 - as many as are shown


def describe_choice(choice: Choice, databases: Catalog) -> NightlyTransaction:
    """The document of a choice; refuses when nothing was chosen."""
    chosen = choice.chosen
    if chosen is None:
        raise Refused("no transaction was chosen")
    wanted = wanted_datasets([instance for database in databases for instance in database.instances])
    return NightlyTransaction(
        transaction=chosen.id,
        type=chosen.type,
        started_at=chosen.started_at,
        target_date=chosen.target_date,
        databases=tuple(database.database for database in databases),
        raw_paths={name: chosen.datasets[name].path or "" for name in wanted},
        rejected=tuple(
            RejectedTransaction(
                transaction=r.transaction.id,
                type=r.transaction.type,
                started_at=r.transaction.started_at,
                reasons=r.reasons,
            )
            for r in choice.rejected
        ),
    )


def build_nightly_transaction(catalog: Catalog) -> dg.AssetsDefinition:
    """The asset, for the databases of this catalog."""

    @dg.asset(group_name="night", tags=WHOLE, owners=OWNERS, kinds={"graphql"})
    def nightly_transaction(
        context: Context,
        config: NightlyTransactionConfig,
        metapod: dg.ResourceParam[Metapod],
        store: dg.ResourceParam[ObjectStore],
        clock: dg.ResourceParam[Clock],
        settings: dg.ResourceParam[Settings],
    ) -> Materialized:
        """The last nightly run of Itaipu whose raw logs are complete and can still be copied.

        Of metapod's recent transactions it is the newest DAILY one in which both raw datasets of every wanted instance
        are committed, none is aborted or a placeholder, the files exist and do not expire during the copy. Every
        rejected transaction is listed with its reasons.
        """
        with refusals_fail_the_asset():
            wanted = databases_in_run(context, "log_export", [d.database for d in catalog])
            databases = select_databases(catalog, wanted)
            choice = choose_night(
                databases, named=config.transaction, metapod=metapod, store=store, clock=clock, settings=settings
            )
            if choice.chosen is None:
                raise Refused(refusal_text(choice, settings))
            document = describe_choice(choice, databases)
            uri = settings.locations.document(
                transaction=document.transaction,
                stage="nightly_transaction",
                name=selection_name(document.databases, catalog=[d.database for d in catalog]),
            )
            digest = Documents(store).write(uri, document)
        context.log.info(
            f"Chose {document.type} transaction {document.transaction}, started {document.started_at:%Y-%m-%d %H:%M} "
            f"UTC; {len(document.rejected)} newer ones were passed over"
        )
        return dg.MaterializeResult(data_version=dg.DataVersion(digest), metadata=_metadata(document, uri))

    return nightly_transaction


def _metadata(document: NightlyTransaction, uri: str) -> Metadata:
    rejected = [
        dg.TableRecord({"transaction": r.transaction, "type": r.type, "reasons": "; ".join(r.reasons)})
        for r in document.rejected
    ]
    schema = dg.TableSchema([dg.TableColumn("transaction"), dg.TableColumn("type"), dg.TableColumn("reasons")])
    return {
        DOCUMENT: dg.MetadataValue.path(uri),
        "transaction": dg.MetadataValue.text(document.transaction),
        "type": dg.MetadataValue.text(document.type),
        "started_at": dg.MetadataValue.timestamp(document.started_at),
        "raw_datasets": dg.MetadataValue.int(len(document.raw_paths)),
        "rejected_transactions": dg.MetadataValue.int(len(document.rejected)),
        "rejected": dg.MetadataValue.table(records=rejected, schema=schema),
    }
