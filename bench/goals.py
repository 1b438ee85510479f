"""Sets figures beside their goals, and renders the table of bench/all.py."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rounds import Costs, median_cost, paired_ratio

MEASURES: Mapping[str, str] = {"wall_seconds": "wall s", "cpu_seconds": "CPU s", "peak_mb": "peak MB"}
"""Field of Cost → title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of a line, and what it should be."""

    what: str
    ours: float
    peer: float | None = None
    """The peer's figure; None where nobody runs beside us."""
    ratio: float | None = None
    """Ours as a share of the peer's."""
    other_ratio: float | None = None
    """The same of the second peer's."""
    goal: float | None = None
    """The most that the ratio may be; without a peer, the figure."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None if there is none."""
        judged = self.ours if self.ratio is None else self.ratio
        return None if self.goal is None else judged <= self.goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a line found."""

    rows: tuple[Row, ...]
    differences: tuple[str, ...] = ()
    """In what the answers differ; empty if they are equal."""


def compare_costs(costs: Costs, goals: Mapping[str, float]) -> Iterator[Row]:
    """One row per measure.

    Args:
        costs: ours first, then the peer that goals are about, then at most one more.
        goals: field of Cost → the most that its ratio to the peer may be; without a peer, the figure.
    """
    ours, *peers = costs.values()
    figures, ratios = [median_cost(rounds) for rounds in (ours, *peers[:1])], [paired_ratio(ours, p) for p in peers]
    for field, title in MEASURES.items():
        own, *other = (getattr(found, field) for found in figures)
        shares = [getattr(ratio, field) for ratio in ratios]
        yield Row(
            what=title,
            ours=own,
            peer=next(iter(other), None),
            ratio=next(iter(shares), None),
            other_ratio=next(iter(shares[1:]), None),
            goal=goals.get(field),
        )


def render_table(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """The table of all lines by title, then every difference."""
    yield "| line | | ours | DuckDB | of DuckDB | of DuckDB with polars' Avro | goal | |"
    yield "|---|---|--:|--:|--:|--:|--:|---|"
    for title, outcome in outcomes.items():
        for number, row in enumerate(outcome.rows):
            yield f"| {' | '.join(_cells('' if number else title, row))} |"
    for title, outcome in outcomes.items():
        yield from (f"{title}: {difference}" for difference in outcome.differences)


def count_met(outcomes: Mapping[str, Outcome]) -> str:
    """How many goals are met, in words."""
    judged = [row.met for outcome in outcomes.values() for row in outcome.rows if row.met is not None]
    return f"{sum(judged)} of {len(judged)} goals met"


def _cells(title: str, row: Row) -> Sequence[str]:
    goal = "" if row.goal is None else f"≤ {row.goal:g}"
    met = {None: "", True: "met", False: "missed"}[row.met]
    ratios = (_number(row.ratio), _number(row.other_ratio))
    return (title, row.what, _number(row.ours), _number(row.peer), *ratios, goal, met)


def _number(figure: float | None) -> str:
    if figure is None:
        return ""
    return f"{figure:,.0f}" if figure >= WHOLE else f"{figure:.2f}"


WHOLE = 100
"""From here on decimals say nothing."""
