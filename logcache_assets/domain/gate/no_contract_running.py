"""No contract may be being computed, because a run must read the same pointers from start to end."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Problem, join_problems


class NoContractRunning(Requirement):
    """Checks metapod's open DAILY and CUSTOM transactions for unfinished contracts."""

    name = "no_contract_running"
    code = "C11"
    sentence = "No open transaction has a contract that is still being computed."
    is_passing = True

    @override
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        if state.running_contracts is None:
            yield self.problem(
                "metapod was not asked which contracts are still being computed",
                remedy="run log_cache_pull_request again",
            )
        elif state.running_contracts:
            yield self.problem(
                f"contracts are still being computed: {join_problems(state.running_contracts, shown=1)}",
                remedy="try again when that run is done",
            )
