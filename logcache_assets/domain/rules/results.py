"""Results of rules on contracts, what they excused, and functions that build them.

verdict_reasons.py decides which results prevent publishing.
"""

from collections.abc import Mapping, Sequence

import msgspec

from logcache_assets.domain.rules.strictness import Allowance, Severity, Strictness

RuleName = str
"""A name in the registry of rules: `sound_table`."""


class AppliedAllowance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An allowance as reports show it."""

    allowance: Allowance
    used: bool
    """True if it excused something in this verdict."""


class Excuse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A problem that does not block, because an allowance or a threshold covers it."""

    what: str
    """The problem, in a clause."""
    allowance: Allowance | None = None
    """None if a threshold covers the problem."""
    threshold: float | None = None

    def __str__(self) -> str:
        """One clause for a person."""
        if self.allowance is None:
            return f"{self.what} (within the threshold of {self.threshold or 0:.4%})"
        allowed = self.allowance
        return f"{self.what} (allowed by {allowed.owner} until {allowed.expires}: {allowed.reason})"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The problems that a rule found, by their effect."""

    blocking: tuple[str, ...] = ()
    """Problems that stop the publication, the likely cause first."""
    warning: tuple[str, ...] = ()
    """Problems that are only reported."""
    excused: tuple[Excuse, ...] = ()


class RuleResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The result of one rule for one contract."""

    rule: RuleName
    passed: bool
    expected: str
    actual: tuple[str, ...]
    """What was found, in clauses; if the rule did not pass, the likely cause comes first."""
    figures: dict[str, int | float]
    """Numbers behind the result, under names that stay the same over refreshes."""
    severity: Severity = "block"
    """Whether a failed rule blocks or warns; ignored if it passed."""
    excused: tuple[Excuse, ...] = ()

    @property
    def sentence(self) -> str:
        """What the rule found, for a person."""
        return "; ".join(self.actual)

    @property
    def blocks(self) -> bool:
        """Whether the result stops the publication."""
        return not self.passed and self.severity == "block"


def conclude(
    rule: RuleName, judgement: Judgement, *, expected: str, good: str, figures: Mapping[str, int | float]
) -> RuleResult:
    """The result that follows from a judgement.

    Args:
        rule: the rule that judged.
        judgement: the problems it found.
        expected: what passes.
        good: what to say if there is no problem and nothing was excused.
        figures: the numbers behind it.
    """
    problems = (*judgement.blocking, *judgement.warning)
    passing = tuple(f"excused: {excuse}" for excuse in judgement.excused) or (good,)
    return RuleResult(
        rule=rule,
        passed=not problems,
        severity="block" if judgement.blocking or not problems else "warn",
        expected=expected,
        actual=problems or passing,
        figures=dict(figures),
        excused=judgement.excused,
    )


def excused_or_blocking(problems: Sequence[str], allowance: Allowance | None) -> Judgement:
    """Problems that one allowance covers together, or that block without it."""
    if allowance is None:
        return Judgement(blocking=tuple(problems))
    return Judgement(excused=tuple(Excuse(what=problem, allowance=allowance) for problem in problems))


def judge_unusable(reason: str, *, rules: Sequence[RuleName]) -> tuple[RuleResult, ...]:
    """A failure of every given rule, for a contract that has no table to judge; the reason says why it has none."""
    return tuple(
        RuleResult(rule=rule, passed=False, expected="a committed table", actual=(reason,), figures={})
        for rule in rules
    )


def applied_allowances(
    strictness: Strictness, outcomes: Mapping[str, Sequence[RuleResult]]
) -> tuple[AppliedAllowance, ...]:
    """Every allowance of the file, and whether it excused something in these results."""
    used = {excuse.allowance for results in outcomes.values() for result in results for excuse in result.excused}
    return tuple(AppliedAllowance(allowance=a, used=a in used) for a in strictness.allow)
