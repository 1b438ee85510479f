"""Stage 7: the verdict over the candidate's contracts, as JSON, Markdown and an HTML page."""

from collections.abc import Iterator

import dagster as dg

from logcache_assets.assets.stage import (
    DOCUMENT,
    OWNERS,
    WHOLE,
    Context,
    Materialized,
    Metadata,
    refusals_fail_the_asset,
    upstream_document,
)
from logcache_assets.document_store import Documents
from logcache_assets.domain.definitions import contract_tables, parse_definition
from logcache_assets.domain.documents import Candidate, ContractInventory, Verdict
from logcache_assets.domain.verdict import decide_verdict
from logcache_assets.ports import Clock, ItaipuRepository, ObjectStore
from logcache_assets.report import render_report
from logcache_assets.settings import Settings

STAGE = "validation_report"
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


def mandatory_contracts(candidate: Candidate, repository: ItaipuRepository) -> tuple[str, ...]:
    """Every dataset that the definitions at the candidate's commit declare, not those of an older catalog."""
    names = []
    for database in candidate.databases:
        path = f"contracts/{database}.yaml"
        definition = parse_definition(repository.read(path, ref=candidate.sha), where=path)
        names += [table.dataset for table in contract_tables(definition)]
    return tuple(names)


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
        candidate = upstream_document(context, documents, ["log_cache_candidate"], Candidate)
        inventory = upstream_document(context, documents, ["contract_inventory"], ContractInventory)
        verdict = decide_verdict(
            candidate,
            inventory,
            mandatory_contracts=mandatory_contracts(candidate, repository),
            now=clock.now(),
        )
        markdown = render_report(verdict, candidate, template="report.md")
        page = render_report(verdict, candidate, template="report.html")
        store.write(report_uri(settings, candidate, "md"), markdown.encode())
        store.write(report_uri(settings, candidate, "html"), page.encode())
        digest = documents.write(report_uri(settings, candidate), verdict)
    context.log.info(
        f"Verdict: {'approved' if verdict.approved else 'refused'}, {len(verdict.contracts)} contracts; "
        f"report {report_uri(settings, candidate, 'html')}"
    )
    yield Materialized(data_version=dg.DataVersion(digest), metadata=_metadata(verdict, candidate, settings, markdown))
    yield dg.AssetCheckResult(
        check_name=APPROVED.name,
        passed=verdict.approved,
        severity=dg.AssetCheckSeverity.ERROR,
        description="; ".join(verdict.reasons[:5]) or "every rule ran and passed",
        metadata={"contracts": len(verdict.contracts), "refusals": len(verdict.reasons)},
    )


def _metadata(verdict: Verdict, candidate: Candidate, settings: Settings, markdown: str) -> Metadata:
    return {
        DOCUMENT: dg.MetadataValue.path(report_uri(settings, candidate)),
        "approved": "yes" if verdict.approved else "no",
        "contracts": len(verdict.contracts),
        "refusals": len(verdict.reasons),
        "itaipu_version": candidate.version,
        "page": dg.MetadataValue.path(report_uri(settings, candidate, "html")),
        "report": dg.MetadataValue.md(markdown),
    }
