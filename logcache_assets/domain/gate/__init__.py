"""The gate: what must hold before a candidate is published, one module per requirement.

It fails closed: anything absent or not examined is a problem. refresh/publish.py gathers the state.
"""

from collections.abc import Iterator, Sequence

from logcache_assets.domain.gate.allowances_hold import AllowancesHold
from logcache_assets.domain.gate.base_unmoved import BaseUnmoved
from logcache_assets.domain.gate.branch_unmoved import BranchUnmoved
from logcache_assets.domain.gate.inside_publish_window import InsidePublishWindow
from logcache_assets.domain.gate.map_sound import MapSound
from logcache_assets.domain.gate.no_contract_running import NoContractRunning
from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.gate.verdict_approved import VerdictApproved
from logcache_assets.domain.gate.verdict_of_candidate import VerdictOfCandidate
from logcache_assets.domain.problems import Problem

__all__ = ["REQUIREMENTS", "GateState", "Requirement", "find_gate_problems"]

REQUIREMENTS: Sequence[Requirement] = (
    VerdictApproved(),
    VerdictOfCandidate(),
    AllowancesHold(),
    BranchUnmoved(),
    BaseUnmoved(),
    MapSound(),
    InsidePublishWindow(),
    NoContractRunning(),
)
"""All requirements, in the order in which their problems are reported."""


def find_gate_problems(state: GateState) -> Iterator[Problem]:
    """Every reason not to publish the candidate now; yields nothing if the gate is open."""
    for requirement in REQUIREMENTS:
        yield from requirement.find_problems(state)
