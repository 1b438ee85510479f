"""Measures how contracts, their comparison and its report grow with columns: `python bench/width.py`.

Contracts are the entity contract, its snapshot and a few histories of ten entities. Two days of the entity contract are
compared by themselves, and two days of all contracts with their log, which explains every difference. Each figure is
that of a whole process, its start included.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from measure import Cost, measure
from wide_log import DATASET, Shape, write_wide

LOGCACHE = ("-m", "logcache_assets.cli.main")
VARIABLES: Mapping[str, str] = {"LOGCACHE_PII_KEY": "the key of the benchmark, long enough", "POLARS_MAX_THREADS": "2"}
STEPS = ("contracts", "comparison", "validate", "validate and report")
COMPARE = Path(__file__).parent / "peers" / "compare_ours.py"


def main() -> None:
    """Print a table with a line per width."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--columns", default="13,100,400,800,1500", help="widths; default: %(default)s")
    parser.add_argument("--rows", type=int, default=10, help="entities; default: %(default)s")
    parser.add_argument("--repeat", type=int, default=1, help="rounds; the least CPU time of each is shown")
    options = parser.parse_args()
    print("| columns | " + " | ".join(f"{step}, wall s | CPU s | peak MB" for step in STEPS) + " |")
    print("|--:|" + "--:|" * 3 * len(STEPS))
    for columns in map(int, options.columns.split(",")):
        with tempfile.TemporaryDirectory(prefix="bench-width-") as folder:
            shape = Shape(columns=columns, rows=options.rows)
            costs = cost_of(Path(folder), shape, repeat=options.repeat)
        cells = (cell for cost in costs.values() for cell in _cells(cost))
        print(f"| {columns:,} | {' | '.join(cells)} |", flush=True)


def _cells(cost: Cost) -> Iterator[str]:
    yield from (f"{cost.wall_seconds:.2f}", f"{cost.cpu_seconds:.2f}", f"{cost.peak_mb:,.0f}")


def cost_of(folder: Path, shape: Shape, *, repeat: int = 1) -> dict[str, Cost]:
    """The cost of each of STEPS, for a database that is written into an empty folder; the best of some rounds."""
    write_wide(folder, shape)
    found: dict[str, Cost] = {}
    for _ in range(repeat):
        for step, cost in _round(folder).items():
            found[step] = min(found.get(step, cost), cost, key=lambda each: each.cpu_seconds)
    return found


def _round(folder: Path) -> dict[str, Cost]:
    inputs = ["--root", str(folder / "buckets"), "--index", str(folder / "index.jsonl")]
    inputs += ["--definitions", str(folder / "contracts")]
    for day in ("yesterday", "today"):
        out, until = folder / day, ["--until", str(folder / f"{day}.json")]
        shutil.rmtree(out, ignore_errors=True)
        contracts = _run(folder, "contracts", *inputs, *until, "--out", str(out))
    validate = ["validate", str(folder / "yesterday"), str(folder / "today"), *inputs]
    validate += ["--after", str(folder / "yesterday.json")]
    costs = (
        contracts,
        _compare(folder),
        _run(folder, *validate),
        _run(folder, *validate, "--out", str(folder / "verdict")),
    )
    return dict(zip(STEPS, costs, strict=True))


def _compare(folder: Path) -> Cost:
    days = (word for day in ("yesterday", "today") for word in (f"--{day}", str(folder / day / DATASET)))
    asked = [*days, "--key", "thing__id,prototype", "--threads", "2", "--out", str(folder / "output" / "answer.json")]
    return measure([str(COMPARE), *asked], folder=folder / "output", variables=VARIABLES)


def _run(folder: Path, *words: str) -> Cost:
    return measure([*LOGCACHE, *words], folder=folder / "output", variables=VARIABLES)


if __name__ == "__main__":
    main()
