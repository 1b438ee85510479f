"""Outcomes of contracts in a test run: judged, or without a table that could be judged."""

from collections.abc import Sequence

from logcache_assets.domain.documents import ContractOutcome
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.domain.rules.results import RuleName, RuleResult, judge_unusable


def judged_outcome(
    dataset: str, *, uri: str, figures: ContractFigures, results: Sequence[RuleResult]
) -> ContractOutcome:
    """The outcome of a committed contract that was compared with yesterday's."""
    return ContractOutcome(
        dataset=dataset,
        state="committed",
        uri=uri,
        rows=figures.today.rows,
        yesterday_rows=figures.yesterday.rows,
        results=tuple(results),
        figures=figures,
    )


def unusable_outcome(
    dataset: str, reason: str, *, rules: Sequence[RuleName], state: str = "absent", uri: str | None = None
) -> ContractOutcome:
    """The outcome of a contract that could not be judged: every rule fails for one reason.

    Args:
        dataset: the contract.
        reason: why it could not be judged.
        rules: those that it should have passed.
        state: of the dataset in the test run.
        uri: its folder, if it has one.
    """
    return ContractOutcome(
        dataset=dataset,
        state=state,
        uri=uri,
        rows=None,
        yesterday_rows=None,
        results=judge_unusable(reason, rules=rules),
    )
