"""Decides whether a candidate may be published, from what the rules said of its contracts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from logcache_assets.domain.documents import Candidate, ContractInventory, ContractOutcome, Verdict
from logcache_assets.domain.figures import FAULTS, ContractFigures, Fault
from logcache_assets.domain.names import database_of, is_contract_of
from logcache_assets.domain.patterns import describe_patterns
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.rules import rule_of_fault
from logcache_assets.domain.rules.results import RuleName
from logcache_assets.domain.verdict_reasons import find_refusals, find_warnings

RECOMPUTE = "materialize itaipu_test_run and everything after it again"


def decide_verdict(
    candidate: Candidate,
    inventory: ContractInventory,
    *,
    required: Mapping[str, Sequence[RuleName]],
    now: datetime,
) -> Verdict:
    """Decide the verdict on a candidate: approved only if every required contract passed every required rule.

    Args:
        candidate: what may be published.
        inventory: what the rules said of its contracts.
        required: every dataset that the definitions at the candidate's commit declare, and the rules it must pass.
        now: when the verdict is decided.
    """
    alone = decide_alone(candidate.databases, inventory, required=required, now=now)
    reasons = (*_find_wrong_binding(candidate, inventory), *alone.reasons)
    return replace(alone, approved=not reasons, reasons=reasons, binding=inventory.binding, left_out=candidate.left_out)


def decide_alone(
    databases: tuple[str, ...],
    inventory: ContractInventory,
    *,
    required: Mapping[str, Sequence[RuleName]],
    now: datetime,
) -> Verdict:
    """Decide a verdict outside a refresh. It is bound to no candidate, so nothing can be published with it."""
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


def find_likely_causes(outcomes: Sequence[ContractOutcome]) -> Iterator[Problem]:
    """The likely common cause of faults in several contracts, one problem per database and fault."""
    faulty: dict[tuple[str, Fault], dict[str, ContractFigures]] = {}
    for outcome in outcomes:
        for fault in FAULTS:
            if outcome.figures and outcome.figures.explained and _blocks(outcome, fault):
                database = database_of(outcome.dataset)
                faulty.setdefault((database, fault), {})[outcome.dataset] = outcome.figures
    for (database, fault), figures in faulty.items():
        if len(figures) > 1:
            yield from _common_cause(database, fault, figures, known=_prototypes_of(database, outcomes))


def _prototypes_of(database: str, outcomes: Sequence[ContractOutcome]) -> set[str]:
    """Every prototype on which a contract of the database has rows."""
    own = (o.figures for o in outcomes if o.figures and is_contract_of(o.dataset, database))
    return {prototype for figures in own for prototype in figures.prototypes or ()}


def _common_cause(
    database: str, fault: Fault, figures: Mapping[str, ContractFigures], *, known: Collection[str]
) -> Iterator[Problem]:
    """Yield one problem; nothing if no pattern has this fault, as contracts keep only their most frequent ones."""
    patterns = sorted((p for f in figures.values() for p in f.patterns if p.reason == fault), key=lambda p: -p.rows)
    total = sum(f.reasons.get(fault, 0) for f in figures.values())
    if patterns:
        cause = describe_patterns(patterns, total=total, place=f"{database}-", known=known)
        yield Problem(subjects=tuple(figures), found=(cause,))


def _blocks(outcome: ContractOutcome, fault: Fault) -> bool:
    rule = rule_of_fault(fault).name
    found = outcome.figures is not None and bool(outcome.figures.reasons.get(fault))
    return found and any(result.blocks for result in outcome.results if result.rule == rule)


def _find_wrong_binding(candidate: Candidate, inventory: ContractInventory) -> Iterator[Problem]:
    """Contracts that were computed for another candidate, or for none (C29)."""
    found = inventory.binding
    if found is None:
        yield Problem(code="C29", found=("the contracts belong to no candidate",), remedy=RECOMPUTE)
    elif (found.candidate_sha, found.map_sha256, found.yesterday_transaction) != (
        candidate.sha,
        candidate.map_sha256,
        candidate.transaction,
    ):
        strange = (
            f"the contracts were computed at commit {found.candidate_sha[:8]} from night "
            f"{found.yesterday_transaction[:8]}, the candidate is {candidate.version} from {candidate.transaction[:8]}"
        )
        yield Problem(code="C29", found=(strange,), remedy=RECOMPUTE)
