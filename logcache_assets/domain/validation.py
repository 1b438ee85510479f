"""The rules a contract must pass before its cache is published, their results, and what of these refuses.

How a rule judges figures is judges.py; what a verdict makes of the results is verdict.py. A rule that gave no result is
a refusal (C29).
"""

from collections.abc import Iterator, Mapping, Sequence
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
    table: ContractTable, definition: DatabaseDefinition, same_t: SameTSelection
) -> tuple[RuleName, ...]:
    """The rules that a contract must pass."""
    again = fnmatchcase(table.dataset, same_t.contracts) and same_t.of(definition)
    return (*MANDATORY_RULES, "same_t_same_table") if again else MANDATORY_RULES


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
    actual: str
    figures: dict[str, int | float]
    """Under names that stay the same over refreshes."""
    severity: Severity = "block"
    """Of a rule that did not pass."""
    excused: tuple[Excuse, ...] = ()
    """What an allowance or a threshold let pass."""

    @property
    def blocks(self) -> bool:
        """Whether nothing may be published."""
        return not self.passed and self.severity == "block"


def judge_unusable(reason: str, *, rules: Sequence[RuleName] = MANDATORY_RULES) -> tuple[RuleResult, ...]:
    """Every rule fails for a contract that has no table to look at."""
    return tuple(
        RuleResult(rule=rule, passed=False, expected="a committed table", actual=reason, figures={}) for rule in rules
    )


def applied_allowances(rules: Rules, outcomes: Mapping[str, Sequence[RuleResult]]) -> tuple[AppliedAllowance, ...]:
    """Every entry of the allow-list, and whether it excused something."""
    used = {excuse.allowance for results in outcomes.values() for result in results for excuse in result.excused}
    return tuple(AppliedAllowance(allowance=a, used=a in used) for a in rules.allow)


def find_refusals(
    results: Mapping[str, Sequence[RuleResult]], *, required: Mapping[str, Sequence[RuleName]]
) -> tuple[str, ...]:
    """Why the contracts must not be published: rules that block, and rules that never ran (C29).

    Contracts that fail for one and the same reason share a sentence.

    Args:
        results: by contract.
        required: the rules that must have run, by contract.
    """
    if not required:
        return ("no contract was to be checked (C29)",)
    return _by_contract(
        (contract, reason)
        for contract, rules in required.items()
        for reason in _refusals(results.get(contract, ()), rules)
    )


def find_warnings(results: Mapping[str, Sequence[RuleResult]]) -> tuple[str, ...]:
    """What does not block but should be read: rules that only warn, and what was excused."""
    warnings = (
        (contract, text)
        for contract, its_results in results.items()
        for result in its_results
        for text in _warnings(result)
    )
    return _by_contract(warnings)


def _warnings(result: RuleResult) -> Iterator[str]:
    if not result.passed and not result.blocks:
        yield f"{result.rule}: {result.actual}"
    yield from map(str, result.excused)


def _by_contract(sentences: Iterator[tuple[str, str]]) -> tuple[str, ...]:
    by_text: dict[str, list[str]] = {}
    for contract, text in sentences:
        contracts = by_text.setdefault(text, [])
        if contract not in contracts:
            contracts.append(contract)
    return tuple(f"{_named(contracts)}: {text}" for text, contracts in by_text.items())


def _refusals(results: Sequence[RuleResult], required: Sequence[RuleName]) -> Iterator[str]:
    by_rule = {result.rule: result for result in results}
    for rule in required:
        if rule not in by_rule:
            yield f"the check {rule} did not run (C29)"
        elif by_rule[rule].blocks:
            # A table that is not there fails every rule for one reason, which then stands alone.
            alone = len({result.actual for result in results}) == 1
            yield by_rule[rule].actual if alone else f"{rule} failed: {by_rule[rule].actual}"


def _named(contracts: Sequence[str]) -> str:
    return contracts[0] if len(contracts) == 1 else f"{contracts[0]} and {len(contracts) - 1} more"
