"""Asset checks: every rule of a contract as Dagster shows it, made from one typed description.

A new rule goes to domain/validation.py first; here it gets its sentence. Checks compute nothing: the step that reads a
contract reports all of them, so that one missing table never hides the others.
"""

from collections.abc import Iterator

import dagster as dg

from logcache_assets.domain.documents import ContractOutcome
from logcache_assets.domain.validation import RuleName

DESCRIPTIONS: dict[RuleName, str] = {
    "sound_table": (
        "The table is committed, has yesterday's schema, a key that is unique and never null, and rows where yesterday "
        "had rows."
    ),
    "values_found_yesterday": (
        "Yesterday's keys are found in the new table, and most of their values are equal; "
        "the share of every column is shown."
    ),
}


def contract_check_specs(contract: dg.AssetKey) -> Iterator[dg.AssetCheckSpec]:
    """The checks of one contract dataset."""
    for rule, description in DESCRIPTIONS.items():
        yield dg.AssetCheckSpec(rule, asset=contract, description=description)


def contract_check_results(contract: dg.AssetKey, outcome: ContractOutcome) -> Iterator[dg.AssetCheckResult]:
    """What every rule said of one contract: expected against actual, and numbers under names that stay the same."""
    for result in outcome.results:
        yield dg.AssetCheckResult(
            asset_key=contract,
            check_name=result.rule,
            passed=result.passed,
            severity=dg.AssetCheckSeverity.ERROR,
            description=result.actual,
            metadata={"expected": result.expected, "actual": result.actual, **result.figures},
        )
