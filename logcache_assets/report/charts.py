"""Computes the geometry of the report's charts, in SVG units; templates only draw it.

Fills differ by pattern (defined in marks.html), so that none depends on colour.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from logcache_assets.domain.figures import Reason
from logcache_assets.report.formatting import show_number

WIDTH, HEIGHT = 360, 150
"""Size of a chart."""
LEFT, RIGHT, TOP, BASE = 6, 354, 26, 118
"""Edges of the plotting area."""
WIDEST_BAR = 36
THINNEST_SLICE = 0.6
"""Least width of a slice, in percent of the bar, so that even a single row is visible."""
SPARK_WIDTH, SPARK_HEIGHT = 72, 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A reason's part of a stacked bar, in percent of its width."""

    reason: Reason
    rows: int
    share: float
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One quantity per refresh; None where it is unknown."""

    label: str
    values: Sequence[float | None]
    fill: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A bar, or a dot of a line, with its tooltip."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One quantity over the refreshes."""

    title: str
    description: str
    top: str
    """The value at the upper line of the chart."""
    days: tuple[str, ...]
    """The days of the first and the last refresh."""
    marks: tuple[Mark, ...]
    lines: tuple[str, ...]
    """Points of each polyline; gaps separate polylines."""
    crosses: tuple[float, ...]
    """The x of each refused refresh."""
    legend: tuple[Series, ...]
    """The series, if there are several."""


def stack_slices(reasons: Mapping[Reason, int]) -> tuple[Slice, ...]:
    """The reasons of differing rows as slices of one bar; each is wide enough to be seen."""
    total = sum(reasons.values())
    widths = {r: max(100 * rows / total, THINNEST_SLICE) for r, rows in reasons.items() if rows}
    slices, x, scale = [], 0.0, 100 / sum(widths.values()) if widths else 0
    for reason, width in widths.items():
        rows = reasons[reason]
        slices.append(Slice(reason=reason, rows=rows, share=rows / total, x=round(x, 2), width=round(width * scale, 2)))
        x += width * scale
    return tuple(slices)


def chart_bars(title: str, series: Sequence[Series], *, days: Sequence[str], refused: Sequence[bool]) -> Chart:
    """A bar per refresh; several series are stacked."""
    totals = [sum(values) for values in zip(*(_known(s) for s in series), strict=True)]
    top = max(totals, default=0)
    marks = _bars(series, days, top=top)
    legend = tuple(series) if len(series) > 1 else ()
    return _chart(title, totals, days=days, refused=refused, top=top, marks=tuple(marks), legend=legend)


def _bars(series: Sequence[Series], days: Sequence[str], *, top: float) -> Iterator[Mark]:
    bases = [0.0] * len(days)
    width = min(WIDEST_BAR, 0.7 * (RIGHT - LEFT) / len(days))
    for part in series:
        for n, value in enumerate(_known(part)):
            height = _height(value, top)
            bases[n] += height
            yield Mark(
                x=round(_x(n, len(days)) - width / 2, 1),
                y=round(BASE - bases[n], 1),
                width=round(width, 1),
                height=round(height, 1),
                fill=part.fill,
                label=f"{days[n]}: {show_number(int(value))} {part.label}",
            )


def _known(series: Series) -> list[float]:
    return [value or 0 for value in series.values]


def chart_line(  # noqa: PLR0913 - what a chart shows
    title: str,
    series: Series,
    *,
    days: Sequence[str],
    refused: Sequence[bool],
    show: Callable[[float], str],
    top: float | None = None,
) -> Chart:
    """A line with a dot per refresh, from 0 to `top` (default: the highest value); unknown values leave a gap."""
    known = [value for value in series.values if value is not None]
    limit = top if top is not None else max(known, default=0)
    places = _places(series.values, limit)
    marks = (
        Mark(x=x - 2.5, y=y - 2.5, width=5, height=5, fill=series.fill, label=f"{days[n]}: {show(value)}")
        for n, (x, y, value) in places.items()
    )
    runs = groupby(enumerate(places), key=lambda item: item[1] - item[0])
    lines = tuple(" ".join(f"{places[n][0]},{places[n][1]}" for _, n in run) for _, run in runs)
    return _chart(title, known, days=days, refused=refused, top=limit, marks=tuple(marks), lines=lines, show=show)


def _places(values: Sequence[float | None], top: float) -> dict[int, tuple[float, float, float]]:
    """Number of the refresh → (x, y, value)."""
    return {
        n: (round(_x(n, len(values)), 1), round(BASE - _height(value, top), 1), value)
        for n, value in enumerate(values)
        if value is not None
    }


def _x(number: int, refreshes: int) -> float:
    return LEFT + (RIGHT - LEFT) * (number + 0.5) / refreshes


def _height(value: float, top: float) -> float:
    return (BASE - TOP) * value / top if top else 0.0


def _chart(  # noqa: PLR0913 - what a chart shows
    title: str,
    values: Sequence[float],
    *,
    days: Sequence[str],
    refused: Sequence[bool],
    top: float,
    marks: tuple[Mark, ...],
    lines: tuple[str, ...] = (),
    legend: tuple[Series, ...] = (),
    show: Callable[[float], str] = show_number,
) -> Chart:
    return Chart(
        title=title,
        description=_description(values, days, show),
        top=show(top),
        days=(days[0], days[-1]),
        marks=marks,
        lines=lines,
        crosses=tuple(round(_x(n, len(days)), 1) for n, is_refused in enumerate(refused) if is_refused),
        legend=legend,
    )


def _description(values: Sequence[float], days: Sequence[str], show: Callable[[float], str]) -> str:
    when = f"{len(days)} refreshes from {days[0]} to {days[-1]}"
    if not values:
        return f"{when}: nothing was compared."
    return f"{when}: last {show(values[-1])}, lowest {show(min(values))}, highest {show(max(values))}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A word-sized chart of a contract's rows over the refreshes."""

    lines: tuple[str, ...]
    end: tuple[float, float]
    label: str


def draw_spark(values: Sequence[int | None]) -> Spark | None:
    """Draw known values between the lowest and the highest; None if there are fewer than two."""
    known = [value for value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004 - two points make a line
        return None
    low, high = min(known), max(known)
    step = (SPARK_WIDTH - 6) / max(len(values) - 1, 1)
    at = {
        n: (round(3 + n * step, 1), round(SPARK_HEIGHT - 3 - (SPARK_HEIGHT - 6) * _place(value, low, high), 1))
        for n, value in enumerate(values)
        if value is not None
    }
    runs = groupby(enumerate(at), key=lambda item: item[1] - item[0])
    lines = tuple(" ".join(f"{at[n][0]},{at[n][1]}" for _, n in run) for _, run in runs)
    label = f"from {show_number(known[0])} to {show_number(known[-1])} rows in {len(values)} refreshes"
    return Spark(lines=lines, end=list(at.values())[-1], label=label)


def _place(value: int, low: int, high: int) -> float:
    return (value - low) / (high - low) if high > low else 0.5
