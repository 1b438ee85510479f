"""The candidate's map must be sound: its pointers, the segments that continue its logs, and the entries of others."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Problem


class MapSound(Requirement):
    """Reports the problems found when the candidate's map was inspected."""

    name = "map_sound"
    code = "C14"
    sentence = (
        "Every entry of the candidate's map points to a whole cached log, the segment index continues the refreshed "
        "ones, and no other entry changes."
    )

    @override
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        if state.map_problems is None:
            yield self.problem(
                f"the map on {state.candidate.branch} could not be inspected",
                remedy="check that the branch and its map are there, and refresh again",
            )
        else:
            yield from state.map_problems
