"""Stage 1, the asset `nightly_transaction`; refresh/choose_night.py makes the choice."""

import dagster as dg
from pydantic import Field

from logcache_assets.catalog import Catalog, select_databases
from logcache_assets.defs.assets.outside_world import NIGHTLY_RUN
from logcache_assets.defs.failures import rejected_table
from logcache_assets.defs.links import transaction_value
from logcache_assets.defs.stage import (
    WHOLE,
    Context,
    Materialized,
    Metadata,
    databases_in_run,
    in_turn,
    materialized,
    name_night,
)
from logcache_assets.defs.turns import Turn
from logcache_assets.domain.documents import NightlyTransaction
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.selections import selection_name
from logcache_assets.domain.wording import count_of
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, SegmentIndex
from logcache_assets.refresh.attempts import Attempts
from logcache_assets.refresh.choose_night import NightChooser
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.settings import Settings


class NightlyTransactionConfig(dg.Config):
    """Run config of `nightly_transaction`."""

    transaction: str | None = Field(
        default=None,
        description="The metapod transaction to build on, a UUID; the only way to use a HOTFIX. "
        "Default: the newest good DAILY one.",
    )


def build_nightly_transaction(catalog: Catalog) -> dg.AssetsDefinition:
    """The asset for the databases of this catalog."""
    names = [definition.database for definition in catalog]

    @dg.asset(group_name="night", tags=WHOLE, kinds={"graphql"}, deps=[NIGHTLY_RUN])
    def nightly_transaction(
        context: Context,
        config: NightlyTransactionConfig,
        metapod: dg.ResourceParam[Metapod],
        store: dg.ResourceParam[ObjectStore],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        clock: dg.ResourceParam[Clock],
        settings: dg.ResourceParam[Settings],
        turn: dg.ResourceParam[Turn],
    ) -> Materialized:
        """The last nightly run of Itaipu whose raw logs are complete and can still be copied.

        Of metapod's recent transactions it is the newest DAILY one in which both raw datasets of every wanted instance
        are committed, none is aborted or a placeholder, the files exist and do not expire during the copy. Every
        rejected transaction is listed with its reasons.
        """
        with in_turn(turn, Stage.NIGHT):
            databases = select_databases(catalog, databases_in_run(context, Stage.EXPORT, names))
            chooser = NightChooser(metapod=metapod, store=store, clock=clock, settings=settings)
            choice = chooser.judge(databases, named=config.transaction)
            chosen = chooser.require_chosen(choice)
            name_night(context, chosen.id)
            selection = selection_name([database.database for database in databases], catalog=names)
            book = Attempts(
                store=store, segment_index=segment_index, repository=repository, clock=clock, settings=settings
            )
            instances = [instance for database in databases for instance in database.instances]
            turn.begin(book, instances, transaction=chosen.id, selection=selection)
            active = read_base_map(repository).entries
            night = chooser.screen(choice, databases, active=active, index=segment_index)
            uri = settings.locations.night(transaction=night.transaction, selection=selection)
            digest = Documents(store).write(uri, night)
        context.log.info(_told(night))
        for left in night.left_out:
            context.log.warning(str(left))
        return materialized(uri, digest, _metadata(night, settings))

    return nightly_transaction


def _told(night: NightlyTransaction) -> str:
    began = f"{night.started_at:%Y-%m-%d %H:%M} UTC"
    rejected = f"; rejected: {count_of(len(night.rejected), 'newer transaction')}" if night.rejected else ""
    return f"Chose {night.type} transaction {night.transaction}, begun at {began}{rejected}"


def _metadata(night: NightlyTransaction, settings: Settings) -> Metadata:
    return {
        "transaction": transaction_value(settings, night.transaction),
        "type": dg.MetadataValue.text(night.type),
        "started_at": dg.MetadataValue.timestamp(night.started_at),
        "raw_datasets": dg.MetadataValue.int(len(night.raw_paths)),
        "databases_left_out": dg.MetadataValue.int(len(night.left_out)),
        "rejected_transactions": dg.MetadataValue.int(len(night.rejected)),
        "rejected": rejected_table(night.rejected),
    }
