"""Sums the row counts of contracts, over a database or over a whole refresh.

charts.py draws the sums, page.py chooses which are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from logcache_assets.domain.documents import ContractOutcome, InstanceSpan, Verdict
from logcache_assets.domain.figures import EXPLANATIONS, FAULTS, ContractFigures, Reason
from logcache_assets.domain.instances import is_instance_of
from logcache_assets.domain.names import is_contract_of

REASONS: tuple[Reason, ...] = (*FAULTS, *EXPLANATIONS)
"""Order of reasons in every table and bar: faults first, so that a narrow screen shows them."""

Word = Literal["passed", "passed with warnings", "failed"]
"""The rules' result for a contract, in short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """Counts of the rows of one or more contracts, compared with yesterday's."""

    contracts: int
    failed: int
    warned: int
    """Contracts that passed although a rule warned or a finding was excused."""
    uncompared: int
    """Contracts without a table, or whose keys do not allow a comparison; they count only in `rows`."""
    rows: int
    yesterday_rows: int
    compared: int
    """Keys that exist on either day."""
    found: int
    """Keys of yesterday that still exist today."""
    differing: int
    reasons: Mapping[Reason, int]
    """Reason → rows that differ, or should differ; every reason is a key."""

    @property
    def explained(self) -> int:
        """Rows whose difference has a reason."""
        return sum(self.reasons[reason] for reason in EXPLANATIONS)

    @property
    def faults(self) -> int:
        """Rows that are unexplained or missed."""
        return sum(self.reasons[fault] for fault in FAULTS)

    @property
    def share_explained(self) -> float | None:
        """Explained share of the rows that differ or should, from 0 to 1; 1 if none does, None if not compared."""
        if self.uncompared == self.contracts:
            return None
        rows = self.explained + self.faults
        return self.explained / rows if rows else 1.0

    @property
    def share_found(self) -> float | None:
        """Share of yesterday's keys that still exist, from 0 to 1; None if not compared."""
        if self.uncompared == self.contracts:
            return None
        return self.found / self.yesterday_rows if self.yesterday_rows else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSummary:
    """What changed in the contracts of one database."""

    database: str
    spans: tuple[InstanceSpan, ...]
    counts: RowCounts


def count_rows(outcomes: Sequence[ContractOutcome]) -> RowCounts:
    """Sum the counts of some contracts."""
    compared = [outcome.figures for outcome in outcomes if is_compared(outcome)]
    figures = [found for found in compared if found is not None]
    return RowCounts(
        contracts=len(outcomes),
        failed=sum(not outcome.passed for outcome in outcomes),
        warned=sum(word_of(outcome) == "passed with warnings" for outcome in outcomes),
        uncompared=len(outcomes) - len(figures),
        rows=sum(outcome.rows or 0 for outcome in outcomes),
        yesterday_rows=sum(found.yesterday.rows for found in figures),
        compared=sum(found.yesterday.rows + found.added for found in figures),
        found=sum(found.found for found in figures),
        differing=sum(found.differing for found in figures),
        reasons=_sum_reasons(figures),
    )


def _sum_reasons(figures: Sequence[ContractFigures]) -> dict[Reason, int]:
    parts = [found.reasons for found in figures]
    return {reason: sum(part.get(reason, 0) for part in parts) for reason in REASONS}


def is_compared(outcome: ContractOutcome) -> bool:
    """Whether rows of both days were compared."""
    return outcome.figures is not None and outcome.figures.prototypes is not None


def summarize_databases(verdict: Verdict) -> tuple[DatabaseSummary, ...]:
    """A summary of each database of the verdict, in its order."""
    return tuple(
        DatabaseSummary(
            database=database,
            spans=tuple(span for span in verdict.spans if is_instance_of(span.instance, database)),
            counts=count_rows([o for o in verdict.contracts if is_contract_of(o.dataset, database)]),
        )
        for database in verdict.databases
    )


def word_of(outcome: ContractOutcome) -> Word:
    """The rules' result for a contract, in short."""
    if not outcome.passed:
        return "failed"
    warned = any(not result.passed or result.excused for result in outcome.results)
    return "passed with warnings" if warned else "passed"


def sort_outcomes(outcomes: Sequence[ContractOutcome]) -> list[ContractOutcome]:
    """Failed contracts first, then those with warnings; otherwise the order is kept."""
    order: tuple[Word, ...] = ("failed", "passed with warnings", "passed")
    return sorted(outcomes, key=lambda outcome: order.index(word_of(outcome)))
