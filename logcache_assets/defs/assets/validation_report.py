"""Stage 7, the asset `validation_report`; refresh/decide_verdict.py makes the verdict."""

from collections.abc import Iterator

import dagster as dg

from logcache_assets.defs.stage import (
    INVENTORY,
    OWNERS,
    WHOLE,
    Context,
    Materialized,
    Metadata,
    in_turn,
    materialized,
    refuse_stale,
    upstream_document,
)
from logcache_assets.defs.turns import Turn
from logcache_assets.domain.attempts import End
from logcache_assets.domain.documents import Candidate, ContractInventory, Verdict
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.wording import count_of
from logcache_assets.ports import Clock, ItaipuRepository, ObjectStore
from logcache_assets.refresh.decide_verdict import Decider, Decision
from logcache_assets.refresh.document_store import Documents
from logcache_assets.settings import Settings

NAMED_REASONS = 5
"""How many reasons a check shows; the report has all of them."""

APPROVED = dg.AssetCheckSpec(
    "approved",
    asset=Stage.VERDICT.value,
    blocking=True,
    description="Every mandatory rule ran and passed for every contract of the candidate.",
)


def _fault_figures(verdict: Verdict) -> dict[str, int]:
    """Figures that Dagit plots over refreshes."""
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
    deps=[Stage.CANDIDATE.value, INVENTORY],
    check_specs=[APPROVED],
)
def validation_report(
    context: Context,
    store: dg.ResourceParam[ObjectStore],
    repository: dg.ResourceParam[ItaipuRepository],
    clock: dg.ResourceParam[Clock],
    settings: dg.ResourceParam[Settings],
    turn: dg.ResourceParam[Turn],
) -> Iterator[Materialized | dg.AssetCheckResult]:
    """Whether the candidate may be published, and why: one verdict over all contracts, for people and machines.

    It is approved only if every rule ran and passed for every contract that the definitions declare. The verdict is
    bound to the candidate's commit, its map and both runs; the pull request requires exactly this document.
    """
    documents = Documents(store)
    decider = Decider(store=store, repository=repository, clock=clock, settings=settings)
    with in_turn(turn, Stage.VERDICT):
        refuse_stale(context, INVENTORY, upstream=Stage.CONTRACTS)
        candidate = upstream_document(context, documents, [Stage.CANDIDATE], Candidate)
        inventory = upstream_document(context, documents, [INVENTORY], ContractInventory)
        decision = decider.decide(candidate, inventory)
    verdict = decision.verdict
    if not verdict.approved:
        turn.end(End.REFUSED, stage=Stage.VERDICT, reason=_described(verdict))
    context.log.info(
        f"Verdict: {'approved' if verdict.approved else 'refused'}, {len(verdict.contracts)} contracts; "
        f"report {decision.page_uri}"
    )
    yield materialized(decision.uri, decision.digest, _metadata(decision, candidate))
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
    """The first few reasons, one per line, and how many more there are."""
    more = len(verdict.reasons[NAMED_REASONS:])
    lines = [*map(str, verdict.reasons[:NAMED_REASONS]), *([f"and {count_of(more, 'more reason')}"] if more else [])]
    return "\n".join(lines) or "every rule ran and passed"


def _metadata(decision: Decision, candidate: Candidate) -> Metadata:
    verdict = decision.verdict
    return {
        "approved": "yes" if verdict.approved else "no",
        "contracts": len(verdict.contracts),
        "refusals": len(verdict.reasons),
        "warnings": len(verdict.warnings),
        **_fault_figures(verdict),
        "itaipu_version": candidate.version,
        "page": dg.MetadataValue.path(decision.page_uri),
        "report": dg.MetadataValue.md(decision.markdown),
    }
