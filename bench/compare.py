"""Benchmarks tools that compare two days of a contract: `python bench/compare.py` prints one table per run.

Each contender is a process of its own and must give the counts that days.py knows. One that fails or reaches a limit is
named in the table, and the others continue. Compare ratios within a run, not figures of different runs or machines.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from chosen import chosen_of
from days import KEY, TODAY, YESTERDAY, Days, DaysSize
from measure import Cost, LimitError, Limits, ProgramError, machine, measure

PEERS = Path(__file__).parent / "peers"
CONTENDERS: Mapping[str, str] = {
    "ours": "ours",
    "duckdb": "DuckDB SQL",
    "polars": "polars",
    "diffly": "diffly",
    "datacompy": "datacompy, pandas",
}
"""Name on the command line → title; its program is `peers/compare_<name>.py`."""
LIBRARIES = ("duckdb", "polars", "diffly", "datacompy", "pandas")
THREADS = 2
"""Threads that every contender may use."""
MEMORY_SHARE = 0.8
"""Share of the computer's memory at which a contender is ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One contender's best run."""

    contender: str
    cost: Cost
    differences: tuple[str, ...]
    """Differences from the right answer; empty if it is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A contender that gave no answer."""

    contender: str
    reason: str


Result = Finished | Failed


def main() -> None:
    """Run the benchmark."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-compare-") as scratch:
        folder = options.dir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        days, size = Days(folder / "days"), DaysSize(rows=options.rows)
        days.prepare(size)
        programs = {name: PEERS / f"compare_{name}.py" for name in options.contenders}
        limits = Limits(seconds=options.timeout, memory_mb=options.memory_mb)
        run = Run(days=days, expected=size.expected(), out=folder / "out", limits=limits, repeat=options.repeat)
        results = list(run.all(programs))
    lines = [_machine_line(size), "", *render(results)]
    print("\n".join(lines))
    if options.json:
        figures = {"machine": machine(), "lines": lines, "results": [asdict(result) for result in results]}
        options.json.write_text(json.dumps(figures, indent=2), "utf-8")
    sys.exit(0 if all_right(results) else 1)


def _options() -> argparse.Namespace:
    total_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=5_000_000, help="keys of both days together")
    parser.add_argument("--contenders", type=chosen_of(CONTENDERS), default=[*CONTENDERS], metavar="A,B")
    parser.add_argument("--repeat", type=int, default=1, help="rounds; the fastest of each contender is shown")
    parser.add_argument("--timeout", type=float, default=600, help="limit of each contender, in seconds")
    parser.add_argument(
        "--memory-mb", type=float, default=round(total_mb * MEMORY_SHARE), help="limit of each contender"
    )
    parser.add_argument("--dir", type=Path, help="keep the days and all answers here, and use the days again")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The comparison that all contenders run."""

    days: Days
    expected: Mapping[str, object]
    out: Path
    limits: Limits
    repeat: int

    def all(self, programs: Mapping[str, Path]) -> Iterator[Result]:
        """Run all rounds, one contender after the other; one that failed is not run again."""
        self._warm_up()
        results: dict[str, Result] = {}
        for _ in range(self.repeat):
            for contender, program in programs.items():
                earlier = results.get(contender)
                if not isinstance(earlier, Failed):
                    print(contender, file=sys.stderr, flush=True)
                    results[contender] = best(earlier, self.one(contender, program))
        yield from results.values()

    def _warm_up(self) -> None:
        """Read every file once, so that not only the first contender reads from the disk."""
        for day in (YESTERDAY, TODAY):
            for file in self.days.dataset(day).iterdir():
                file.read_bytes()

    def one(self, contender: str, program: Path) -> Result:
        """Run one contender into an empty folder."""
        folder = self.out / contender
        shutil.rmtree(folder, ignore_errors=True)
        options = {
            "--yesterday": str(self.days.dataset(YESTERDAY)),
            "--today": str(self.days.dataset(TODAY)),
            "--key": ",".join(KEY),
            "--threads": str(THREADS),
            "--out": str(folder / "answer.json"),
        }
        os.environ["POLARS_MAX_THREADS"] = str(THREADS)  # read when polars is imported
        try:
            cost = measure(
                [str(program), *(w for pair in options.items() for w in pair)], folder=folder, limits=self.limits
            )
        except LimitError as error:
            return Failed(contender=contender, reason=str(error))
        except ProgramError as error:
            return Failed(contender=contender, reason=str(error).rstrip().rpartition("\n")[2])
        given = json.loads((folder / "answer.json").read_text("utf-8"))
        return Finished(contender=contender, cost=cost, differences=tuple(find_differences(given, self.expected)))


def best(earlier: Finished | None, later: Result) -> Result:
    """Keep a wrong answer or a failure, otherwise the faster run."""
    if earlier is None or isinstance(later, Failed):
        return later
    slower, faster = sorted((later, earlier), key=lambda result: -result.cost.wall_seconds)
    return slower if slower.differences else faster


def find_differences(given: Mapping[str, object], expected: Mapping[str, object]) -> Iterator[str]:
    """One sentence per figure that differs; counts by column are optional."""
    for name, right in expected.items():
        found = given.get(name)
        if isinstance(found, Mapping) and isinstance(right, Mapping):
            wrong = (column for column in sorted({*found, *right}) if found.get(column) != right.get(column))
            yield from (f"{name} {c}: {found.get(c)}, not {right.get(c)}" for c in wrong)
        elif found != right and (name != "changed" or found is not None):
            yield f"{name}: {found}, not {right}"


def all_right(results: Sequence[Result]) -> bool:
    """Whether at least one contender finished, and all that did were right."""
    finished = [result for result in results if isinstance(result, Finished)]
    return bool(finished) and not any(result.differences for result in finished)


def render(results: Sequence[Result]) -> Iterator[str]:
    """The table, then every difference."""
    yield "| contender | wall s | CPU s | peak MB | wall of DuckDB | CPU of DuckDB | peak of DuckDB | answer |"
    yield "|---|--:|--:|--:|--:|--:|--:|---|"
    duckdb = next((r.cost for r in results if isinstance(r, Finished) and r.contender == "duckdb"), None)
    for result in results:
        yield f"| {' | '.join(_cells(result, duckdb))} |"
    for result in results:
        if isinstance(result, Finished):
            yield from (f"{CONTENDERS.get(result.contender, result.contender)}: {d}" for d in result.differences)


def _cells(result: Result, duckdb: Cost | None) -> Iterator[str]:
    yield CONTENDERS.get(result.contender, result.contender)
    if isinstance(result, Failed):
        yield from ("",) * 6
        yield result.reason
        return
    cost = result.cost
    yield from (f"{cost.wall_seconds:.2f}", f"{cost.cpu_seconds:.2f}", f"{cost.peak_mb:,.0f}")
    yield f"{cost.wall_seconds / duckdb.wall_seconds:.2f}" if duckdb else ""
    yield f"{cost.cpu_seconds / duckdb.cpu_seconds:.2f}" if duckdb else ""
    yield f"{cost.peak_mb / duckdb.peak_mb:.2f}" if duckdb else ""
    yield "wrong" if result.differences else "right"


def _machine_line(size: DaysSize) -> str:
    found = machine()
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    computer = f"{found['cpu']}, {found['cores']} cores, {found['memory']}; Python {found['python']}"
    return f"{size.rows:,} keys of two days, {THREADS} threads; {computer}, {versions}"


if __name__ == "__main__":
    main()
