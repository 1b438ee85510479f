"""Stage 7, the asset `validation_report`; refresh/decide_verdict.py makes the verdict."""

from collections.abc import Iterator

import dagster as dg

from logcache_assets.defs.asset_keys import INVENTORY, located
from logcache_assets.defs.failures import problems_table
from logcache_assets.defs.links import report_value
from logcache_assets.defs.stage import (
    DIGEST,
    DOCUMENT,
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
from logcache_assets.domain.documents import Candidate, ContractInventory, Document, TestRun, Verdict
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.rules import RULES
from logcache_assets.domain.wording import count_of
from logcache_assets.ports import Clock, ItaipuRepository, ObjectStore, SegmentIndex
from logcache_assets.refresh.decide_verdict import Decider, Decision
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.narrow_candidate import Narrowed
from logcache_assets.settings import Settings

NAMED_REASONS = 5
"""How many reasons a check shows; the report has all of them."""

APPROVED = dg.AssetCheckSpec(
    "approved",
    asset=Stage.VERDICT.value,
    description=(
        "Every mandatory rule ran and passed for every contract of the candidate. "
        "If not, log_cache_pull_request refuses. " + " ".join(f"{rule.name}: {rule.sentence}" for rule in RULES)
    ),
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
    kinds={"json", "html"},
    deps=[Stage.CANDIDATE.value, Stage.TEST_RUN.value, INVENTORY],
    check_specs=[APPROVED],
)
def validation_report(
    context: Context,
    store: dg.ResourceParam[ObjectStore],
    segment_index: dg.ResourceParam[SegmentIndex],
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
    decider = Decider(store=store, segment_index=segment_index, repository=repository, clock=clock, settings=settings)
    with in_turn(turn, Stage.VERDICT):
        refuse_stale(context, INVENTORY, upstream=Stage.CONTRACTS)
        candidate = upstream_document(context, documents, [Stage.CANDIDATE], Candidate)
        inventory = upstream_document(context, documents, [INVENTORY], ContractInventory)
        run = upstream_document(context, documents, [Stage.TEST_RUN], TestRun)
        decision = decider.decide(candidate, inventory, run)
        if decision.narrowed:
            candidate = _in_place_of(candidate, decision.narrowed, context, documents, settings)
    verdict = decision.verdict
    if not verdict.approved:
        turn.end(End.REFUSED, stage=Stage.VERDICT, reason=_described(verdict))
    context.log.info(
        f"Verdict: {'approved' if verdict.approved else 'refused'}, {len(verdict.contracts)} contracts; "
        f"report {settings.report_link(decision.page_uri) or decision.page_uri}"
    )
    yield materialized(decision.uri, decision.digest, _metadata(decision, candidate, settings))
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
            "report": report_value(settings, decision.page_uri),
            **({"problems": problems_table(verdict.reasons)} if verdict.reasons else {}),
            **({"warned": problems_table(verdict.warnings)} if verdict.warnings else {}),
        },
    )


def _in_place_of(
    candidate: Candidate, narrowed: Narrowed, context: Context, documents: Documents, settings: Settings
) -> Candidate:
    """Put a narrowed candidate and its test run in the place of those that were judged, and return it.

    This step does it, because the steps that made these are over; Dagit shows the new ones on their assets' pages.
    """
    rest, run, locations = narrowed.candidate, narrowed.run, settings.locations
    names = ", ".join(name for name in candidate.databases if name not in rest.databases)
    why = f"{names} refused: the others are committed again as {rest.version}, and nothing is computed again"
    context.log.warning(why)
    name = {"transaction": rest.transaction, "selection": rest.selection}
    written: dict[str, tuple[str, Document]] = {
        Stage.TEST_RUN: (locations.test_run(transaction=rest.transaction, version=rest.version), run),
        Stage.CANDIDATE: (locations.candidate(**name), rest),
        INVENTORY: (locations.inventory(**name), narrowed.inventory),
    }
    for stage, (uri, document) in written.items():
        metadata: Metadata = {
            DOCUMENT: dg.MetadataValue.path(uri),
            DIGEST: documents.write(uri, document),
            "made_again": why,
        }
        key = located(dg.AssetKey(str(stage)), context)
        context.log_event(dg.AssetMaterialization(asset_key=key, metadata=metadata))
    return rest


def _described(verdict: Verdict) -> str:
    """The first few reasons, one per line, and how many more there are."""
    more = len(verdict.reasons[NAMED_REASONS:])
    lines = [*map(str, verdict.reasons[:NAMED_REASONS]), *([f"and {count_of(more, 'more reason')}"] if more else [])]
    return "\n".join(lines) or "every rule ran and passed"


def _metadata(decision: Decision, candidate: Candidate, settings: Settings) -> Metadata:
    verdict = decision.verdict
    return {
        "approved": "yes" if verdict.approved else "no",
        "contracts": len(verdict.contracts),
        "refusals": len(verdict.reasons),
        "warnings": len(verdict.warnings),
        **_fault_figures(verdict),
        "itaipu_version": candidate.version,
        "page": report_value(settings, decision.page_uri),
        "report": dg.MetadataValue.md(decision.markdown),
    }
