"""Benchmarks the engine against DuckDB and PySpark: `python bench/contracts.py` prints one table per run.

All contenders get the same generated bank and must give the same rows. Compare ratios within a run, not figures of
different runs or machines. --latency-ms runs only our engine: see latency.py.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from answers import count_rows, find_differences
from bank import Bank
from chosen import chosen_of
from contenders import CONTENDERS, SCANS, WORKLOADS, command_of
from generate import Size
from latency import compare_latency
from measure import Cost, ProgramError, machine, measure
from rounds import Costs, run_rounds

LIBRARIES = ("polars", "duckdb", "pyspark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One contender's best run at one workload."""

    workload: str
    contender: str
    cost: Cost
    rows: int
    differences: tuple[str, ...] = ()
    """Differences from the first contender's rows; empty if there are none."""


def main() -> None:
    """Run the benchmark."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-contracts-") as scratch:
        folder = options.dir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        size = Size(datoms=options.datoms, instances=options.instances, segments=options.segments, delta=options.delta)
        bank = Bank(folder / "bank")
        bank.prepare(size)
        if options.latency_ms:
            latency = compare_latency(bank, latency_ms=options.latency_ms)
            sys.exit(_finish(latency.lines(), options.json, good=latency.equal))
        results = list(run_all(bank, folder / "out", options.workloads, options.contenders, repeat=options.repeat))
        lines = [machine_line(size), "", *render(results)]
        sys.exit(_finish(lines, options.json, results, good=not any(result.differences for result in results)))


def _options() -> argparse.Namespace:
    default = Size()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--datoms", type=int, default=default.datoms)
    parser.add_argument("--instances", type=int, default=default.instances)
    parser.add_argument("--segments", type=int, default=default.segments, help="segments of each instance")
    parser.add_argument("--delta", type=float, default=default.delta, help="share of datoms after the cache")
    parser.add_argument("--contenders", type=chosen_of(CONTENDERS), default=[*CONTENDERS], metavar="A,B")
    parser.add_argument("--workloads", type=chosen_of(WORKLOADS), default=[*WORKLOADS], metavar="A,B")
    parser.add_argument("--repeat", type=int, default=1, help="rounds; the fastest of each contender is shown")
    parser.add_argument(
        "--latency-ms", type=float, default=0, help="latency of every opened object and index page; only ours"
    )
    parser.add_argument("--dir", type=Path, help="keep the bank and all answers here, and use the bank again")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


def run_all(
    bank: Bank, out: Path, workloads: Sequence[str], contenders: Sequence[str], *, repeat: int
) -> Iterator[Result]:
    """Run each workload with one contender after the other, in rounds; rows are compared with the first one's."""
    for workload in workloads:
        able = [c for c in contenders if c != "scan-duckdb" or WORKLOADS[workload].cached]
        costs = run_workload(bank, out, workload, able, repeat=repeat)
        best = {c: min(rounds, key=lambda cost: cost.wall_seconds) for c, rounds in costs.items()}
        computing = [c for c in able if c not in SCANS]
        for contender in computing:
            yield Result(
                workload=workload,
                contender=contender,
                cost=best[contender],
                rows=count_rows(answer_of(out, workload, contender)),
                differences=compare_answers(out, workload, computing[0], contender),
            )
        if scans := [c for c in able if c in SCANS]:
            fastest = min(scans, key=lambda scan: best[scan].wall_seconds)
            yield Result(workload=workload, contender=fastest, cost=best[fastest], rows=0)


def run_workload(bank: Bank, out: Path, workload: str, contenders: Sequence[str], *, repeat: int) -> Costs:
    """The cost of each contender in each round; the last answers stay below `out`."""
    return run_rounds(
        {c: partial(run_one, bank, workload, c, out / workload / c) for c in contenders},
        repeat=repeat,
    )


def answer_of(out: Path, workload: str, contender: str) -> Path:
    """The folder of a contender's contracts."""
    return out / workload / contender / "contracts"


def compare_answers(out: Path, workload: str, first: str, contender: str) -> tuple[str, ...]:
    """The differences of a contender's rows from those of the first one."""
    return tuple(find_differences(answer_of(out, workload, first), answer_of(out, workload, contender)))


def run_one(bank: Bank, workload: str, contender: str, folder: Path) -> Cost:
    """Run one contender into an empty folder."""
    print(f"{WORKLOADS[workload].title}: {CONTENDERS[contender]}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    program = command_of(contender, WORKLOADS[workload], bank, folder / "contracts")
    try:
        return measure(program, folder=folder)
    except ProgramError as error:
        raise SystemExit(f"{CONTENDERS[contender]}, {WORKLOADS[workload].title}: {error}") from error


def render(results: Sequence[Result]) -> Iterator[str]:
    """The table, then every difference."""
    yield "| workload | contender | wall s | CPU s | peak MB | rows | equal | of DuckDB | of PySpark |"
    yield "|---|---|--:|--:|--:|--:|---|--:|--:|"
    for result in results:
        walls = {r.contender: r.cost.wall_seconds for r in results if r.workload == result.workload}
        scan = result.contender in SCANS
        cells = (
            WORKLOADS[result.workload].title,
            CONTENDERS[result.contender],
            f"{result.cost.wall_seconds:.2f}",
            f"{result.cost.cpu_seconds:.2f}",
            f"{result.cost.peak_mb:,.0f}",
            "" if scan else f"{result.rows:,}",
            "" if scan else "no" if result.differences else "yes",
            _ratio(result.cost.wall_seconds, walls.get("duckdb")),
            _ratio(result.cost.wall_seconds, walls.get("pyspark")),
        )
        yield f"| {' | '.join(cells)} |"
    for result in results:
        for difference in result.differences:
            yield f"{WORKLOADS[result.workload].title}, {CONTENDERS[result.contender]}: {difference}"


def _ratio(wall_seconds: float, peer_seconds: float | None) -> str:
    return f"{wall_seconds / peer_seconds:.2f}" if peer_seconds else ""


def machine_line(size: Size) -> str:
    """The bank, the machine and the versions."""
    found: Mapping[str, str] = machine()
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    sizes = f"{size.datoms:,} datoms in {size.instances} x {size.segments} segments, {size.delta:.1%} after the cache"
    return f"{sizes}; {found['cpu']}, {found['cores']} cores, {found['memory']}; Python {found['python']}, {versions}"


def _finish(lines: Iterable[str], file: Path | None, results: Sequence[Result] = (), *, good: bool) -> int:
    shown = list(lines)
    print("\n".join(shown))
    if file:
        figures = [asdict(result) for result in results]
        file.write_text(json.dumps({"machine": machine(), "lines": shown, "results": figures}, indent=2), "utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    main()
