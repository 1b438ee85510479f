"""The verdict must be about the candidate and its newest test run."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.domain.documents import Binding
from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Problem


class VerdictOfCandidate(Requirement):
    """Compares the verdict's binding with the candidate's commit, map, night and newest test run."""

    name = "verdict_of_candidate"
    code = "C29"
    sentence = "The verdict is of the candidate's commit, map and night, and of its newest test run."

    @override
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        binding = state.verdict.binding if state.verdict else None
        if state.test_transaction is None:
            yield self.problem(
                f"no test run of the candidate {state.candidate.version} is stored",
                remedy="materialize itaipu_test_run and everything after it",
            )
        elif binding != _due(state, state.test_transaction):
            of = f"of commit {binding.candidate_sha[:8]}" if binding else "of no candidate"
            yield self.problem(
                f"the verdict is {of}, not of the candidate {state.candidate.version} and its test run",
                remedy="materialize contract_inventory and validation_report again",
            )


def _due(state: GateState, test_transaction: str) -> Binding:
    return Binding(
        candidate_sha=state.candidate.sha,
        map_sha256=state.candidate.map_sha256,
        test_transaction=test_transaction,
        yesterday_transaction=state.candidate.transaction,
    )
