"""The rules a contract must pass before its cache is published, and their results.

How a rule judges figures is judges.py; what of the results speaks against publishing is objections.py.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from logcache_assets.domain.definitions import ContractTable, DatabaseDefinition
from logcache_assets.domain.rules import Allowance, Rules, Severity

RuleName = Literal[
    "sound_table", "values_found_yesterday", "differences_explained", "nothing_missed", "same_t_same_table"
]
MANDATORY_RULES: tuple[RuleName, ...] = (
    "sound_table",
    "values_found_yesterday",
    "differences_explained",
    "nothing_missed",
)
"""Of every contract; `same_t_same_table` is mandatory where it was asked for."""


class SameTSelection(msgspec.Struct, frozen=True, kw_only=True):
    """For which contracts, and on which prototypes, yesterday is recomputed from the candidate's caches."""

    contracts: str = "*"
    """Pattern of dataset names."""
    prototypes: tuple[str, ...] | None = None
    """None for all."""

    def of(self, definition: DatabaseDefinition) -> tuple[str, ...]:
        """The prototypes of a database to recompute."""
        return tuple(p for p in definition.prototypes if self.prototypes is None or p in self.prototypes)


NO_SAME_T = SameTSelection(contracts="")
"""Recompute nothing."""


def required_rules(
    table: ContractTable, definition: DatabaseDefinition, same_t: SameTSelection, *, log_given: bool = True
) -> tuple[RuleName, ...]:
    """The rules that a contract must pass; without a log, as no refresh is, nobody can tell what was missed."""
    rules = MANDATORY_RULES if log_given else tuple(rule for rule in MANDATORY_RULES if rule != "nothing_missed")
    again = fnmatchcase(table.dataset, same_t.contracts) and same_t.of(definition)
    return (*rules, "same_t_same_table") if again else rules


class AppliedAllowance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of the allow-list as reports show it."""

    allowance: Allowance
    used: bool
    """Whether it excused something this time."""


class Excuse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that would have failed its rule."""

    what: str
    allowance: Allowance | None = None
    """Who excuses it; None for a threshold."""
    threshold: float | None = None

    def __str__(self) -> str:
        """One clause for a person."""
        if self.allowance is None:
            return f"{self.what} (within the threshold of {self.threshold or 0:.4%})"
        allowed = self.allowance
        return f"{self.what} (allowed by {allowed.owner} until {allowed.expires}: {allowed.reason})"


class RuleResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one rule says of one contract."""

    rule: RuleName
    passed: bool
    expected: str
    actual: tuple[str, ...]
    """Clauses; where the rule did not pass the likely cause comes first."""
    figures: dict[str, int | float]
    """Under names that stay the same over refreshes."""
    severity: Severity = "block"
    """Of a rule that did not pass."""
    excused: tuple[Excuse, ...] = ()
    """What an allowance or a threshold let pass."""

    @property
    def sentence(self) -> str:
        """What it found, for a person."""
        return "; ".join(self.actual)

    @property
    def blocks(self) -> bool:
        """Whether nothing may be published."""
        return not self.passed and self.severity == "block"


def judge_unusable(reason: str, *, rules: Sequence[RuleName] = MANDATORY_RULES) -> tuple[RuleResult, ...]:
    """Every rule fails for a contract that has no table to look at."""
    return tuple(
        RuleResult(rule=rule, passed=False, expected="a committed table", actual=(reason,), figures={})
        for rule in rules
    )


def applied_allowances(rules: Rules, outcomes: Mapping[str, Sequence[RuleResult]]) -> tuple[AppliedAllowance, ...]:
    """Every entry of the allow-list, and whether it excused something."""
    used = {excuse.allowance for results in outcomes.values() for result in results for excuse in result.excused}
    return tuple(AppliedAllowance(allowance=a, used=a in used) for a in rules.allow)
