"""Stage 6: Itaipu's contracts, one asset per dataset, each compared with yesterday's.

A contract that is aborted or missing fails its own checks only. It is not materialized, so nothing may depend on the
contracts directly: Dagster would skip it. `contract_inventory`, always made, carries the order to the report.
"""

from collections.abc import Iterator

import dagster as dg

from logcache_assets.adapters.scratch import open_driver
from logcache_assets.catalog import Catalog
from logcache_assets.defs.asset_keys import contract_key
from logcache_assets.defs.checks import contract_check_results, contract_check_specs
from logcache_assets.defs.stage import (
    INVENTORY,
    OWNERS,
    WHOLE,
    Context,
    Materialized,
    Metadata,
    in_turn,
    materialized,
    tags_of,
    upstream_document,
)
from logcache_assets.defs.turns import Turn
from logcache_assets.domain.contract_definitions import ContractTable, contract_tables
from logcache_assets.domain.documents import (
    Candidate,
    ContractInventory,
    ContractOutcome,
    NightlyTransaction,
    TestRun,
)
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.names import column_name
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, SegmentIndex
from logcache_assets.refresh.contract_evidence import Evidence
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.judge_contracts import JudgedDatabase, judge_contracts, make_inventory, undeclared_outcome
from logcache_assets.settings import Settings

STAGE = Stage.CONTRACTS.value
INVENTORY_KEY = dg.AssetKey(INVENTORY)


def build_contracts(catalog: Catalog) -> dg.AssetsDefinition:
    """One asset per contract dataset of this catalog, and the inventory, all in one step."""
    tables = {
        contract_key(STAGE, table.dataset): table for definition in catalog for table in contract_tables(definition)
    }

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
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        clock: dg.ResourceParam[Clock],
        pii_key: dg.ResourceParam[bytes],
        settings: dg.ResourceParam[Settings],
        turn: dg.ResourceParam[Turn],
    ) -> Iterator[Materialized | dg.AssetCheckResult]:
        documents = Documents(store)
        with in_turn(turn, Stage.CONTRACTS):
            evidence = Evidence(
                night=upstream_document(context, documents, [Stage.NIGHT], NightlyTransaction),
                candidate=upstream_document(context, documents, [Stage.CANDIDATE], Candidate),
                run=upstream_document(context, documents, [Stage.TEST_RUN], TestRun),
                metapod=metapod,
                store=store,
                segment_index=segment_index,
                repository=repository,
                clock=clock,
                pii_key=pii_key,
                settings=settings,
            )
        judged: dict[str, JudgedDatabase] = {}
        for database in _wanted(context, evidence.candidate):
            with in_turn(turn, Stage.CONTRACTS):
                judged[database] = _judge(context, evidence, database)
        for key in sorted(_asked(context) & tables.keys()):
            if key.path[1] in judged:
                outcome = judged[key.path[1]].outcomes.get(tables[key].dataset)
                yield from _reported(context, key, tables[key], outcome, evidence)
        if INVENTORY_KEY in context.selected_asset_keys:
            with in_turn(turn, Stage.CONTRACTS):
                others = [d for d in catalog if d.database not in evidence.candidate.databases]
                inventory = make_inventory(evidence, tuple(judged.values()), others=others)
                made = _inventory(context, documents, settings, inventory, evidence.candidate)
            yield made

    return contracts


def _asked(context: Context) -> set[dg.AssetKey]:
    """The assets that are selected, or of which a check is: a person may run a check alone."""
    return {*context.selected_asset_keys, *(check.asset_key for check in context.selected_asset_check_keys)}


def _wanted(context: Context, candidate: Candidate) -> tuple[str, ...]:
    """The candidate's databases of which a contract is selected; all of them if the inventory is."""
    selected = {key.path[1] for key in _asked(context) if len(key.path) > 1}
    return tuple(d for d in candidate.databases if d in selected or INVENTORY_KEY in context.selected_asset_keys)


def _judge(context: Context, evidence: Evidence, database: str) -> JudgedDatabase:
    with open_driver(evidence.settings.validation_driver) as driver:
        judged = judge_contracts(
            evidence,
            database,
            driver=driver,
            warn=context.log.warning,
            progress=lambda progress: context.log.debug(f"{database}: {progress}"),
        )
    compared = f"{len(judged.outcomes)} contracts compared with yesterday's"
    context.log.info(f"{database}: {compared}, {judged.refused} refused")
    return judged


def _reported(
    context: Context, key: dg.AssetKey, table: ContractTable, outcome: ContractOutcome | None, evidence: Evidence
) -> Iterator[Materialized | dg.AssetCheckResult]:
    """Yield the results of all checks of a contract and, if it has a table, its materialization."""
    outcome = outcome or undeclared_outcome(table, evidence)
    if outcome.figures is not None and key in context.selected_asset_keys:
        yield Materialized(asset_key=key, metadata=_metadata(outcome, table, outcome.figures, evidence))
    for result in contract_check_results(key, outcome):
        if dg.AssetCheckKey(key, str(result.check_name)) in context.selected_asset_check_keys:
            yield result


def _inventory(
    context: Context, documents: Documents, settings: Settings, inventory: ContractInventory, candidate: Candidate
) -> Materialized:
    uri = settings.locations.inventory(transaction=candidate.transaction, selection=candidate.selection)
    digest = documents.write(uri, inventory)
    failed = [o.dataset for o in inventory.outcomes if not o.passed]
    figures = [outcome.figures for outcome in inventory.outcomes if outcome.figures]
    first = f", first {', '.join(failed[:3])}" if failed else ""
    context.log.info(f"Compared {len(inventory.outcomes)} contracts with yesterday's: {len(failed)} failed{first}")
    return materialized(
        uri,
        digest,
        key=INVENTORY_KEY,
        metadata={
            "contracts": len(inventory.outcomes),
            "contracts_failed": len(failed),
            "rows": sum(outcome.rows or 0 for outcome in inventory.outcomes),
            "differing_rows": sum(found.differing for found in figures),
            "unexplained_rows": sum(found.reasons.get("unexplained", 0) for found in figures),
            "missed_rows": sum(found.reasons.get("missed", 0) for found in figures),
        },
    )


def _spec(key: dg.AssetKey, table: ContractTable) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        skippable=True,
        deps=[Stage.TEST_RUN.value],
        group_name=f"contracts_{key.path[1].replace('-', '_')}",
        owners=OWNERS,
        kinds={"parquet"},
        tags={**tags_of(key.path[1]), "contract_kind": table.kind.name},
        description=(
            f"{table.meaning}: the contract {table.dataset}, as Itaipu's test run computed it with the new log cache."
        ),
    )


def _inventory_spec(contracts: list[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        INVENTORY_KEY,
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


def _metadata(outcome: ContractOutcome, table: ContractTable, figures: ContractFigures, evidence: Evidence) -> Metadata:
    return {
        "size_bytes": sum(item.size_bytes for item in evidence.store.list_data(str(outcome.uri))),
        "dagster/row_count": outcome.rows or 0,
        "dagster/uri": str(outcome.uri),
        "dagster/table_name": outcome.dataset,
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(name, kind, description=_meaning(table, name))
                for name, kind in figures.today.columns.items()
            ]
        ),
        "yesterday_rows": outcome.yesterday_rows or 0,
        "differing_rows": figures.differing,
        "unexplained_rows": figures.reasons.get("unexplained", 0),
        "missed_rows": figures.reasons.get("missed", 0),
        "transaction": evidence.run.transaction,
        "itaipu_version": evidence.candidate.version,
        "rules_passed": sum(result.passed for result in outcome.results),
        "report": dg.MetadataValue.asset(dg.AssetKey(Stage.VERDICT.value)),
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
