"""Measures every line that has a goal: `python bench/all.py` prints one table with goals met or missed.

Contenders run in rounds, ours and its peers one after the other. Figures are the medians of the rounds, ratios the
medians of the rounds' ratios. It fails only if answers differ: a goal that is missed is shown. Goals are those of the
full size; --small is for a look in between, where the start of every process weighs more.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bank import Bank
from chosen import chosen_of
from compare import PEERS, Failed, Run
from contenders import WORKLOADS
from contracts import compare_answers, machine_line, run_workload
from days import Days, DaysSize
from generate import Size
from goals import Outcome, Row, compare_costs, count_met, render_table
from growth import grow, growth_of_rest
from measure import Cost, Limits
from rounds import run_rounds
from start import run_start
from wide_log import Shape
from width import cost_of

UNLIMITED = Limits(seconds=float("inf"), memory_mb=float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What all lines are measured with."""

    bank: Size
    keys: int
    """Of the days that are compared."""
    lengths: tuple[float, float]
    """Of two histories, one deeper than the other, in millions of datoms."""
    widths: tuple[int, ...]
    """Numbers of columns."""
    repeat: int
    """Rounds."""


FULL = Sizes(bank=Size(), keys=5_000_000, lengths=(10, 30), widths=(13, 100, 400, 800, 1500), repeat=3)
SMALL = Sizes(bank=Size(datoms=1_000_000, segments=50), keys=500_000, lengths=(1, 3), widths=(800,), repeat=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something that is measured."""

    title: str
    run: Callable[[Path, Sizes, Mapping[str, float]], Outcome]
    """Takes a folder, the sizes and the goals."""
    goals: Mapping[str, float] = field(default_factory=dict)
    """Field of Cost → the most that its ratio to DuckDB may be; of a line without peers, what its own rows show."""


def measure_contracts(workload: str, folder: Path, sizes: Sizes, goals: Mapping[str, float]) -> Outcome:
    """Contracts beside DuckDB with our decoder, and with polars' own."""
    bank, out, contenders = Bank(folder / "bank"), folder / "out", ("ours", "duckdb", "duckdb-polars")
    bank.prepare(sizes.bank)
    costs = run_workload(bank, out, workload, contenders, repeat=sizes.repeat)
    differences = [d for peer in contenders[1:] for d in compare_answers(out, workload, "ours", peer)]
    return Outcome(rows=tuple(compare_costs(costs, goals)), differences=tuple(differences))


def measure_start(folder: Path, sizes: Sizes, goals: Mapping[str, float]) -> Outcome:
    """Contracts of next to nothing."""
    costs = {"ours": run_start(folder / "start", repeat=sizes.repeat)}
    return Outcome(rows=tuple(compare_costs(costs, goals)))


def measure_growth(folder: Path, sizes: Sizes, goals: Mapping[str, float]) -> Outcome:
    """Entity contracts of two histories, one deeper than the other: how many times as much what is no scan takes."""
    shorter, longer = grow(folder / "growth", "deep", sizes.lengths, repeat=sizes.repeat)
    what = f"CPU s beside start and scan, {sizes.lengths[1]:g} over {sizes.lengths[0]:g} million datoms"
    return Outcome(rows=(Row(what=what, ours=growth_of_rest(shorter, longer), goal=goals["cpu_seconds"]),))


def measure_comparison(folder: Path, sizes: Sizes, goals: Mapping[str, float]) -> Outcome:
    """Two days of a contract, compared by us and by DuckDB."""
    days, size = Days(folder / "days"), DaysSize(rows=sizes.keys)
    days.prepare(size)
    run = Run(days=days, expected=size.expected(), out=folder / "compared", limits=UNLIMITED, repeat=1)
    differences: set[str] = set()

    def compared_by(contender: str) -> Cost:
        result = run.one(contender, PEERS / f"compare_{contender}.py")
        if isinstance(result, Failed):
            raise SystemExit(f"{contender} compared nothing: {result.reason}")
        differences.update(f"{contender}, {difference}" for difference in result.differences)
        return result.cost

    costs = run_rounds({c: partial(compared_by, c) for c in ("ours", "duckdb")}, repeat=sizes.repeat)
    return Outcome(rows=tuple(compare_costs(costs, goals)), differences=tuple(sorted(differences)))


def measure_width(folder: Path, sizes: Sizes, goals: Mapping[str, float]) -> Outcome:
    """Contracts of ten entities, and two days of them compared, each step a whole process."""
    rows: list[Row] = []
    for columns in sizes.widths:
        place = folder / f"width-{columns}"
        shutil.rmtree(place, ignore_errors=True)
        costs = cost_of(place, Shape(columns=columns, rows=10), repeat=sizes.repeat)
        for step, cost in costs.items():
            what, goal = f"{columns:,} columns: {step}, wall s", goals.get(f"{columns} columns")
            rows.append(Row(what=what, ours=cost.wall_seconds, goal=goal))
    return Outcome(rows=tuple(rows))


def _goals(wall: float, cpu: float, peak: float) -> Mapping[str, float]:
    return {"wall_seconds": wall, "cpu_seconds": cpu, "peak_mb": peak}


_WIDTH_GOALS: Mapping[str, float] = {"800 columns": 3, "1500 columns": 5}


def _contracts(workload: str, goals: Mapping[str, float]) -> Line:
    return Line(title=WORKLOADS[workload].title, run=partial(measure_contracts, workload), goals=goals)


LINES: Mapping[str, Line] = {
    "entity-cache": _contracts("entity-cache", _goals(0.5, 0.5, 1)),
    "all-cache": _contracts("all-cache", _goals(0.33, 0.33, 1)),
    "entity-segments": _contracts("entity-segments", _goals(0.8, 0.8, 1)),
    "all-segments": _contracts("all-segments", _goals(0.6, 0.6, 1)),
    "compare": Line(title="comparison of two days", run=measure_comparison, goals=_goals(1, 1, 1)),
    "width": Line(title="many columns", run=measure_width, goals=_WIDTH_GOALS),
    "start": Line(title="`logcache contracts` on an empty log", run=measure_start, goals={"wall_seconds": 0.6}),
    "growth": Line(title="a deeper history, the same delta", run=measure_growth, goals={"cpu_seconds": 1.5}),
}


def main() -> None:
    """Measure."""
    options = _options()
    sizes = SMALL if options.small else FULL
    with tempfile.TemporaryDirectory(prefix="bench-all-") as scratch:
        folder = options.dir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        outcomes = {LINES[name].title: _run(name, folder, sizes) for name in options.only}
    measured = f"{machine_line(sizes.bank)}; {sizes.keys:,} keys of two days; {sizes.repeat} rounds"
    print("\n".join([measured, "", *render_table(outcomes), "", count_met(outcomes)]))
    sys.exit(exit_code(outcomes))


def exit_code(outcomes: Mapping[str, Outcome]) -> int:
    """0, or 1 if answers differ."""
    return 1 if any(outcome.differences for outcome in outcomes.values()) else 0


def _run(name: str, folder: Path, sizes: Sizes) -> Outcome:
    print(f"- {name}", file=sys.stderr, flush=True)
    line = LINES[name]
    return line.run(folder, sizes, line.goals)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="five minutes at most on two cores")
    parser.add_argument("--only", type=chosen_of(LINES), default=[*LINES], metavar="A,B", help=f"of {', '.join(LINES)}")
    parser.add_argument("--dir", type=Path, help="keep logs and answers here, and use the logs again")
    return parser.parse_args()


if __name__ == "__main__":
    main()
