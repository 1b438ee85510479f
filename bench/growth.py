"""Measures how the cost of entity contracts with a cache grows with the history, for the same delta; only ours.

`python bench/growth.py --shape deep` lets histories only grow deeper: the same entities, ever more changes of the same
values. Each length is built in rounds, and beside it the engine reads the state alone, so that the cost is split into
the start of a process, the scan of the state, and the rest.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

from answers import count_rows
from bank import BENCH, Bank
from contracts import machine_line, run_one
from generate import Size
from ledger import SHAPES
from measure import Cost, measure
from rounds import median_cost, run_rounds
from start import Start

SEGMENT_DATOMS = 5_000
"""Datoms of a segment, however long the history; the delta is one segment of each instance."""
INSTANCES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """The cost of a history of one length, in every round."""

    datoms: int
    state_mb: float
    rows: int
    builds: Sequence[Cost]
    starts: Sequence[Cost]
    scans: Sequence[float]
    """CPU seconds of reading the state."""

    @property
    def rests(self) -> Sequence[float]:
        """CPU seconds of what is neither the start nor the scan of the state."""
        rounds = zip(self.builds, self.starts, self.scans, strict=True)
        return [build.cpu_seconds - start.cpu_seconds - scan for build, start, scan in rounds]


def grow(folder: Path, shape: str, millions: Sequence[float], *, repeat: int) -> Sequence[Length]:
    """Measure each length, in millions of datoms; in each round all lengths, one after the other.

    Args:
        folder: gets a bank per length.
        shape: of SHAPES.
        millions: the lengths.
        repeat: rounds.
    """
    start, banks = Start(folder / "start"), [_bank_of(folder, shape, length) for length in millions]
    runs: dict[str, Callable[[], Cost]] = {"start": start.run}
    runs |= {f"build {bank.folder}": partial(_build, bank) for bank in banks}
    scans: dict[str, list[float]] = {str(bank.folder): [] for bank in banks}
    runs |= {f"scan {bank.folder}": partial(_scan, bank, scans[str(bank.folder)]) for bank in banks}
    costs = run_rounds(runs, repeat=repeat)
    return [
        Length(
            datoms=round(length * 1e6),
            state_mb=_state_mb(bank),
            rows=count_rows(bank.folder / "out" / "contracts"),
            builds=costs[f"build {bank.folder}"],
            starts=costs["start"],
            scans=scans[str(bank.folder)],
        )
        for length, bank in zip(millions, banks, strict=True)
    ]


def size_of(shape: str, millions: float) -> Size:
    """A bank whose delta is a segment of each instance."""
    datoms = round(millions * 1e6)
    segments = datoms // INSTANCES // SEGMENT_DATOMS
    return Size(datoms=datoms, instances=INSTANCES, segments=segments, delta=1 / segments, shape=shape)


def _bank_of(folder: Path, shape: str, millions: float) -> Bank:
    size = size_of(shape, millions)
    bank = Bank(folder / f"{shape}-{size.datoms}")
    print(f"{bank.folder.name}: preparing", file=sys.stderr, flush=True)
    bank.prepare(size)
    return bank


def _build(bank: Bank) -> Cost:
    return run_one(bank, "entity-cache", "ours", bank.folder / "out")


def _scan(bank: Bank, seconds: list[float]) -> Cost:
    """Read the state in a process of its own, and note its CPU seconds."""
    out, root, definitions = bank.folder / "scan", bank.folder / "buckets", bank.folder / "contracts"
    program = [str(BENCH / "state_scan.py"), str(root), str(bank.map_file), str(definitions), str(out / "scan.json")]
    cost = measure(program, folder=out)
    seconds.append(float(json.loads((out / "scan.json").read_text("utf-8"))["cpu_seconds"]))
    return cost


def _state_mb(bank: Bank) -> float:
    files = (bank.folder / "buckets").glob("*/cache/**/materialized*/**/*.parquet")
    return sum(file.stat().st_size for file in files) / 1e6


def growth_of_rest(shorter: Length, longer: Length) -> float:
    """How many times as much the rest takes in the longer history: the median of the rounds."""
    return median(more / less for less, more in zip(shorter.rests, longer.rests, strict=True))


def render(lengths: Sequence[Length]) -> Iterator[str]:
    """A row per length, then how the rest grows at each step."""
    yield "| datoms | state MB | wall s | CPU s | start | scan of the state | the rest | peak MB | rows |"
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for length in lengths:
        yield f"| {' | '.join(_cells(length))} |"
    for shorter, longer in pairwise(lengths):
        times = growth_of_rest(shorter, longer)
        yield f"from {shorter.datoms:,} to {longer.datoms:,} datoms the rest takes {times:.2f} times as much"


def _cells(length: Length) -> Iterator[str]:
    cost, start = median_cost(length.builds), median_cost(length.starts)
    yield from (f"{length.datoms:,}", f"{length.state_mb:,.1f}", f"{cost.wall_seconds:.2f}", f"{cost.cpu_seconds:.2f}")
    yield from (f"{start.cpu_seconds:.2f}", f"{median(length.scans):.2f}", f"{median(length.rests):.2f}")
    yield from (f"{cost.peak_mb:,.0f}", f"{length.rows:,}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--millions", type=_numbers, default=[1, 3, 10, 30], metavar="1,3,10,30", help="of datoms")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="deep")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; their medians are shown")
    parser.add_argument("--dir", type=Path, help="keep the banks here, and use them again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-growth-") as scratch:
        lengths = grow(options.dir or Path(scratch), options.shape, options.millions, repeat=options.repeat)
    print("\n".join([machine_line(size_of(options.shape, options.millions[-1])), "", *render(lengths)]))


def _numbers(text: str) -> Sequence[float]:
    return [float(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
