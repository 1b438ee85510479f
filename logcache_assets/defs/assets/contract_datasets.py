"""Stage 6: Itaipu's contracts, one asset per dataset, each compared with yesterday's.

A contract that is aborted or missing fails its own checks only. It is not materialized, so nothing may depend on the
contracts directly: Dagster would skip it. `contract_inventory`, always made, carries the order to the report.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter

import dagster as dg

from logcache_assets.adapters.scratch import open_driver
from logcache_assets.catalog import Catalog
from logcache_assets.defs.asset_keys import INVENTORY, contract_key, located, own_path
from logcache_assets.defs.assets.outside_world import RULES, night_contracts_key
from logcache_assets.defs.checks import RULES_PASSED, contract_check_result, contract_check_spec
from logcache_assets.defs.column_lineage import contract_lineage, datomic_key
from logcache_assets.defs.links import report_value
from logcache_assets.defs.stage import (
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
from logcache_assets.domain.problems import Problem
from logcache_assets.errors import Refused
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, NotebookRunner, ObjectStore, SegmentIndex
from logcache_assets.refresh.comparison_run import NotebookCounter
from logcache_assets.refresh.contract_evidence import Evidence
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.judge_contracts import (
    Count,
    JudgedDatabase,
    counted_by,
    find_judged,
    judge_contracts,
    left_out_outcome,
    make_inventory,
    undeclared_outcome,
)
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
        check_specs=[contract_check_spec(key) for key in tables],
    )
    def contracts(
        context: Context,
        metapod: dg.ResourceParam[Metapod],
        store: dg.ResourceParam[ObjectStore],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        clock: dg.ResourceParam[Clock],
        runner: dg.ResourceParam[NotebookRunner],
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
            _refuse_absent(context, evidence.candidate)
        left_out = {left.database: left for left in evidence.candidate.left_out}
        judged: dict[str, JudgedDatabase] = {}
        for database in _wanted(context, evidence.candidate):
            with in_turn(turn, Stage.CONTRACTS):
                judged[database] = _judge(context, evidence, runner, database)
        asked = {own_path(key): key for key in _asked(context)}
        for own, table in sorted(tables.items(), key=itemgetter(0)):
            shown = asked.get(tuple(own.path))
            if shown is not None and own.path[1] in judged:
                outcome = judged[own.path[1]].outcomes.get(table.dataset)
                yield from _reported(context, shown, table, outcome, evidence)
            elif shown is not None and own.path[1] in left_out:
                outcome = left_out_outcome(table, left_out[own.path[1]])
                yield from _reported(context, shown, table, outcome, evidence)
        if located(INVENTORY_KEY, context) in context.selected_asset_keys:
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
    paths = [own_path(key) for key in _asked(context)]
    selected = {path[1] for path in paths if len(path) > 1}
    is_whole = located(INVENTORY_KEY, context) in context.selected_asset_keys
    return tuple(d for d in candidate.databases if is_whole or d in selected)


def _refuse_absent(context: Context, candidate: Candidate) -> None:
    """Refuse a selected contract whose database an earlier run left out of the candidate.

    A run that makes the candidate says itself which databases it leaves out.
    """
    selection = context.run.asset_selection or frozenset()
    made = (not selection and not context.run.asset_check_selection) or any(
        own_path(key) == (Stage.CANDIDATE.value,) for key in selection
    )
    paths = map(own_path, _asked(context))
    absent = sorted({path[1] for path in paths if len(path) > 1} - set(candidate.databases))
    if absent and not made:
        raise Refused.of(
            Problem(
                subjects=tuple(absent),
                found=(f"it is not in the newest candidate {candidate.version}, which is of {_names(candidate)}",),
                why="its contracts were not computed",
                remedy="refresh it, or materialize log_cache_candidate and everything after it for it, too",
            )
        )


def _names(candidate: Candidate) -> str:
    return ", ".join(candidate.databases)


def _judge(context: Context, evidence: Evidence, runner: NotebookRunner, database: str) -> JudgedDatabase:
    if known := find_judged(evidence, database):
        context.log.info(
            f"{database}: {len(known.outcomes)} contracts were compared before, and nothing of them changed"
        )
        return known
    with _open_count(context, evidence, runner, database) as count:
        judged = judge_contracts(evidence, database, count=count)
    compared = f"{len(judged.outcomes)} contracts compared with yesterday's"
    context.log.info(f"{database}: {compared}, {judged.refused} refused")
    return judged


@contextmanager
def _open_count(context: Context, evidence: Evidence, runner: NotebookRunner, database: str) -> Iterator[Count]:
    """What compares the contracts of a database, where the settings say."""
    log, chosen = context.log, evidence.settings.validation_driver
    least_bytes = evidence.settings.validation_cluster_bytes
    if chosen == "databricks" and (least_bytes == 0 or evidence.size_bytes(database) >= least_bytes):
        yield NotebookCounter(
            runner=runner,
            store=evidence.store,
            locations=evidence.settings.locations,
            transaction=evidence.night.transaction,
            tell=log.info,
            tell_output=log.debug,
            warn=log.warning,
        )
        return
    with open_driver("local" if chosen == "databricks" else chosen) as driver:
        yield counted_by(
            driver,
            store=evidence.store,
            warn=log.warning,
            progress=lambda progress: log.debug(f"{database}: {progress}"),
        )


def _reported(
    context: Context, key: dg.AssetKey, table: ContractTable, outcome: ContractOutcome | None, evidence: Evidence
) -> Iterator[Materialized | dg.AssetCheckResult]:
    """Yield the result of the check of a contract and, if it has a table, its materialization."""
    outcome = outcome or undeclared_outcome(table, evidence)
    if outcome.figures is not None and key in context.selected_asset_keys:
        report = located(dg.AssetKey(Stage.VERDICT.value), context)
        metadata = _metadata(outcome, table, outcome.figures, evidence)
        lineage = contract_lineage(table, located(datomic_key(own_path(key)[1]), context))
        shown = {**metadata, "dagster/column_lineage": lineage, "report": dg.MetadataValue.asset(report)}
        yield Materialized(asset_key=key, metadata=shown)
    if dg.AssetCheckKey(key, RULES_PASSED) in context.selected_asset_check_keys:
        named = {"transaction": evidence.candidate.transaction, "selection": evidence.candidate.selection}
        page = evidence.settings.locations.report(**named, ending="html")
        yield contract_check_result(key, outcome, report=report_value(evidence.settings, page))


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
        key=located(INVENTORY_KEY, context),
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
        deps=[Stage.TEST_RUN.value, night_contracts_key(key.path[1])],
        group_name=f"contracts_{key.path[1].replace('-', '_')}",
        kinds={"parquet"},
        tags={**tags_of(key.path[1]), "contract_kind": table.kind.name},
        description=(
            f"{table.meaning}: the contract {table.dataset}, as Itaipu's test run computed it with the new log cache."
        ),
    )


def _inventory_spec(contracts: list[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        INVENTORY_KEY,
        deps=[*contracts, RULES],
        group_name="publication",
        tags=WHOLE,
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
