"""The base branch must still be the commit that the candidate was built on."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Problem


class BaseUnmoved(Requirement):
    """Compares the base branch's commit, so that publishing is a compare-and-swap of the active map."""

    name = "base_unmoved"
    code = "C26"
    sentence = "The base branch is still the commit that the candidate was built on."

    @override
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        expected, found = state.candidate.base_sha, state.base_sha
        if found != expected:
            yield self.problem(
                f"the base branch moved from {expected[:8]} to {(found or 'nothing')[:8]} since the candidate was "
                "built",
                remedy="refresh again",
            )
