"""`logcache refresh`: plans a refresh, runs its job in this process, and summarises its documents."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from logcache_assets.adapters.home_lock import is_held
from logcache_assets.catalog import load_catalog, select_databases
from logcache_assets.cli.platform import open_platform
from logcache_assets.cli.refresh_result import (
    Due,
    Move,
    NothingToRefresh,
    PullRequestLink,
    Refreshed,
    RefreshedDatabase,
    RefreshResult,
    Rejected,
)
from logcache_assets.defs.command_runs import CommandRun, run_refresh_job
from logcache_assets.defs.turns import holding_turn
from logcache_assets.domain.adoption import unproven_problem
from logcache_assets.domain.attempts import End
from logcache_assets.domain.documents import Candidate, ContractOutcome, Publication, Verdict
from logcache_assets.domain.instances import is_instance_of
from logcache_assets.domain.log_cache_map import unproven_of
from logcache_assets.domain.names import is_contract_of
from logcache_assets.domain.next_step import GiveUp, WaitUntil
from logcache_assets.domain.selections import selection_name
from logcache_assets.domain.wording import sentence_of
from logcache_assets.errors import LogCacheError, Refused
from logcache_assets.ports import ObjectStore, Ports, Tell
from logcache_assets.refresh.attempts import Attempts
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.look_ahead import Asked, Outlook, look_ahead
from logcache_assets.settings import Settings


def run(  # noqa: PLR0913 - one parameter per option of the command
    settings: Settings,
    *,
    databases: tuple[str, ...],
    transaction: str | None,
    dry_run: bool,
    say: Tell,
    again: bool = False,
    verify_all: bool = False,
) -> RefreshResult:
    """Refresh, go on with a refresh that was killed, or say what is waited for.

    Args:
        settings: of the deployment.
        databases: names from the catalog; empty for all of it.
        transaction: the metapod transaction to build on; None for the newest good one.
        dry_run: return what would be refreshed, and run nothing.
        say: takes lines of progress.
        again: start a new test run in any case.
        verify_all: compare the logs with every segment, also with those that a manifest vouches for.

    Raises:
        WrongUsage: the catalog does not have one of the databases.
        Refused: another refresh is going on, no transaction is good, or the run failed; the message has every reason.
    """
    ports, catalog = open_platform(settings), load_catalog(settings.catalog_folder)
    chosen = select_databases(catalog, databases)
    selection = selection_name([d.database for d in chosen], catalog=[d.database for d in catalog])
    asked = Asked(databases=chosen, selection=selection, named=transaction, by_person=True, again=again or verify_all)
    if dry_run:
        asked = replace(asked, is_going_on=is_held(settings.home_folder))
        return _told(look_ahead(asked, ports=ports, settings=settings))
    _warn_of_unproven(ports, say)
    with holding_turn(settings.home_folder) as turn:
        outlook = look_ahead(asked, ports=ports, settings=settings)
        if isinstance(outlook.step, WaitUntil | GiveUp):
            return _told(outlook)
        say(sentence_of(outlook.step.sentence))
        begun = ports.clock.now()
        wanted = CommandRun(outlook=outlook, selection=selection, named=transaction, again=again, verify_all=verify_all)
        problem = run_refresh_job(settings, catalog, ports, turn, wanted=wanted)
    if problem and not _is_proposed(ports, settings, outlook, selection):
        page = _refused_page(settings, ports, transaction=outlook.night, selection=selection, since=begun)
        raise Refused(f"{problem}{page}")
    return summarise(settings, ports, transaction=outlook.night, selection=selection)


def _is_proposed(ports: Ports, settings: Settings, outlook: Outlook, selection: str) -> bool:
    """True if the attempt that ran ended with a pull request: the run failed for databases that were left out.

    False if nobody can say: the run's own reason is what must be told.
    """
    book = Attempts(
        store=ports.store,
        segment_index=ports.segment_index,
        repository=ports.repository,
        clock=ports.clock,
        settings=settings,
    )
    try:
        attempts = book.read(transaction=outlook.night, selection=selection)
    except LogCacheError:
        return False
    return len(attempts) > outlook.attempts and attempts[-1].end is End.PUBLISHED and bool(attempts[-1].left_out)


def _warn_of_unproven(ports: Ports, say: Tell) -> None:
    """Say which entries of the active map nothing proves; a refresh of their databases replaces them."""
    for instance, entry in unproven_of(read_base_map(ports.repository).entries).items():
        say(f"WARNING: {unproven_problem(instance, entry)}")


def _told(outlook: Outlook) -> NothingToRefresh | Due:
    """What a refresh would do, without doing it."""
    step, rejected = outlook.step, _rejected(outlook)
    if isinstance(step, WaitUntil | GiveUp):
        return NothingToRefresh(reason=step.sentence, rejected=rejected)
    return Due(transaction=outlook.night, databases=list(outlook.databases), next=step.sentence, rejected=rejected)


def _rejected(outlook: Outlook) -> list[Rejected]:
    return [
        Rejected(transaction=r.transaction.id, type=r.transaction.type, reasons=list(r.reasons))
        for r in outlook.choice.rejected
    ]


def _refused_page(settings: Settings, ports: Ports, *, transaction: str, selection: str, since: datetime) -> str:
    """A line with the address of the report if this run made one that refuses; otherwise empty.

    Also empty if nobody can say: the run's own reason is what must be told.
    """
    uri = settings.locations.verdict(transaction=transaction, selection=selection)
    try:
        verdict = Documents(ports.store).find(uri, Verdict)
    except LogCacheError:
        return ""
    if verdict is None or verdict.approved or verdict.decided_at < since:
        return ""
    return f"\n  report: {_report_url(settings, ports.store, transaction=transaction, selection=selection)}"


def _report_url(settings: Settings, store: ObjectStore, *, transaction: str, selection: str) -> str:
    """URL of the report's page for a browser."""
    page = settings.locations.report(transaction=transaction, selection=selection, ending="html")
    return store.browse_url(page)


def summarise(settings: Settings, ports: Ports, *, transaction: str, selection: str) -> Refreshed:
    """Summarise a finished refresh from its documents: changes per database, and where the evidence is."""
    documents, locations = Documents(ports.store), settings.locations
    candidate = documents.read(locations.candidate(transaction=transaction, selection=selection), Candidate)
    verdict = documents.read(locations.verdict(transaction=transaction, selection=selection), Verdict)
    published = documents.read(locations.publication(transaction=transaction, selection=selection), Publication)
    return Refreshed(
        transaction=transaction,
        itaipu_version=candidate.version,
        branch=candidate.branch,
        approved=verdict.approved,
        databases=[_database(candidate, verdict, database) for database in candidate.databases],
        left_out={left.database: left.reasons for left in candidate.left_out},
        report=_report_url(settings, ports.store, transaction=transaction, selection=selection),
        pull_request=PullRequestLink(number=published.number, url=published.url),
    )


def _database(candidate: Candidate, verdict: Verdict, database: str) -> RefreshedDatabase:
    changes = [change for change in candidate.changes if is_instance_of(change.instance, database)]
    contracts = [c for c in verdict.contracts if is_contract_of(c.dataset, database)]
    return RefreshedDatabase(
        database=database,
        instances={c.instance: Move(active_t=c.active_t, new_t=c.last_t) for c in changes},
        datoms=sum(change.log.rows for change in changes),
        files=sum(change.log.files for change in changes),
        size_bytes=sum(change.log.size_bytes for change in changes),
        contracts=len(contracts),
        contracts_passed=sum(contract.passed for contract in contracts),
        differing_rows=_rows_by_reason(contracts),
    )


def _rows_by_reason(contracts: Sequence[ContractOutcome]) -> dict[str, int]:
    """Reason → rows of these contracts that differ from yesterday's."""
    total: Counter[str] = Counter()
    for contract in contracts:
        total.update(contract.figures.reasons if contract.figures else {})
    return dict(total)
