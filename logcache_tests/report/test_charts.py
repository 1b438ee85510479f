"""Geometry of the charts: everything is inside, and every value is visible."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.report.charts import (
    BASE,
    LEFT,
    RIGHT,
    TOP,
    Series,
    chart_bars,
    chart_line,
    draw_spark,
    stack_slices,
)
from logcache_assets.report.formatting import show_share
from logcache_assets.report.summary import REASONS

DAYS = ["2018-01-01", "2018-03-01", "2018-05-01"]
CALM = [False, False, False]


@given(st.lists(st.integers(0, 10**9), min_size=7, max_size=7))
def test_slices_fill_the_bar(rows: list[int]) -> None:
    """Slices adjoin, each is wide enough to be seen, and together they fill the bar."""
    slices = stack_slices(dict(zip(REASONS, rows, strict=True)))

    assert [s.rows for s in slices] == [n for n in rows if n]
    assert all(s.width >= 0.5 for s in slices)
    assert all(b.x == pytest.approx(a.x + a.width, abs=0.03) for a, b in pairwise(slices))
    assert not slices or slices[-1].x + slices[-1].width == pytest.approx(100, abs=0.03)


def test_stacked_bars_reach_the_top_where_they_are_highest() -> None:
    """The two faults of a refresh are stacked."""
    series = (
        Series(label="unexplained", values=[0, 30, 10], fill="unexplained"),
        Series(label="missed", values=[0, 10, 0], fill="missed"),
    )

    chart = chart_bars("Faults", series, days=DAYS, refused=[False, True, False])

    lower, upper = chart.marks[1], chart.marks[4]
    assert (lower.y + lower.height, upper.y) == (BASE, TOP)
    assert upper.y + upper.height == pytest.approx(lower.y)
    assert upper.label == "2018-03-01: 10 missed"
    assert (chart.top, len(chart.crosses), len(chart.legend)) == ("40", 1, 2)
    assert chart.description == "3 refreshes from 2018-01-01 to 2018-05-01: last 10, lowest 0, highest 40."


def test_an_unknown_value_leaves_a_gap_in_the_line() -> None:
    """An unknown value is not drawn as zero, and the dots beside it are not joined."""
    shares = Series(label="share", values=[1.0, None, 0.5], fill="plain")

    chart = chart_line("Share", shares, days=DAYS, refused=CALM, top=1.0, show=show_share)

    assert [line.count(",") for line in chart.lines] == [1, 1]
    assert [mark.label for mark in chart.marks] == ["2018-01-01: 100.00%", "2018-05-01: 50.00%"]
    assert chart.marks[1].y + 2.5 == (BASE + TOP) / 2


def test_without_any_value_a_chart_says_so() -> None:
    """A chart without values does not divide by zero."""
    nothing = Series(label="share", values=[None, None, None], fill="plain")

    chart = chart_line("Share", nothing, days=DAYS, refused=CALM, top=1.0, show=show_share)

    assert (chart.marks, chart.lines) == ((), ())
    assert chart.description.endswith("nothing was compared.")


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
def test_no_bar_leaves_the_chart(values: list[int]) -> None:
    """Bars stay inside for any number of refreshes, and if all values are zero."""
    days = [f"day {n}" for n in range(len(values))]
    series = Series(label="rows", values=values, fill="plain")

    chart = chart_bars("Rows", (series,), days=days, refused=[False] * len(values))

    assert all(mark.x >= LEFT and mark.x + mark.width <= RIGHT for mark in chart.marks)
    assert all(TOP - 0.1 <= mark.y <= BASE for mark in chart.marks)


def test_a_spark_needs_two_values() -> None:
    """Fewer than two values draw nothing; equal values draw a flat line in the middle."""
    assert draw_spark([5]) is None
    assert draw_spark([None, 5]) is None
    flat = draw_spark([5, 5])
    assert flat is not None
    assert {point.split(",")[1] for point in flat.lines[0].split()} == {"9.0"}
    assert flat.label == "from 5 to 5 rows in 2 refreshes"
