"""Asset checks: every rule of a contract as Dagster shows it, made from one typed description.

A new rule goes to domain/validation.py first; here it gets its sentence. Checks compute nothing: the step that reads a
contract reports all of them, so that one missing table never hides the others.
"""

from collections.abc import Iterator

import dagster as dg

from logcache_assets.domain.documents import ContractOutcome
from logcache_assets.domain.validation import RuleName, RuleResult

DESCRIPTIONS: dict[RuleName, str] = {
    "sound_table": (
        "The table is committed, has yesterday's schema, a key that is unique and never null, and rows where yesterday "
        "had rows."
    ),
    "values_found_yesterday": (
        "Yesterday's keys are found in the new table, and most of their values are equal; "
        "the share of every column is shown."
    ),
    "differences_explained": (
        "Every row that differs from yesterday's has a cause: datoms that arrived since, of its entity or of one that "
        "it refers to, a renamed ident, an excision, or a changed definition."
    ),
    "nothing_missed": "Every datom that arrived since yesterday shows in the new table.",
    "same_t_same_table": (
        "Recomputed at yesterday's t from the candidate's caches, the contract is exactly yesterday's. Passes unlooked "
        "where the settings do not ask for it."
    ),
}
REFUSES = "A failure stops the publication through validation_report, not the run."
CHECKED_RULES = tuple(DESCRIPTIONS)


def contract_check_specs(contract: dg.AssetKey) -> Iterator[dg.AssetCheckSpec]:
    """The checks of one contract dataset."""
    for rule, description in DESCRIPTIONS.items():
        yield dg.AssetCheckSpec(rule, asset=contract, description=f"{description} {REFUSES}")


def contract_check_results(contract: dg.AssetKey, outcome: ContractOutcome) -> Iterator[dg.AssetCheckResult]:
    """What every rule said of one contract: expected against actual, and numbers under names that stay the same."""
    found = {result.rule: result for result in outcome.results}
    for rule in CHECKED_RULES:
        result = found.get(rule) or _not_asked(rule)
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
                "report": dg.MetadataValue.asset(dg.AssetKey("validation_report")),
            },
        )


def _not_asked(rule: RuleName) -> RuleResult:
    """A rule that is not required of this contract; the verdict requires those that are."""
    return RuleResult(rule=rule, passed=True, expected="not asked for", actual=("not asked for",), figures={})


def _excused(result: RuleResult) -> dict[str, str]:
    return {"excused": "; ".join(map(str, result.excused))} if result.excused else {}
