"""Takes databases whose contracts were refused out of a candidate, so that the others can be published.

The new candidate has the same base. Nothing that the other contracts are computed from changes, so they stay proven.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from logcache_assets.domain.carried_evidence import computed_at
from logcache_assets.domain.documents import Candidate, ContractInventory, LeftOut, TestRun, Verdict, leave_out
from logcache_assets.domain.instances import is_instance_of
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.names import database_of, is_contract_of
from logcache_assets.domain.rules.results import RuleName
from logcache_assets.domain.verdict import decide_alone
from logcache_assets.refresh.commit_candidate import CandidateCommitter
from logcache_assets.refresh.start_test_run import carried_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """A candidate without some databases, and what is bound to it."""

    candidate: Candidate
    run: TestRun
    """The same test run, as that of this candidate."""
    inventory: ContractInventory
    """The contracts of its databases."""


def find_refused(
    candidate: Candidate,
    inventory: ContractInventory,
    verdict: Verdict,
    *,
    required: Mapping[str, Sequence[RuleName]],
) -> Iterator[LeftOut]:
    """Yield the databases that are refused for themselves.

    Args:
        candidate: of the refresh.
        inventory: its contracts.
        verdict: on all of it.
        required: dataset → the rules that it must pass.
    """
    for database in candidate.databases:
        own = {name: rules for name, rules in required.items() if is_contract_of(name, database)}
        alone = decide_alone((database,), _only(inventory, (database,)), required=own, now=verdict.decided_at)
        if not alone.approved:
            yield leave_out(database, alone.reasons, stage=Stage.VERDICT, transaction=candidate.transaction)


def narrow(
    candidate: Candidate,
    inventory: ContractInventory,
    run: TestRun,
    refused: Sequence[LeftOut],
    *,
    committer: CandidateCommitter,
) -> Narrowed:
    """Commit a candidate anew, without the databases that were refused."""
    rest = committer.narrow(candidate, refused, tested_sha=computed_at(run))
    kept = _only(inventory, rest.databases)
    bound = kept.binding and replace(kept.binding, candidate_sha=rest.sha, map_sha256=rest.map_sha256)
    return Narrowed(candidate=rest, run=carried_run(run, rest), inventory=replace(kept, binding=bound))


def _only(inventory: ContractInventory, databases: Sequence[str]) -> ContractInventory:
    """What an inventory says of some databases."""
    return replace(
        inventory,
        spans=tuple(s for s in inventory.spans if any(is_instance_of(s.instance, name) for name in databases)),
        outcomes=tuple(outcome for outcome in inventory.outcomes if database_of(outcome.dataset) in databases),
    )
