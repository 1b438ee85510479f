"""The entries of a refresh must still be, on the base branch, those that the candidate was built on."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Problem


class EntriesUnmoved(Requirement):
    """Reports the entries that another merge changed; what else changed on the base branch, git merges."""

    name = "entries_unmoved"
    code = "C26"
    sentence = "On the base branch, the entries of this refresh are still those that the candidate was built on."

    @override
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        if state.moved_entries is None:
            yield self.problem("the entries on the base branch were not compared", remedy="ask again")
        else:
            yield from state.moved_entries
