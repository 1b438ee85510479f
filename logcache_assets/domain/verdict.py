"""The verdict over a candidate, and the gate that lets nothing pass without it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from logcache_assets.domain.documents import Binding, Candidate, ContractInventory, ContractOutcome, Verdict
from logcache_assets.domain.figures import FAULTS, ContractFigures, Fault
from logcache_assets.domain.objections import Objection, find_refusals, find_warnings
from logcache_assets.domain.patterns import describe_patterns
from logcache_assets.domain.publish_window import PublishWindow
from logcache_assets.domain.validation import RuleName
from logcache_assets.domain.wording import count_of


def decide_verdict(
    candidate: Candidate,
    inventory: ContractInventory,
    *,
    required: Mapping[str, Sequence[RuleName]],
    now: datetime,
) -> Verdict:
    """Approved only if every mandatory rule ran and passed for every mandatory contract of this very candidate.

    Args:
        candidate: what may be published.
        inventory: what the rules said of its contracts.
        required: every dataset that the definitions at the candidate's commit declare, and the rules it must pass.
        now: the instant to write down.
    """
    alone = decide_alone(candidate.databases, inventory, required=required, now=now)
    reasons = (*_strange(candidate, inventory), *alone.reasons)
    return replace(alone, approved=not reasons, reasons=reasons, binding=inventory.binding)


def decide_alone(
    databases: tuple[str, ...],
    inventory: ContractInventory,
    *,
    required: Mapping[str, Sequence[RuleName]],
    now: datetime,
) -> Verdict:
    """The same outside a refresh: a verdict that is bound to no candidate, so that nothing can be published with it."""
    results = {outcome.dataset: outcome.results for outcome in inventory.outcomes}
    refusals = find_refusals(results, required=required)
    reasons = (*find_likely_causes(inventory.outcomes), *refusals) if refusals else ()
    return Verdict(
        approved=not reasons,
        reasons=reasons,
        warnings=(*inventory.warnings, *find_warnings(results)),
        binding=None,
        databases=databases,
        spans=inventory.spans,
        decided_at=now,
        contracts=inventory.outcomes,
        allowances=inventory.allowances,
        rules_sha256=inventory.rules_sha256,
    )


def find_likely_causes(outcomes: Sequence[ContractOutcome]) -> Iterator[Objection]:
    """What faults of several contracts of a database have in common, one objection per database and fault."""
    faulty: dict[tuple[str, Fault], dict[str, ContractFigures]] = {}
    for outcome in outcomes:
        for fault in FAULTS:
            if outcome.figures and outcome.figures.explained and _blocks(outcome, fault):
                database = outcome.dataset.removeprefix("contract-").partition("/")[0]
                faulty.setdefault((database, fault), {})[outcome.dataset] = outcome.figures
    for (database, fault), figures in faulty.items():
        if len(figures) > 1:
            yield from _common_cause(database, fault, figures, known=_prototypes_of(database, outcomes))


def _prototypes_of(database: str, outcomes: Sequence[ContractOutcome]) -> set[str]:
    """Every prototype on which a contract of the database has rows."""
    own = (o.figures for o in outcomes if o.figures and o.dataset.startswith(f"contract-{database}/"))
    return {prototype for figures in own for prototype in figures.prototypes or ()}


def _common_cause(
    database: str, fault: Fault, figures: Mapping[str, ContractFigures], *, known: Collection[str]
) -> Iterator[Objection]:
    """Nothing where the patterns of a rarer fault were not kept."""
    patterns = sorted((p for f in figures.values() for p in f.patterns if p.reason == fault), key=lambda p: -p.rows)
    total = sum(f.reasons.get(fault, 0) for f in figures.values())
    if patterns:
        cause = describe_patterns(patterns, total=total, place=f"{database}-", known=known)
        yield Objection(contracts=tuple(figures), findings=(cause,))


def _blocks(outcome: ContractOutcome, fault: Fault) -> bool:
    rule = "differences_explained" if fault == "unexplained" else "nothing_missed"
    found = outcome.figures is not None and bool(outcome.figures.reasons.get(fault))
    return found and any(result.blocks for result in outcome.results if result.rule == rule)


def _strange(candidate: Candidate, inventory: ContractInventory) -> Iterator[Objection]:
    found = inventory.binding
    if found is None:
        yield Objection(findings=("the contracts belong to no candidate (C29)",))
    elif (found.candidate_sha, found.map_sha256, found.yesterday_transaction) != (
        candidate.sha,
        candidate.map_sha256,
        candidate.transaction,
    ):
        strange = (
            f"the contracts were computed at commit {found.candidate_sha[:8]} from night "
            f"{found.yesterday_transaction[:8]}, the candidate is {candidate.version} from "
            f"{candidate.transaction[:8]} (C29)"
        )
        yield Objection(findings=(strange,))


def find_gate_problems(  # noqa: PLR0913 - each is one thing that the gate compares
    candidate: Candidate,
    verdict: Verdict,
    *,
    test_transaction: str,
    branch_sha: str | None,
    branch_map_sha256: str | None,
    base_sha: str | None,
    running_contracts: Sequence[str],
    now: datetime,
    window: PublishWindow,
) -> Iterator[str]:
    """Why no pull request may be opened now (C11, C26, C29); what is absent counts as wrong."""
    if not verdict.approved:
        yield f"the verdict is not approved: {'; '.join(map(str, verdict.reasons[:3]))}"
    due = Binding(
        candidate_sha=candidate.sha,
        map_sha256=candidate.map_sha256,
        test_transaction=test_transaction,
        yesterday_transaction=candidate.transaction,
    )
    if verdict.binding != due:
        of = f"of commit {verdict.binding.candidate_sha[:8]}" if verdict.binding else "of no candidate"
        yield f"the verdict is {of}, not of the candidate {candidate.version} and its test run (C29)"
    if branch_sha != candidate.sha or branch_map_sha256 != candidate.map_sha256:
        yield f"the branch {candidate.branch} is no longer the validated commit {candidate.version} (C29)"
    if base_sha != candidate.base_sha:
        yield (
            f"the base branch moved from {candidate.base_sha[:8]} to {(base_sha or 'nothing')[:8]} since the candidate "
            "was built (C26); refresh again"
        )
    if not window.holds(now):
        yield f"it is {now:%H:%M} UTC, outside the publish window {window} (C11); try again inside it"
    if running_contracts:
        yield (
            f"{count_of(len(running_contracts), 'contract')} still being computed, first {running_contracts[0]} (C11); "
            "try again when that run is done"
        )
