"""Follows the counts over the refreshes, for charts.py to draw."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from logcache_assets.domain.documents import ContractOutcome, Verdict
from logcache_assets.domain.names import database_of
from logcache_assets.report.charts import Chart, Series, chart_bars, chart_line
from logcache_assets.report.formatting import show_day, show_number, show_share
from logcache_assets.report.summary import RowCounts, count_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """The counts of one refresh."""

    decided_at: datetime
    approved: bool
    counts: RowCounts


def find_points(verdict: Verdict, past: Sequence[Verdict]) -> tuple[TrendPoint, ...]:
    """A point for each refresh that had all databases of the verdict, counting only these; the reported one is last."""
    own = set(verdict.databases)
    return tuple(
        TrendPoint(decided_at=each.decided_at, approved=each.approved, counts=count_rows(_contracts_of(each, own)))
        for each in (*past, verdict)
        if own <= set(each.databases)
    )


def _contracts_of(verdict: Verdict, databases: Collection[str]) -> list[ContractOutcome]:
    return [outcome for outcome in verdict.contracts if database_of(outcome.dataset) in databases]


def find_row_counts(verdict: Verdict, past: Sequence[Verdict]) -> dict[str, tuple[int | None, ...]]:
    """Dataset → its rows in each refresh, oldest first; None where a refresh did not have it."""
    by_refresh = [{outcome.dataset: outcome.rows for outcome in each.contracts} for each in (*past, verdict)]
    return {outcome.dataset: tuple(rows.get(outcome.dataset) for rows in by_refresh) for outcome in verdict.contracts}


def chart_trend(points: Sequence[TrendPoint]) -> tuple[Chart, ...]:
    """The charts of the trend: rows differing, explained share, faults, rows of all contracts."""
    days = [show_day(point.decided_at) for point in points]
    refused = [not point.approved for point in points]
    counts = [point.counts for point in points]
    differing = Series(label="rows differing", values=[c.differing for c in counts], fill="plain")
    faults = (
        Series(label="unexplained", values=[c.reasons["unexplained"] for c in counts], fill="unexplained"),
        Series(label="missed", values=[c.reasons["missed"] for c in counts], fill="missed"),
    )
    shares = Series(label="explained share", values=[c.share_explained for c in counts], fill="plain")
    rows = Series(label="rows of all contracts", values=[c.rows for c in counts], fill="plain")
    return (
        chart_bars("Rows differing", (differing,), days=days, refused=refused),
        chart_line("Explained share of these", shares, days=days, refused=refused, top=1.0, show=show_share),
        chart_bars("Rows unexplained and missed", faults, days=days, refused=refused),
        chart_line("Rows of all contracts", rows, days=days, refused=refused, show=show_number),
    )
