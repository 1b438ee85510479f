"""The validation rules, in one registry. A new rule is one module of this folder and one line in RULES.

Everything that lists rules is derived from it: the asset checks, the rules that a contract must pass, the keys and
findings of validation.yaml (settings_file.py), and which rule judges which fault (verdict.py).
"""

from collections.abc import Sequence

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition
from logcache_assets.domain.figures import ContractFigures, Fault
from logcache_assets.domain.rules.differences_explained import DIFFERENCES_EXPLAINED
from logcache_assets.domain.rules.nothing_missed import NOTHING_MISSED
from logcache_assets.domain.rules.results import RuleName, RuleResult
from logcache_assets.domain.rules.rows_within_band import ROWS_WITHIN_BAND
from logcache_assets.domain.rules.rule import Finding, History, Rule, Subject
from logcache_assets.domain.rules.same_t_same_table import SAME_T_SAME_TABLE
from logcache_assets.domain.rules.sound_table import SOUND_TABLE
from logcache_assets.domain.rules.strictness import Strictness
from logcache_assets.domain.rules.values_found_yesterday import VALUES_FOUND_YESTERDAY
from logcache_assets.domain.same_t_selection import SameTSelection

RULES: tuple[Rule, ...] = (
    SOUND_TABLE,
    VALUES_FOUND_YESTERDAY,
    DIFFERENCES_EXPLAINED,
    NOTHING_MISSED,
    ROWS_WITHIN_BAND,
    SAME_T_SAME_TABLE,
)
"""Every rule, the cheapest first. Results, checks and reports have this order."""

RULE_NAMES: tuple[RuleName, ...] = tuple(rule.name for rule in RULES)
MANDATORY_RULES: tuple[RuleName, ...] = tuple(rule.name for rule in RULES if rule.always_required)
"""Rules that every contract of a refresh must pass."""
FINDINGS: tuple[Finding, ...] = tuple(finding for rule in RULES for finding in rule.findings)
"""Everything that an allowance can excuse."""


def rule_named(name: RuleName) -> Rule:
    """The rule with this name; raises KeyError if there is none."""
    return {rule.name: rule for rule in RULES}[name]


def rule_of_fault(fault: Fault) -> Rule:
    """The rule that judges a fault of rows."""
    return next(rule for rule in RULES if rule.fault == fault)


def required_rules(
    table: ContractTable, definition: DatabaseDefinition, same_t: SameTSelection, *, log_given: bool = True
) -> tuple[RuleName, ...]:
    """The rules that a contract must pass, the cheapest first.

    Args:
        table: the contract.
        definition: of its database.
        same_t: which contracts are recomputed.
        log_given: False only outside a refresh. Without a log, nothing_missed cannot be judged and is not required.
    """
    subject = Subject(table=table, definition=definition, same_t=same_t, log_given=log_given)
    return tuple(rule.name for rule in RULES if rule.is_required(subject))


def judge_contract(
    contract: str,
    figures: ContractFigures,
    strictness: Strictness,
    *,
    required: Sequence[RuleName],
    history: History = (),
) -> tuple[RuleResult, ...]:
    """The result of every required rule, in their order.

    Args:
        contract: its dataset.
        figures: what was counted of it.
        strictness: settings and allowances.
        required: names of rules.
        history: its figures in earlier refreshes, the oldest first.
    """
    return tuple(rule_named(name).judge(contract, figures, strictness, history) for name in required)
