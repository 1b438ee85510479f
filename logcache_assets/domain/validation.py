"""The rules a contract must pass before its cache is published, their results, and what of these refuses.

How a rule judges figures is judges.py; what a verdict makes of the results is verdict.py. A rule that gave no result is
a refusal (C29).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


class Objection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What speaks against publishing, or should be read before it is done."""

    findings: tuple[str, ...]
    """Clauses, the likely cause first."""
    contracts: tuple[str, ...] = ()
    """Datasets that it is about; none where it is about the candidate."""
    rule: RuleName | None = None
    """That found it; None where it is no single rule's."""

    @property
    def subject(self) -> str:
        """The first contract and how many more there are."""
        more = len(self.contracts) - 1
        return f"{self.contracts[0]} and {more} more" if more > 0 else "".join(self.contracts)

    def __str__(self) -> str:
        """One sentence for a person."""
        return ": ".join(part for part in (self.subject, self.rule, "; ".join(self.findings)) if part)


def find_refusals(
    results: Mapping[str, Sequence[RuleResult]], *, required: Mapping[str, Sequence[RuleName]]
) -> tuple[Objection, ...]:
    """Why the contracts must not be published: rules that block, and rules that did not run once (C29).

    Contracts that fail for one and the same reason share an objection.

    Args:
        results: by contract.
        required: the rules that must have run, by contract.
    """
    if not required:
        return (Objection(findings=("no contract was to be checked (C29)",)),)
    return _united(
        objection
        for contract, rules in required.items()
        for objection in _refusals(contract, results.get(contract, ()), rules)
    )


def find_warnings(results: Mapping[str, Sequence[RuleResult]]) -> tuple[Objection, ...]:
    """What does not block but should be read: rules that only warn, and what was excused."""
    return _united(
        Objection(contracts=(contract,), rule=result.rule, findings=findings)
        for contract, its_results in results.items()
        for result in its_results
        for findings in _warnings(result)
    )


def _warnings(result: RuleResult) -> Iterator[tuple[str, ...]]:
    if not result.passed and not result.blocks:
        yield result.actual
    yield from ((str(excuse),) for excuse in result.excused)


def _united(objections: Iterable[Objection]) -> tuple[Objection, ...]:
    """One objection for all contracts that have the same, in the order of the first."""
    same: dict[tuple[RuleName | None, tuple[str, ...]], list[str]] = {}
    for objection in objections:
        contracts = same.setdefault((objection.rule, objection.findings), [])
        contracts += [contract for contract in objection.contracts if contract not in contracts]
    return tuple(
        Objection(contracts=tuple(contracts), rule=rule, findings=findings)
        for (rule, findings), contracts in same.items()
    )


def _refusals(contract: str, results: Sequence[RuleResult], required: Sequence[RuleName]) -> Iterator[Objection]:
    # A table that is not there fails every rule for one reason, which then stands alone.
    alone = len({result.actual for result in results}) == 1
    for rule in required:
        own = [result for result in results if result.rule == rule]
        if len(own) != 1:
            how_often = "did not run" if not own else f"has {len(own)} results, of which one at most is its own"
            yield Objection(contracts=(contract,), rule=rule, findings=(f"the check {how_often} (C29)",))
        elif own[0].blocks:
            yield Objection(contracts=(contract,), rule=None if alone else rule, findings=own[0].actual)
