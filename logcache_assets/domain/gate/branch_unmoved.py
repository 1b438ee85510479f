"""The candidate's branch must still be the commit that was validated."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Problem


class BranchUnmoved(Requirement):
    """Compares the commit and the map on the candidate's branch."""

    name = "branch_unmoved"
    code = "C29"
    sentence = "The candidate's branch is still the validated commit, with the validated map."

    @override
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        candidate = state.candidate
        if state.branch_sha != candidate.sha:
            found = f"it is at {state.branch_sha[:8]}" if state.branch_sha else "it is gone"
        elif state.branch_map_sha256 != candidate.map_sha256:
            found = "it has another map" if state.branch_map_sha256 else "it has no map"
        else:
            return
        yield self.problem(
            f"the branch {candidate.branch} is no longer the validated commit {candidate.version}, {found}",
            remedy="find out who pushed to it, and refresh again",
        )
