"""Asset checks: one per rule on every contract, derived from the registry of rules.

Checks compute nothing. The step that reads a contract reports all its results, so that a missing table never hides
other results.
"""

from collections.abc import Iterator

import dagster as dg

from logcache_assets.domain.documents import ContractOutcome
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.rules import RULE_NAMES, RULES
from logcache_assets.domain.rules.results import RuleName, RuleResult

REFUSES = "A failure that blocks stops the publication through validation_report, not the run."


def contract_check_specs(contract: dg.AssetKey) -> Iterator[dg.AssetCheckSpec]:
    """One check per rule on a contract dataset."""
    for rule in RULES:
        yield dg.AssetCheckSpec(rule.name, asset=contract, description=f"{rule.sentence} {REFUSES}")


def contract_check_results(contract: dg.AssetKey, outcome: ContractOutcome) -> Iterator[dg.AssetCheckResult]:
    """One check result per rule: expected, actual, and figures under names that stay the same over refreshes."""
    found = {result.rule: result for result in outcome.results}
    for rule in RULE_NAMES:
        result = found.get(rule) or _not_required(rule)
        yield dg.AssetCheckResult(
            asset_key=contract,
            check_name=result.rule,
            passed=result.passed,
            severity=dg.AssetCheckSeverity.ERROR if result.severity == "block" else dg.AssetCheckSeverity.WARN,
            description=result.sentence,
            metadata={
                "expected": result.expected,
                "actual": result.sentence,
                **_excused(result),
                **result.figures,
                "report": dg.MetadataValue.asset(dg.AssetKey(Stage.VERDICT.value)),
            },
        )


def _not_required(rule: RuleName) -> RuleResult:
    """The result of a rule that this contract need not pass; the verdict judges the required ones."""
    return RuleResult(rule=rule, passed=True, expected="not asked for", actual=("not asked for",), figures={})


def _excused(result: RuleResult) -> dict[str, str]:
    return {"excused": "; ".join(map(str, result.excused))} if result.excused else {}
