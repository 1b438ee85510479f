"""Our own clock must agree with the newest instants that the outside systems show."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.domain.clocks import find_clock_fault
from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Problem


class ClockAgrees(Requirement):
    """Compares our clock with metapod's, the object store's and the segment index's.

    By our clock the hours of publishing are told, and which runs are recent enough to be asked about.
    """

    name = "clock_agrees"
    code = "C11"
    sentence = "Our own clock is neither behind nor far ahead of what the outside systems show."
    is_passing = True

    @override
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        if state.witnesses is None:
            yield self.problem("the clock here was compared with nothing", remedy="run log_cache_pull_request again")
        elif fault := find_clock_fault(state.witnesses, now=state.now):
            yield fault
