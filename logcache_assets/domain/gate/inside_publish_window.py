"""Publishing is allowed only during some hours of the day."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Problem


class InsidePublishWindow(Requirement):
    """Checks the time of day against the publish window."""

    name = "inside_publish_window"
    code = "C11"
    sentence = "It is an hour in which the platform computes no contracts."
    is_passing = True

    @override
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        if not state.window.holds(state.now):
            yield self.problem(
                f"it is {state.now:%H:%M} UTC, outside the publish window {state.window}",
                remedy="wait until it opens, when the sensor proposes what is ready, or call `logcache refresh` then",
            )
