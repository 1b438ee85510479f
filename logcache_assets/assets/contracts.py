"""Stage 6: Itaipu's contracts, one asset per dataset, each compared with yesterday's.

A contract that is aborted or missing fails its own checks only. It is not materialized, so nothing may depend on the
contracts directly: Dagster would skip it. `contract_inventory`, always made, carries the order to the report.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
import polars as pl

from logcache_assets.assets.stage import (
    DOCUMENT,
    OWNERS,
    WHOLE,
    Context,
    Materialized,
    Metadata,
    refusals_fail_the_asset,
    tags_of,
    upstream_document,
)
from logcache_assets.catalog import Catalog
from logcache_assets.checks import contract_check_results, contract_check_specs
from logcache_assets.document_store import Documents
from logcache_assets.domain.definitions import ContractTable, contract_tables
from logcache_assets.domain.documents import Candidate, ContractInventory, ContractOutcome, NightlyTransaction, TestRun
from logcache_assets.domain.names import column_name
from logcache_assets.domain.transactions import DatasetState, Transaction
from logcache_assets.domain.validation import ComparisonFigures, RuleResult, Thresholds, judge_contract, judge_unusable
from logcache_assets.engine.comparison import compare_tables
from logcache_assets.engine.layout import column_types
from logcache_assets.engine.parquet import list_folder, parquet_uris, read_parquet_files
from logcache_assets.errors import LogCacheError, Refused
from logcache_assets.ports import Metapod, ObjectStore
from logcache_assets.settings import Settings

STAGE = "contract"
INVENTORY = dg.AssetKey("contract_inventory")


def contract_key(table: ContractTable) -> dg.AssetKey:
    """`contract/feed/transactions`."""
    database, _, name = table.dataset.removeprefix("contract-").partition("/")
    return dg.AssetKey([STAGE, database, name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Reads a contract of both runs and says what the rules say of it."""

    today: Transaction
    yesterday: Transaction
    aborted: Mapping[str, str]
    """Dataset → why the test run gave it up."""
    store: ObjectStore
    thresholds: Thresholds

    def judge(self, table: ContractTable) -> tuple[ContractOutcome, pl.Schema | None]:
        """The outcome, and the schema of today's table where it could be read."""
        try:
            today = self._read(self.today, table.dataset, "the test run")
            yesterday = self._read(self.yesterday, table.dataset, "yesterday's run")
        except LogCacheError as error:
            return self._outcome(table, judge_unusable(str(error))), None
        figures = compare_tables(today=today, yesterday=yesterday, key=table.key)
        outcome = self._outcome(table, judge_contract(figures, self.thresholds), figures)
        return outcome, today.schema

    def _read(self, transaction: Transaction, name: str, run: str) -> pl.DataFrame:
        """The table; raises Refused with the reason why there is none."""
        dataset = transaction.datasets.get(name)
        if dataset is None:
            raise Refused(f"it is not part of {run}")
        if dataset.state is not DatasetState.COMMITTED or not dataset.path:
            why = self.aborted.get(name) if transaction is self.today else None
            raise Refused(f"it is {dataset.state} in {run}{f': {why}' if why else ''}")
        files = parquet_uris(list_folder(dataset.path, self.store))
        if not files:
            raise Refused(f"it is committed in {run}, but no file lies at {dataset.path}")
        return read_parquet_files(files, self.store)

    def _outcome(
        self, table: ContractTable, results: tuple[RuleResult, ...], figures: ComparisonFigures | None = None
    ) -> ContractOutcome:
        dataset = self.today.datasets.get(table.dataset)
        return ContractOutcome(
            dataset=table.dataset,
            state=dataset.state.value if dataset else "absent",
            uri=dataset.path if dataset else None,
            rows=figures.today.rows if figures else None,
            yesterday_rows=figures.yesterday.rows if figures else None,
            results=results,
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
            judge = Judge(
                today=metapod.transaction(run.transaction),
                yesterday=metapod.transaction(night.transaction),
                aborted=run.aborted,
                store=store,
                thresholds=settings.thresholds,
            )
        outcomes = []
        for key in sorted(context.selected_asset_keys & tables.keys()):
            if key.path[1] not in candidate.databases:
                continue
            with refusals_fail_the_asset():
                outcome, schema = judge.judge(tables[key])
            outcomes.append(outcome)
            if schema is not None:
                yield Materialized(asset_key=key, metadata=_metadata(outcome, tables[key], schema, run, store))
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
    failed = [o.dataset for o in inventory.outcomes if not o.passed]
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
        group_name=f"contracts_{key.path[1].replace('-', '_')}",
        owners=OWNERS,
        kinds={"parquet"},
        tags={**tags_of(key.path[1]), "contract_kind": table.kind},
        description=f"{shows}: the contract {table.dataset}, as Itaipu's test run computed it with the new log cache.",
    )


def _inventory_spec(contracts: list[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        INVENTORY,
        deps=contracts,
        group_name="publication",
        tags=WHOLE,
        owners=OWNERS,
        kinds={"json"},
        description=(
            "The list of all contracts of the test run with what every rule said of them, those that are missing "
            "included. The report is made from it."
        ),
    )


def _metadata(
    outcome: ContractOutcome, table: ContractTable, schema: pl.Schema, run: TestRun, store: ObjectStore
) -> Metadata:
    return {
        "size_bytes": sum(item.size_bytes for item in list_folder(str(outcome.uri), store)),
        "dagster/row_count": outcome.rows or 0,
        "dagster/uri": str(outcome.uri),
        "dagster/table_name": outcome.dataset,
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(name, kind, description=_meaning(table, name))
                for name, kind in column_types(schema).items()
            ]
        ),
        "yesterday_rows": outcome.yesterday_rows or 0,
        "transaction": run.transaction,
        "itaipu_version": run.candidate_sha[:8],
        "rules_passed": sum(result.passed for result in outcome.results),
        "report": dg.MetadataValue.asset(dg.AssetKey("validation_report")),
    }


def _meaning(table: ContractTable, column: str) -> str:
    """What a column shows, from its definition."""
    fixed = {
        column_name(table.entity.primary_key): f"primary key, :{table.entity.primary_key}",
        "prototype": "the prototype (shard) that holds the entity",
        "db__t": "t of the transaction that made this row",
        "db__tx_instant": "instant of that transaction",
    }
    attribute = next((a for a in table.attributes if a.column == column), None)
    if attribute is None:
        return fixed.get(column, "")
    shown = f"the referred {attribute.ref} of :{attribute.attribute}" if attribute.ref else f":{attribute.attribute}"
    return f"{shown}, personal data, hashed" if attribute.pii else shown
