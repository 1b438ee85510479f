"""The verdict over a candidate, and the gate that lets nothing pass without it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from logcache_assets.domain.documents import Candidate, ContractInventory, Verdict
from logcache_assets.domain.refresh import PublishWindow
from logcache_assets.domain.validation import find_refusals


def decide_verdict(
    candidate: Candidate, inventory: ContractInventory, *, mandatory_contracts: Sequence[str], now: datetime
) -> Verdict:
    """Approved only if every mandatory rule ran and passed for every mandatory contract of this very candidate.

    Args:
        candidate: what may be published.
        inventory: what the rules said of its contracts.
        mandatory_contracts: every dataset that the definitions at the candidate's commit declare.
        now: the instant to write down.
    """
    results = {outcome.dataset: outcome.results for outcome in inventory.outcomes}
    reasons = [
        *_strange(candidate, inventory),
        *find_refusals(results, mandatory_contracts=mandatory_contracts),
    ]
    return Verdict(
        approved=not reasons,
        reasons=tuple(reasons),
        candidate_sha=candidate.sha,
        map_sha256=candidate.map_sha256,
        test_transaction=inventory.test_transaction,
        yesterday_transaction=inventory.yesterday_transaction,
        databases=candidate.databases,
        decided_at=now,
        contracts=inventory.outcomes,
    )


def _strange(candidate: Candidate, inventory: ContractInventory) -> Iterator[str]:
    found = (inventory.candidate_sha, inventory.map_sha256, inventory.yesterday_transaction)
    if found != (candidate.sha, candidate.map_sha256, candidate.transaction):
        yield (
            f"the contracts were computed at commit {inventory.candidate_sha[:8]} from night "
            f"{inventory.yesterday_transaction[:8]}, the candidate is {candidate.version} from "
            f"{candidate.transaction[:8]} (C29)"
        )


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
        yield f"the verdict is not approved: {'; '.join(verdict.reasons[:3])}"
    bound = (verdict.candidate_sha, verdict.map_sha256, verdict.yesterday_transaction, verdict.test_transaction)
    if bound != (candidate.sha, candidate.map_sha256, candidate.transaction, test_transaction):
        yield f"the verdict is of commit {verdict.candidate_sha[:8]}, not of the candidate {candidate.version} (C29)"
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
            f"{len(running_contracts)} contracts are still being computed, first {running_contracts[0]} (C11); "
            "try again when that run is done"
        )
