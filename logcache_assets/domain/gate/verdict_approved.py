"""The verdict on the candidate's contracts must be an approval."""

from collections.abc import Iterator

from typing_extensions import override

from logcache_assets.domain.documents import Verdict
from logcache_assets.domain.gate.requirement import Requirement
from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Problem, join_problems

READ_REPORT = "read the report, remove the cause and refresh again"
REASONS = 3
"""How many of the verdict's reasons the refusal repeats."""


class VerdictApproved(Requirement):
    """Checks that a verdict is stored and approves the candidate."""

    name = "verdict_approved"
    code = "C29"
    sentence = "A verdict is stored, and it is an approval."

    @override
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        if state.verdict is None:
            yield self.problem(
                f"the verdict is not approved: none is stored for the candidate {state.candidate.version}",
                remedy="materialize validation_report",
            )
        elif not state.verdict.approved:
            yield refused_verdict_problem(state.verdict)


def refused_verdict_problem(verdict: Verdict) -> Problem:
    """The one problem of a verdict that refuses. It has no code: each reason has its own."""
    reasons = join_problems(verdict.reasons, shown=REASONS) or "it names no reason"
    return Problem(found=(f"the verdict is not approved: {reasons}",), remedy=READ_REPORT)
