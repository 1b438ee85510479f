"""`logcache refresh`: plans, runs the job in this process, and sums up what came of it from the documents."""

import fcntl
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import cast

import dagster as dg

from logcache_assets.catalog import Catalog, load_catalog, select_databases
from logcache_assets.cli.output import Result, table
from logcache_assets.definitions import build_definitions
from logcache_assets.defs.assets.log_cache_pull_request import publication_uri
from logcache_assets.defs.assets.validation_report import report_uri
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.domain.documents import Candidate, ContractOutcome, Publication, Verdict
from logcache_assets.domain.due import Wait
from logcache_assets.domain.selections import selection_name
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world import World
from logcache_assets.ports import Ports, Tell
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.outlook import Outlook, look_ahead
from logcache_assets.settings import Settings


def run(settings: Settings, *, databases: tuple[str, ...], transaction: str | None, dry_run: bool, say: Tell) -> Result:
    """Refresh, or say that there is nothing to refresh; raises Refused with every reason of a failed run."""
    world = World(settings)
    world.require()
    catalog = load_catalog(settings.catalog_folder)
    chosen, ports = select_databases(catalog, databases), world.ports()
    selection = selection_name([d.database for d in chosen], catalog=[d.database for d in catalog])
    outlook = look_ahead(chosen, selection=selection, named=transaction, ports=ports, settings=settings)
    if isinstance(outlook.plan, Wait):
        return {"status": "nothing to refresh", "reason": outlook.plan.reason, "rejected": _rejected(outlook)}
    names = outlook.plan.databases
    if dry_run:
        found = {"transaction": outlook.plan.transaction, "databases": list(names), "rejected": _rejected(outlook)}
        return {"status": "due"} | found
    begun = ports.clock.now()
    say(f"Refreshing {', '.join(names)} from transaction {outlook.plan.transaction}")
    problem = _run_job(world, catalog, ports=ports, databases=names, transaction=transaction)
    if problem:
        page = _refused_page(world, ports, transaction=outlook.plan.transaction, selection=selection, since=begun)
        raise Refused(f"{problem}{page}")
    return summarise(settings, ports, transaction=outlook.plan.transaction, selection=selection)


def _rejected(outlook: Outlook) -> list[dict[str, object]]:
    return [
        {"transaction": r.transaction.id, "type": r.transaction.type, "reasons": list(r.reasons)}
        for r in outlook.choice.rejected
    ]


def _run_job(
    world: World, catalog: Catalog, *, ports: Ports, databases: tuple[str, ...], transaction: str | None
) -> str:
    """The job of Dagit, in this process and in the same storage, so that its runs are seen there; why it failed."""
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    definitions = build_definitions(world.settings, catalog=catalog, ports=ports)
    job = definitions.resolve_job_def(REFRESH_JOB)
    selection = None if len(databases) == len(catalog) else _selection(definitions, databases)
    config: dict[str, object] = {"loggers": {"plain": {}}}
    if transaction:
        config["ops"] = {"nightly_transaction": {"config": {"transaction": transaction}}}
    with _alone(world), dg.DagsterInstance.from_config(str(world.dagster_home)) as instance:
        result = job.execute_in_process(
            instance=instance, run_config=config, asset_selection=selection, raise_on_error=False
        )
    if result.success:
        return ""
    return "; ".join(dict.fromkeys(failures_of(result))) or "the run failed; see it in Dagit: make ui"


def _refused_page(world: World, ports: Ports, *, transaction: str, selection: str, since: datetime) -> str:
    """Where the report of this very refresh is, if it came so far."""
    documents = Documents(ports.store)
    uri = world.settings.locations.document(transaction=transaction, stage="log_cache_candidate", name=selection)
    candidate = documents.find(uri, Candidate)
    verdict = documents.find(report_uri(world.settings, candidate), Verdict) if candidate else None
    if candidate is None or verdict is None or verdict.approved or verdict.decided_at < since:
        return ""
    page = world.store.path_of(report_uri(world.settings, candidate, "html")).as_uri()
    return f"\n  report: {page}"


@contextmanager
def _alone(world: World) -> Iterator[None]:
    """One refresh of the command line at a time: the lock ends with the process, however it ends."""
    with (world.home / "refresh.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(
                f"another refresh of {world.home} is going on; wait for its end and run this again"
            ) from error
        yield


def _selection(definitions: dg.Definitions, databases: tuple[str, ...]) -> list[dg.AssetKey]:
    """The assets of the refresh itself and of these databases."""
    keys = definitions.resolve_asset_graph().get_all_asset_keys()
    return [key for key in keys if len(key.path) == 1 or key.path[1] in databases]


def failures_of(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    """Every reason of a failed run, as its stages and blocking checks gave it."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            told = failure.user_failure_data.description if failure.user_failure_data else None
            if told:
                yield told
    for check in result.get_asset_check_evaluations():
        if check.blocking and not check.passed:
            yield f"{check.asset_key.to_user_string()}: {check.description or check.check_name}"
    if not any(event.is_step_failure for event in result.all_events):
        yield "the run failed outside its steps; see it in Dagit: make ui"


def summarise(settings: Settings, ports: Ports, *, transaction: str, selection: str) -> Result:
    """What a finished refresh changed and where its evidence is, per database."""
    documents = Documents(ports.store)
    uri = settings.locations.document(transaction=transaction, stage="log_cache_candidate", name=selection)
    candidate = documents.read(uri, Candidate)
    verdict = documents.read(report_uri(settings, candidate), Verdict)
    published = documents.read(publication_uri(settings, transaction=transaction, selection=selection), Publication)
    page = report_uri(settings, candidate, "html")
    return {
        "status": "refreshed",
        "transaction": transaction,
        "itaipu_version": candidate.version,
        "branch": candidate.branch,
        "approved": verdict.approved,
        "databases": [_database(candidate, verdict, database) for database in candidate.databases],
        "report": World(settings).store.path_of(page).as_uri(),
        "pull_request": {"number": published.number, "url": published.url},
    }


def _database(candidate: Candidate, verdict: Verdict, database: str) -> dict[str, object]:
    changes = [change for change in candidate.changes if change.instance.rpartition("-")[0] == database]
    contracts = [c for c in verdict.contracts if c.dataset.startswith(f"contract-{database}/")]
    return {
        "database": database,
        "instances": {change.instance: {"active_t": change.active_t, "new_t": change.last_t} for change in changes},
        "datoms": sum(change.log.rows for change in changes),
        "files": sum(change.log.files for change in changes),
        "size_bytes": sum(change.log.size_bytes for change in changes),
        "contracts": len(contracts),
        "contracts_passed": sum(contract.passed for contract in contracts),
        "differing_rows": _reasons(contracts),
    }


def _reasons(contracts: Sequence[ContractOutcome]) -> dict[str, int]:
    """How many rows of these contracts differ from yesterday's, by reason."""
    total: Counter[str] = Counter()
    for contract in contracts:
        total.update(contract.figures.reasons if contract.figures else {})
    return dict(total)


def render(result: Result) -> Iterator[str]:
    """The result for a person."""
    if result["status"] == "nothing to refresh":
        yield f"Nothing to refresh: {result['reason']}."
    elif result["status"] == "due":
        names = ", ".join(cast("list[str]", result["databases"]))
        yield f"A refresh of {names} from transaction {result['transaction']} is due."
    else:
        yield from render_refreshed(result)
    for rejected in cast("list[dict[str, object]]", result.get("rejected", [])):
        reasons = "; ".join(cast("list[str]", rejected["reasons"]))
        yield f"Passed over {rejected['type']} {rejected['transaction']}: {reasons}"


def render_refreshed(result: Result) -> Iterator[str]:
    """What changed, per instance, and where the evidence is."""
    databases = cast("list[dict[str, object]]", result["databases"])
    rows = []
    for found in databases:
        instances = cast("dict[str, dict[str, object]]", found["instances"])
        moves = ", ".join(
            f"{name.rpartition('-')[2]} {t['active_t'] or 'none'} -> {t['new_t']}" for name, t in instances.items()
        )
        passed = f"{found['contracts_passed']} of {found['contracts']} passed"
        rows.append((found["database"], moves, found["datoms"], found["files"], found["size_bytes"], passed))
    yield from table(("database", "old t -> new t", "datoms", "files", "bytes", "contracts"), rows)
    pull_request = cast("dict[str, object]", result["pull_request"])
    yield ""
    reasons: Counter[str] = Counter()
    for found in databases:
        reasons.update(cast("dict[str, int]", found["differing_rows"]))
    by_reason = ", ".join(f"{rows:,} {reason}" for reason, rows in reasons.most_common())
    yield f"Verdict:       {'approved' if result['approved'] else 'refused'}"
    yield f"Differences:   {reasons.total():,} rows are not yesterday's: {by_reason or 'none'}"
    yield f"Report:        {result['report']}"
    yield f"Pull request:  #{pull_request['number']} {pull_request['url']}"
