"""The gate: what must hold before a candidate is published, one module per requirement.

A candidate is published twice, when it is proposed and when it is merged; much may happen in between. The gate fails
closed: anything absent or not examined is a problem. refresh/publish.py gathers the state.
"""

from collections.abc import Iterator, Sequence

from logcache_assets.domain.gate.allowances_hold import AllowancesHold
from logcache_assets.domain.gate.base_unmoved import BaseUnmoved
from logcache_assets.domain.gate.branch_unmoved import BranchUnmoved
from logcache_assets.domain.gate.clock_agrees import ClockAgrees
from logcache_assets.domain.gate.entries_unmoved import EntriesUnmoved
from logcache_assets.domain.gate.inside_publish_window import InsidePublishWindow
from logcache_assets.domain.gate.map_sound import MapSound
from logcache_assets.domain.gate.no_contract_running import NoContractRunning
from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.gate.verdict_approved import VerdictApproved
from logcache_assets.domain.gate.verdict_of_candidate import VerdictOfCandidate
from logcache_assets.domain.problems import Problem

__all__ = ["MERGING", "REQUIREMENTS", "GateState", "Requirement", "find_gate_problems", "find_merge_problems"]

REQUIREMENTS: Sequence[Requirement] = (
    VerdictApproved(),
    VerdictOfCandidate(),
    AllowancesHold(),
    BranchUnmoved(),
    BaseUnmoved(),
    MapSound(),
    ClockAgrees(),
    InsidePublishWindow(),
    NoContractRunning(),
)
"""All requirements of a proposal, in the order in which their problems are reported."""

MERGING: Sequence[Requirement] = tuple(
    EntriesUnmoved() if isinstance(requirement, BaseUnmoved) else requirement for requirement in REQUIREMENTS
)
"""All requirements of a merge: a commit beside it is no obstacle, a changed entry of the same instance is."""


def find_gate_problems(state: GateState) -> Iterator[Problem]:
    """Every reason not to propose the candidate now; yields nothing if the gate is open."""
    for requirement in REQUIREMENTS:
        yield from requirement.find_problems(state)


def find_merge_problems(state: GateState, *, lasting: bool = False) -> Iterator[Problem]:
    """Every reason not to merge the candidate now; yields nothing if it may be merged.

    Args:
        state: of the candidate and all that it is compared with.
        lasting: leave out what waiting remedies, such as the hour.
    """
    for requirement in MERGING:
        if not (lasting and requirement.is_passing):
            yield from requirement.find_problems(state)
