"""Chooses, orders and names everything that a report shows, so that templates decide nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logcache_assets.domain.documents import Candidate, ContractOutcome, Verdict
from logcache_assets.domain.figures import FAULTS, CellFigures, Pattern, SameT
from logcache_assets.domain.locations import REFUSED_PART, Stage
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.pull_request import shortened
from logcache_assets.domain.rules.results import RuleResult
from logcache_assets.report.charts import Chart, Slice, Spark, draw_spark, stack_slices
from logcache_assets.report.formatting import Finding, show_clauses
from logcache_assets.report.summary import (
    DatabaseSummary,
    RowCounts,
    Word,
    count_rows,
    is_compared,
    sort_outcomes,
    summarize_databases,
    word_of,
)
from logcache_assets.report.trend import TrendPoint, chart_trend, find_points, find_row_counts

COLUMN_ROWS, PATTERN_ROWS = 9_000, 1_500
"""Most rows of all contracts' tables of columns, and of patterns, together, so that a page stays readable."""
FEWEST_ROWS = 5
"""Rows that each of these tables may have in any case."""
EXPLAINED_PATTERNS = 8
"""Explained patterns shown per contract; examples are enough, as they are no faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """The result of a rule, as shown."""

    result: RuleResult
    word: str
    actual: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractView:
    """One contract, as shown."""

    outcome: ContractOutcome
    anchor: str
    word: Word
    counts: RowCounts
    slices: tuple[Slice, ...]
    rules: tuple[RuleView, ...]
    columns: tuple[tuple[str, CellFigures], ...]
    """Columns that are not entirely equal, the worst first."""
    more_columns: int
    equal_columns: int
    patterns: tuple[Pattern, ...]
    more_patterns: int
    spark: Spark | None

    @property
    def compared(self) -> bool:
        """Whether rows of both days were compared."""
        return is_compared(self.outcome)

    @property
    def same_t(self) -> SameT | None:
        """The result of the recomputation at yesterday's t, if there was one."""
        return self.outcome.figures.same_t if self.outcome.figures else None

    @property
    def noteworthy(self) -> bool:
        """Whether it failed, warned or differs; others are only listed as equal."""
        return self.word != "passed" or self.counts.differing > 0 or self.counts.faults > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPattern:
    """A pattern of a fault, and its contract."""

    dataset: str
    pattern: Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """Everything that a report shows."""

    verdict: Verdict
    candidate: Candidate | None
    word: str
    subject: str
    """What was judged, in a few words: a candidate, or the contracts of some databases."""
    databases: tuple[DatabaseSummary, ...]
    total: RowCounts
    refused_part: str | None
    """The page beside this one that shows what was refused of databases that are left out."""
    reasons: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    contracts: tuple[ContractView, ...]
    points: tuple[TrendPoint, ...]
    """One per refresh, oldest first; empty if this is the first one."""
    charts: tuple[Chart, ...]
    largest_t: int
    """The greatest last_t of the candidate's entries."""

    @property
    def log_given(self) -> bool:
        """Whether differences were looked up in the log; True if there were no tables."""
        figures = [outcome.figures for outcome in self.verdict.contracts if outcome.figures]
        return not figures or any(found.explained for found in figures)

    @property
    def databases_named(self) -> str:
        """The first few databases, and the number of others."""
        return name_databases(self.verdict)

    @property
    def noteworthy(self) -> tuple[ContractView, ...]:
        """Contracts that failed, warned or differ."""
        return tuple(contract for contract in self.contracts if contract.noteworthy)

    @property
    def equal(self) -> tuple[ContractView, ...]:
        """Contracts that passed and equal yesterday's."""
        return tuple(contract for contract in self.contracts if not contract.noteworthy)

    @property
    def equal_rows(self) -> int:
        """Number of rows in the equal contracts."""
        return sum(contract.counts.rows for contract in self.equal)

    @property
    def fault_patterns(self) -> tuple[FaultPattern, ...]:
        """Patterns of faults of all contracts, those with the most rows first."""
        found = (
            FaultPattern(dataset=outcome.dataset, pattern=pattern)
            for outcome in self.verdict.contracts
            for pattern in (outcome.figures.patterns if outcome.figures else ())
            if pattern.reason in FAULTS
        )
        return tuple(sorted(found, key=lambda fault: -fault.pattern.rows))


def name_databases(verdict: Verdict) -> str:
    """The first few databases of a verdict, and the number of others."""
    return shortened(verdict.databases) or "no database"


def view_report(verdict: Verdict, candidate: Candidate | None, past: Sequence[Verdict]) -> ReportView:
    """Choose and order everything that the report of a verdict shows."""
    ordered = sort_outcomes(verdict.contracts)
    anchors = {outcome.dataset: f"contract-{number}" for number, outcome in enumerate(ordered, start=1)}
    history = find_row_counts(verdict, past) if past else {}
    found = find_points(verdict, past)
    points = found if len(found) > 1 else ()
    return ReportView(
        verdict=verdict,
        candidate=candidate,
        word="Approved" if verdict.approved else "Refused",
        subject=f"log cache candidate {candidate.version}" if candidate else f"contracts of {name_databases(verdict)}",
        databases=summarize_databases(verdict),
        total=count_rows(verdict.contracts),
        refused_part=_refused_part(verdict, candidate),
        reasons=tuple(_view_problem(problem, anchors) for problem in verdict.reasons),
        warnings=tuple(_view_problem(problem, anchors) for problem in verdict.warnings),
        contracts=tuple(
            view_contract(o, anchor=anchors[o.dataset], history=history.get(o.dataset, ()), among=len(ordered))
            for o in ordered
        ),
        points=points,
        charts=chart_trend(points) if points else (),
        largest_t=max((change.last_t for change in candidate.changes), default=1) if candidate else 1,
    )


def _refused_part(verdict: Verdict, candidate: Candidate | None) -> str | None:
    """The name of that page, which lies beside this one."""
    if candidate is None or all(left.stage != Stage.VERDICT for left in verdict.left_out):
        return None
    return f"{candidate.selection}{REFUSED_PART}.html"


def _view_problem(problem: Problem, anchors: Mapping[str, str]) -> Finding:
    lead, *rest = problem.clauses
    named = f"{problem.rule}: {lead}" if problem.rule else lead
    anchor = next((anchors[contract] for contract in problem.subjects if contract in anchors), None)
    return show_clauses((named, *rest), subject=problem.subject, anchor=anchor)


def view_contract(outcome: ContractOutcome, *, anchor: str, history: Sequence[int | None], among: int) -> ContractView:
    """Choose what is shown of one contract.

    Args:
        outcome: the contract's outcome.
        anchor: its anchor on the page.
        history: its rows over the refreshes, oldest first.
        among: how many contracts share the page.
    """
    counts, figures = count_rows([outcome]), outcome.figures
    columns = _worst_first(figures.columns if figures else {})
    patterns = _notable_patterns(figures.patterns if figures else ())
    shown_columns, shown_patterns = (max(rows // among, FEWEST_ROWS) for rows in (COLUMN_ROWS, PATTERN_ROWS))
    return ContractView(
        outcome=outcome,
        anchor=anchor,
        word=word_of(outcome),
        counts=counts,
        slices=stack_slices(counts.reasons),
        rules=tuple(map(_view_rule, outcome.results)),
        columns=columns[:shown_columns],
        more_columns=len(columns[shown_columns:]),
        equal_columns=len(figures.columns) - len(columns) if figures else 0,
        patterns=patterns[:shown_patterns],
        more_patterns=len(figures.patterns) + figures.more_patterns - len(patterns[:shown_patterns]) if figures else 0,
        spark=draw_spark(history),
    )


def _view_rule(result: RuleResult) -> RuleView:
    word = "passed" if result.passed else "failed" if result.blocks else "warned"
    return RuleView(result=result, word=word, actual=show_clauses(result.actual))


def _notable_patterns(patterns: Sequence[Pattern]) -> tuple[Pattern, ...]:
    faults = [pattern for pattern in patterns if pattern.reason in FAULTS]
    return (*faults, *[pattern for pattern in patterns if pattern.reason not in FAULTS][:EXPLAINED_PATTERNS])


def _worst_first(columns: Mapping[str, CellFigures]) -> tuple[tuple[str, CellFigures], ...]:
    """Columns with differences or faults, the worst first; a missed cell is an equal one that should differ."""
    unequal = [(n, c) for n, c in columns.items() if c.equal < c.compared or c.unexplained or c.missed]
    return tuple(sorted(unequal, key=lambda item: (-item[1].unexplained - item[1].missed, item[1].share_equal)))
