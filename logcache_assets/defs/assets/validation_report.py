"""Stage 7: the verdict over the candidate's contracts, as JSON, Markdown and an HTML page."""

from collections.abc import Iterator

import dagster as dg

from logcache_assets.defs.stage import (
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
from logcache_assets.domain.definitions import contract_tables
from logcache_assets.domain.documents import Candidate, ContractInventory, Verdict
from logcache_assets.domain.rules import required_rules
from logcache_assets.domain.rules.results import RuleName
from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.domain.verdict import decide_verdict
from logcache_assets.domain.wording import count_of
from logcache_assets.ports import Clock, ItaipuRepository, ObjectStore
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.past_verdicts import past_verdicts
from logcache_assets.refresh.pinned_definitions import read_definition
from logcache_assets.refresh.pinned_rules import read_rules
from logcache_assets.report import render_report
from logcache_assets.settings import Settings

STAGE = "validation_report"
NAMED_REASONS = 5
"""So many reasons a person is told at once; the report has all."""

APPROVED = dg.AssetCheckSpec(
    "approved",
    asset=STAGE,
    blocking=True,
    description="Every mandatory rule ran and passed for every contract of the candidate.",
)


def report_uri(settings: Settings, candidate: Candidate, ending: str = "json") -> str:
    """Where the report of a candidate lies."""
    uri = settings.locations.document(transaction=candidate.transaction, stage=STAGE, name=candidate.selection)
    return f"{uri.removesuffix('json')}{ending}"


def required_of_contracts(
    candidate: Candidate, repository: ItaipuRepository, same_t: SameTSelection
) -> dict[str, tuple[RuleName, ...]]:
    """Every dataset that the definitions at the candidate's commit declare, and the rules that it must pass."""
    required = {}
    for database in candidate.databases:
        definition = read_definition(repository, database, sha=candidate.sha)
        for table in contract_tables(definition):
            required[table.dataset] = required_rules(table, definition, same_t)
    return required


def _fault_figures(verdict: Verdict) -> dict[str, int]:
    """Numbers that Dagit plots over refreshes."""
    figures = [outcome.figures for outcome in verdict.contracts if outcome.figures]
    return {
        "differing_rows": sum(found.differing for found in figures),
        "unexplained_rows": sum(found.reasons.get("unexplained", 0) for found in figures),
        "missed_rows": sum(found.reasons.get("missed", 0) for found in figures),
    }


@dg.asset(
    group_name="publication",
    tags=WHOLE,
    owners=OWNERS,
    kinds={"json", "html"},
    deps=["log_cache_candidate", "contract_inventory"],
    check_specs=[APPROVED],
)
def validation_report(
    context: Context,
    store: dg.ResourceParam[ObjectStore],
    repository: dg.ResourceParam[ItaipuRepository],
    clock: dg.ResourceParam[Clock],
    settings: dg.ResourceParam[Settings],
) -> Iterator[Materialized | dg.AssetCheckResult]:
    """Whether the candidate may be published, and why: one verdict over all contracts, for people and machines.

    It is approved only if every rule ran and passed for every contract that the definitions declare. The verdict is
    bound to the candidate's commit, its map and both runs; the pull request requires exactly this document.
    """
    documents = Documents(store)
    with refusals_fail_the_asset():
        refuse_stale(context, "contract_inventory", behind="contract")
        candidate = upstream_document(context, documents, ["log_cache_candidate"], Candidate)
        # An allowance may have expired since the contracts were judged.
        read_rules(repository, clock, sha=candidate.sha)
        inventory = upstream_document(context, documents, ["contract_inventory"], ContractInventory)
        verdict = decide_verdict(
            candidate,
            inventory,
            required=required_of_contracts(candidate, repository, settings.same_t),
            now=clock.now(),
        )
        past = past_verdicts(documents, settings.locations, databases=verdict.databases, besides=verdict.binding)
        markdown = render_report(verdict, candidate=candidate, past=past, template="report.md")
        page = render_report(verdict, candidate=candidate, past=past, template="report.html")
        store.write(report_uri(settings, candidate, "md"), markdown.encode())
        store.write(report_uri(settings, candidate, "html"), page.encode())
        digest = documents.write(report_uri(settings, candidate), verdict)
    context.log.info(
        f"Verdict: {'approved' if verdict.approved else 'refused'}, {len(verdict.contracts)} contracts; "
        f"report {report_uri(settings, candidate, 'html')}"
    )
    yield materialized(report_uri(settings, candidate), digest, _metadata(verdict, candidate, settings, markdown))
    yield dg.AssetCheckResult(
        check_name=APPROVED.name,
        passed=verdict.approved,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_described(verdict),
        metadata={
            "contracts": len(verdict.contracts),
            "refusals": len(verdict.reasons),
            "warnings": len(verdict.warnings),
            **_fault_figures(verdict),
        },
    )


def _described(verdict: Verdict) -> str:
    """The first reasons, one a line, and how many more there are."""
    more = len(verdict.reasons[NAMED_REASONS:])
    lines = [*map(str, verdict.reasons[:NAMED_REASONS]), *([f"and {count_of(more, 'more reason')}"] if more else [])]
    return "\n".join(lines) or "every rule ran and passed"


def _metadata(verdict: Verdict, candidate: Candidate, settings: Settings, markdown: str) -> Metadata:
    return {
        "approved": "yes" if verdict.approved else "no",
        "contracts": len(verdict.contracts),
        "refusals": len(verdict.reasons),
        "warnings": len(verdict.warnings),
        **_fault_figures(verdict),
        "itaipu_version": candidate.version,
        "page": dg.MetadataValue.path(report_uri(settings, candidate, "html")),
        "report": dg.MetadataValue.md(markdown),
    }
