"""Stage 6: Itaipu's contracts, one asset per dataset, each compared with yesterday's.

A contract that is aborted or missing fails its own checks only. It is not materialized, so nothing may depend on the
contracts directly: Dagster would skip it. `contract_inventory`, always made, carries the order to the report.
"""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from logcache_assets.assets.stage import (
    DOCUMENT,
    OWNERS,
    REFRESH_GROUP,
    Context,
    Materialized,
    Metadata,
    database_group,
    refusals_fail_the_asset,
    upstream_document,
)
from logcache_assets.catalog import Catalog
from logcache_assets.checks import contract_check_results, contract_check_specs
from logcache_assets.document_store import Documents
from logcache_assets.domain.definitions import ContractTable, contract_tables
from logcache_assets.domain.documents import Candidate, ContractInventory, ContractOutcome, NightlyTransaction, TestRun
from logcache_assets.domain.transactions import Dataset, DatasetState, Transaction
from logcache_assets.domain.validation import Thresholds, judge_contract, judge_unusable
from logcache_assets.engine.comparison import compare_tables
from logcache_assets.engine.layout import column_types
from logcache_assets.engine.parquet import ParquetError, list_folder, parquet_uris, read_parquet_files
from logcache_assets.ports import Metapod, ObjectStore
from logcache_assets.settings import Settings

STAGE = "contract"
INVENTORY = dg.AssetKey("contract_inventory")


def contract_key(table: ContractTable) -> dg.AssetKey:
    """`contract/feed/transactions`."""
    database, _, name = table.dataset.removeprefix("contract-").partition("/")
    return dg.AssetKey([STAGE, database, name])


def judge_dataset(
    table: ContractTable, *, today: Transaction, yesterday: Transaction, store: ObjectStore, thresholds: Thresholds
) -> tuple[ContractOutcome, pl.Schema | None]:
    """What the rules say of one contract, and its schema where it could be read."""
    dataset = today.datasets.get(table.dataset)
    state = dataset.state.value if dataset else "absent"
    try:
        frame = _read(dataset, table.dataset, "the test run", store)
        before = _read(yesterday.datasets.get(table.dataset), table.dataset, "yesterday's run", store)
    except ParquetError as error:
        return _unusable(table, dataset, state, str(error)), None
    if isinstance(frame, str) or isinstance(before, str):
        reason = frame if isinstance(frame, str) else str(before)
        return _unusable(table, dataset, state, reason), None
    outcome = ContractOutcome(
        dataset=table.dataset,
        state=state,
        uri=dataset.path if dataset else None,
        rows=len(frame),
        yesterday_rows=len(before),
        results=judge_contract(compare_tables(today=frame, yesterday=before, key=table.key), thresholds),
    )
    return outcome, frame.schema


def _read(dataset: Dataset | None, name: str, run: str, store: ObjectStore) -> pl.DataFrame | str:
    """The table, or why there is none."""
    if dataset is None:
        return f"{name} is not part of {run}"
    if dataset.state is not DatasetState.COMMITTED or not dataset.path:
        return f"{name} is {dataset.state} in {run}"
    files = parquet_uris(list_folder(dataset.path, store))
    if not files:
        return f"{name} is committed in {run}, but no file lies at {dataset.path}"
    return read_parquet_files(files, store)


def _unusable(table: ContractTable, dataset: Dataset | None, state: str, reason: str) -> ContractOutcome:
    return ContractOutcome(
        dataset=table.dataset,
        state=state,
        uri=dataset.path if dataset else None,
        rows=None,
        yesterday_rows=None,
        results=judge_unusable(reason),
    )


def build_contracts(catalog: Catalog) -> dg.AssetsDefinition:
    """One asset per contract dataset of this catalog, and the inventory, all in one step."""
    tables = {contract_key(table): table for definition in catalog for table in contract_tables(definition)}

    @dg.multi_asset(
        name="contracts",
        can_subset=True,
        specs=[*(_spec(key, table) for key, table in tables.items()), _inventory_spec(list(tables))],
        check_specs=[spec for key in tables for spec in contract_check_specs(key)],
    )
    def contracts(
        context: Context,
        metapod: dg.ResourceParam[Metapod],
        store: dg.ResourceParam[ObjectStore],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[Materialized | dg.AssetCheckResult]:
        documents = Documents(store)
        with refusals_fail_the_asset():
            night = upstream_document(context, documents, ["nightly_transaction"], NightlyTransaction)
            candidate = upstream_document(context, documents, ["log_cache_candidate"], Candidate)
            run = upstream_document(context, documents, ["itaipu_test_run"], TestRun)
            today, yesterday = metapod.transaction(run.transaction), metapod.transaction(night.transaction)
        outcomes = []
        for key in sorted(context.selected_asset_keys & tables.keys()):
            if key.path[1] not in candidate.databases:
                continue
            with refusals_fail_the_asset():
                outcome, schema = judge_dataset(
                    tables[key], today=today, yesterday=yesterday, store=store, thresholds=settings.thresholds
                )
            outcomes.append(outcome)
            if schema is not None:
                yield Materialized(asset_key=key, metadata=_metadata(outcome, schema, today.id))
            for result in contract_check_results(key, outcome):
                if dg.AssetCheckKey(key, str(result.check_name)) in context.selected_asset_check_keys:
                    yield result
        if INVENTORY in context.selected_asset_keys:
            inventory = ContractInventory(
                candidate_sha=run.candidate_sha,
                map_sha256=run.map_sha256,
                test_transaction=run.transaction,
                yesterday_transaction=night.transaction,
                outcomes=tuple(outcomes),
            )
            yield _inventory(context, documents, settings, inventory, selection=candidate.selection)

    return contracts


def _inventory(
    context: Context, documents: Documents, settings: Settings, inventory: ContractInventory, *, selection: str
) -> Materialized:
    uri = settings.locations.document(transaction=inventory.yesterday_transaction, stage=STAGE, name=selection)
    with refusals_fail_the_asset():
        digest = documents.write(uri, inventory)
    failed = [o.dataset for o in inventory.outcomes if not all(result.passed for result in o.results)]
    first = f", first {', '.join(failed[:3])}" if failed else ""
    context.log.info(f"Compared {len(inventory.outcomes)} contracts with yesterday's: {len(failed)} failed{first}")
    return Materialized(
        asset_key=INVENTORY,
        data_version=dg.DataVersion(digest),
        metadata={
            DOCUMENT: dg.MetadataValue.path(uri),
            "contracts": len(inventory.outcomes),
            "contracts_failed": len(failed),
            "rows": sum(outcome.rows or 0 for outcome in inventory.outcomes),
        },
    )


def _spec(key: dg.AssetKey, table: ContractTable) -> dg.AssetSpec:
    shows = {
        "entity": f"One row per {table.entity.primary_key}",
        "history": f"One row per change of {', '.join(a.attribute for a in table.attributes)}",
        "snapshot": f"The whole entity after every transaction that touched it, by {table.entity.primary_key}",
    }[table.kind]
    return dg.AssetSpec(
        key,
        skippable=True,
        deps=["itaipu_test_run"],
        group_name=database_group(key.path[1]),
        owners=OWNERS,
        kinds={"parquet"},
        tags={"contract_kind": table.kind},
        description=f"{shows}: the contract {table.dataset}, as Itaipu's test run computed it with the new log cache.",
    )


def _inventory_spec(contracts: list[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        INVENTORY,
        deps=contracts,
        group_name=REFRESH_GROUP,
        owners=OWNERS,
        kinds={"json"},
        description=(
            "The list of all contracts of the test run with what every rule said of them, those that are missing "
            "included. The report is made from it."
        ),
    )


def _metadata(outcome: ContractOutcome, schema: pl.Schema, transaction: str) -> Metadata:
    columns = [dg.TableColumn(name, kind) for name, kind in column_types(schema).items()]
    return {
        "dagster/row_count": outcome.rows or 0,
        "dagster/uri": str(outcome.uri),
        "dagster/table_name": outcome.dataset,
        "dagster/column_schema": dg.TableSchema(columns),
        "yesterday_rows": outcome.yesterday_rows or 0,
        "transaction": transaction,
        "rules_passed": sum(result.passed for result in outcome.results),
    }
