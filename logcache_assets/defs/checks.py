"""Asset checks on contracts: one per contract, with a row per rule.

Checks compute nothing. The step that reads a contract reports its result, so that a missing table never hides other
results. Why there is not one check per rule: docs/decisions/0014-one-check-per-contract.md.
"""

from typing import Any

import dagster as dg

from logcache_assets.domain.documents import ContractOutcome
from logcache_assets.domain.rules import RULES, rule_named
from logcache_assets.domain.rules.results import RuleResult
from logcache_assets.domain.wording import count_of

RULES_PASSED = "rules_passed"
DIGITS = 6
"""Of a share, as Dagit shows it: enough for one row of a million."""
_COLUMNS = ("rule", "result", "found", "expected", "excused", "what to do")


_DESCRIPTION = (
    "The table passes every rule of the validation: "
    f"{', '.join(rule.name for rule in RULES)}. A failure stops the publication, not the run. "
    "The check approved of validation_report says what each rule asks for."
)
"""The rules' sentences stand once, on the report: three thousand times they would be a seventh of what Dagit loads."""


def contract_check_spec(contract: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check on a contract dataset."""
    return dg.AssetCheckSpec(RULES_PASSED, asset=contract, description=_DESCRIPTION)


def contract_check_result(
    contract: dg.AssetKey, outcome: ContractOutcome, *, report: dg.MetadataValue[Any]
) -> dg.AssetCheckResult:
    """The first cause, every rule as a row, and figures under names that stay the same over refreshes.

    Args:
        contract: the asset of the contract.
        outcome: what the rules said of it.
        report: the link to the report.
    """
    results = sorted(outcome.results, key=_urgency)
    return dg.AssetCheckResult(
        asset_key=contract,
        check_name=RULES_PASSED,
        passed=outcome.passed and all(result.passed for result in results),
        severity=dg.AssetCheckSeverity.WARN if outcome.passed else dg.AssetCheckSeverity.ERROR,
        description=_sentence(results),
        metadata={
            "rules": dg.MetadataValue.table([_record(result) for result in results], schema=_SCHEMA),
            **_figures(results),
            "report": report,
        },
    )


_SCHEMA = dg.TableSchema([dg.TableColumn(name) for name in _COLUMNS])


def _urgency(result: RuleResult) -> tuple[bool, bool]:
    """Rules that block come first, then those that warn; otherwise the order is kept."""
    return result.passed, not result.blocks


def _sentence(results: list[RuleResult]) -> str:
    """What the failed rules found, or that all passed. A missing table fails each rule for one reason, told once."""
    if not results:
        return "no rule has a result"
    failed = [result for result in results if not result.passed]
    if not failed:
        return f"{count_of(len(results), 'rule')} passed"
    if len(failed) > 1 and len({result.actual for result in failed}) == 1:
        return failed[0].sentence
    return "; ".join(f"{result.rule}: {result.sentence}" for result in failed)


def _record(result: RuleResult) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "rule": result.rule,
            "result": "passed" if result.passed else "blocks" if result.blocks else "warns",
            "found": result.sentence,
            "expected": result.expected,
            "excused": "; ".join(map(str, result.excused)),
            "what to do": "" if result.passed else rule_named(result.rule).remedy,
        }
    )


def _figures(results: list[RuleResult]) -> dict[str, int | float]:
    """The numbers that Dagit plots: those of the whole contract, rounded. Those of single columns are in the report."""
    figures = {name: figure for result in results for name, figure in result.figures.items() if "/" not in name}
    return {name: figure if isinstance(figure, int) else round(figure, DIGITS) for name, figure in figures.items()}
