"""The rules by which the contracts were judged must still hold: an allowance may have expired since the verdict."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.rules.settings_file import RULES_PATH


class AllowancesHold(Requirement):
    """Checks the file of rules at the candidate's commit."""

    name = "allowances_hold"
    code = "C29"
    sentence = f"{RULES_PATH} at the candidate's commit is well-formed, and no allowance in it has expired."

    @override
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        if state.rules_problems is None:
            yield self.problem(
                f"{RULES_PATH} was not read at {state.candidate.version}",
                remedy="run log_cache_pull_request again",
            )
        else:
            yield from state.rules_problems
