"""Stage 8: the pull request, behind the gate that fails closed."""

from datetime import timedelta

import dagster as dg

from logcache_assets.defs.assets.log_cache_candidate import Inspector
from logcache_assets.defs.assets.validation_report import report_uri
from logcache_assets.defs.stage import (
    BASE_BRANCH,
    OWNERS,
    WHOLE,
    Context,
    Materialized,
    Metadata,
    materialized,
    refusals_fail_the_asset,
    refuse_stale,
    upstream_document,
)
from logcache_assets.domain.documents import Candidate, Publication, TestRun, Verdict, document_digest, render_document
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_cache_map import MAP_PATH, map_digest, parse_map
from logcache_assets.domain.pull_request import render_body, render_title
from logcache_assets.domain.transactions import TransactionType, find_running_contracts
from logcache_assets.domain.verdict import find_gate_problems
from logcache_assets.errors import Refused
from logcache_assets.ports import (
    Clock,
    ItaipuRepository,
    Metapod,
    ObjectStore,
    PathNotFoundError,
    PullRequest,
    SegmentIndex,
)
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.pinned_rules import read_rules
from logcache_assets.report import render_report
from logcache_assets.settings import Settings

STAGE = "log_cache_pull_request"


def publication_uri(settings: Settings, *, transaction: str, selection: str) -> str:
    """Where the document of a candidate's pull request lies."""
    return settings.locations.document(transaction=transaction, stage=STAGE, name=selection)


def require_gate(
    candidate: Candidate,
    verdict: Verdict,
    run: TestRun,
    *,
    metapod: Metapod,
    repository: ItaipuRepository,
    inspector: Inspector,
    clock: Clock,
    settings: Settings,
) -> None:
    """Refuse unless everything still is as it was validated; nothing is taken from the runs before."""
    read_rules(repository, clock, sha=candidate.sha)  # an allowance may have expired since the verdict
    since = clock.now() - timedelta(days=settings.lookback_days)
    running = find_running_contracts(metapod.transactions(TransactionType.DAILY, TransactionType.CUSTOM, since=since))
    text = _map_at(repository, candidate.branch)
    problems = list(
        find_gate_problems(
            candidate,
            verdict,
            test_transaction=run.transaction,
            branch_sha=repository.head(candidate.branch),
            branch_map_sha256=map_digest(text) if text is not None else None,
            base_sha=repository.head(BASE_BRANCH),
            running_contracts=running,
            now=clock.now(),
            window=settings.publish_window,
        )
    )
    if text is not None:
        problems += find_map_problems(candidate, text, repository, inspector)
    if problems:
        raise Refused(f"no pull request was opened: {'; '.join(problems[:5])}")


def _map_at(repository: ItaipuRepository, branch: str) -> str | None:
    try:
        return repository.read(MAP_PATH, ref=branch)
    except PathNotFoundError:
        return None


def find_map_problems(candidate: Candidate, text: str, repository: ItaipuRepository, inspector: Inspector) -> list[str]:
    """Pointers, segments and foreign entries of the candidate's map, looked at as they are now."""
    entries = parse_map(text, where=f"{MAP_PATH} on {candidate.branch}")
    base = parse_map(repository.read(MAP_PATH, ref=candidate.base_sha), where=f"{MAP_PATH} on {BASE_BRANCH}")
    changed = tuple(parse_instance(change.instance) for change in candidate.changes)
    return list(inspector.find_problems(entries, changed=changed, base=base))


@dg.asset(
    group_name="publication",
    tags=WHOLE,
    owners=OWNERS,
    kinds={"github"},
    deps=["log_cache_candidate", "itaipu_test_run", "validation_report"],
)
def log_cache_pull_request(
    context: Context,
    metapod: dg.ResourceParam[Metapod],
    store: dg.ResourceParam[ObjectStore],
    segment_index: dg.ResourceParam[SegmentIndex],
    repository: dg.ResourceParam[ItaipuRepository],
    clock: dg.ResourceParam[Clock],
    settings: dg.ResourceParam[Settings],
) -> Materialized:
    """The pull request that publishes the refreshed map when a person merges it.

    It is opened only for a stored, approved verdict of this very candidate, on the base map the candidate was built on,
    inside the publish window and while no contracts are being computed. One pull request per candidate, updated when
    run again.
    """
    documents = Documents(store)
    with refusals_fail_the_asset():
        for behind in ("contract", "contract_inventory"):
            refuse_stale(context, "validation_report", behind=behind)
        candidate = upstream_document(context, documents, ["log_cache_candidate"], Candidate)
        verdict = upstream_document(context, documents, ["validation_report"], Verdict)
        require_gate(
            candidate,
            verdict,
            upstream_document(context, documents, ["itaipu_test_run"], TestRun),
            metapod=metapod,
            repository=repository,
            inspector=Inspector(documents, segment_index),
            clock=clock,
            settings=settings,
        )
        page = report_uri(settings, candidate, "html")
        # Made anew from the verdict, whose digest is known; the stored Markdown may have been edited.
        report = render_report(verdict, candidate=candidate, template="report.md")
        pull_request = repository.propose(
            branch=candidate.branch,
            title=render_title(candidate),
            body=render_body(candidate, verdict, report_uri=page, now=clock.now(), report=report),
        )
        publication = Publication(
            candidate_sha=candidate.sha,
            base_sha=candidate.base_sha,
            branch=candidate.branch,
            number=pull_request.number,
            url=pull_request.url,
            verdict_sha256=document_digest(render_document(verdict)),
        )
        uri = publication_uri(settings, transaction=candidate.transaction, selection=candidate.selection)
        digest = documents.write(uri, publication)
    context.log.info(f"Pull request #{pull_request.number}: {pull_request.url}")
    return materialized(uri, digest, _metadata(pull_request, candidate))


def _metadata(pull_request: PullRequest, candidate: Candidate) -> Metadata:
    return {
        "pull_request": dg.MetadataValue.url(pull_request.url),
        "number": pull_request.number,
        "branch": pull_request.branch,
        "itaipu_version": candidate.version,
        "text": dg.MetadataValue.md(pull_request.body),
    }
