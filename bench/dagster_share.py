"""Measures Dagster's share of a refresh: the same refresh by commands and by Dagster, beside one without Dagster.

    python bench/dagster_share.py                      the demo, 3 databases, and 25 databases with 50 instances
    python bench/dagster_share.py --databases 3 --rounds 3

Every way is a process of its own on a copy of one local world, and its CPU seconds are those of all processes that it
starts, the notebook and Itaipu among them; compiled modules are kept, as on a server. The baseline,
bench/plain_refresh.py, does the same stages and imports no Dagster. Dagster's own is what a way takes beyond it.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from copied_databases import write_data
from measure import Cost, measure

PROJECT = Path(__file__).parents[1]
PLAIN = "without Dagster"
WAYS = {
    PLAIN: [str(PROJECT / "bench" / "plain_refresh.py")],
    "logcache refresh": ["-m", "logcache_assets.cli.main", "refresh"],
    "dg launch": [str(Path(sys.executable).parent / "dg"), "launch", "--job", "refresh_log_cache"],
}
"""What is measured, as `measure` takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a way of refreshing costs."""

    way: str
    cost: Cost
    plain: Cost
    """Of the refresh without Dagster in the same run."""

    @property
    def own_seconds(self) -> float:
        """CPU seconds beyond the refresh without Dagster."""
        return self.cost.cpu_seconds - self.plain.cpu_seconds

    def __str__(self) -> str:
        """A row of the table."""
        seconds = f"{self.cost.cpu_seconds:.1f} | {self.own_seconds:.1f}"
        return f"| {self.way} | {seconds} | {self.own_seconds / self.cost.cpu_seconds:.0%} |"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--databases", type=int, nargs="+", default=[3, 25], help="each has two instances")
    parser.add_argument("--rounds", type=int, default=1, help="the cheapest round of each way counts")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="beside the one without Dagster")
    options = parser.parse_args()
    for databases in options.databases:
        with tempfile.TemporaryDirectory(prefix="bench-dagster-") as scratch:
            shares = measure_shares(Path(scratch), databases=databases, ways=options.ways, rounds=options.rounds)
            print("\n".join(table(shares, databases=databases)), flush=True)


def measure_shares(scratch: Path, *, databases: int, ways: Sequence[str], rounds: int) -> list[Share]:
    """Measure the ways on copies of a world of so many databases, in turn; the cheapest round of each counts."""
    write_data(scratch / "data", databases=databases)
    world = scratch / "world"
    build = [sys.executable, "-m", "logcache_assets.cli.main", "local", "reset", "--data", str(scratch / "data")]
    subprocess.run(build, check=True, env={"LOGCACHE_HOME": str(world)}, stdout=subprocess.DEVNULL)
    best: dict[str, Cost] = {}
    for _ in range(rounds):
        for way in dict.fromkeys([PLAIN, *ways]):
            cost = _measure(WAYS[way], world, scratch / "copy")
            best[way] = min(best.get(way, cost), cost, key=lambda each: each.cpu_seconds)
    return [Share(way=way, cost=cost, plain=best[PLAIN]) for way, cost in best.items()]


def _measure(program: Sequence[str], world: Path, home: Path) -> Cost:
    """The cost of a refresh of a copy of the world; it must end with a pull request."""
    shutil.copytree(world, home)
    variables = {"LOGCACHE_HOME": str(home), "DAGSTER_HOME": str(home / "dagster"), "PYTHONDONTWRITEBYTECODE": ""}
    cost = measure(program, folder=home / "out", variables=variables)
    if not list((home / "pull_requests").glob("*.md")):
        raise SystemExit(f"{' '.join(program)} opened no pull request:\n{(home / 'out/output.txt').read_text('utf-8')}")
    shutil.rmtree(home)
    return cost


def table(shares: Sequence[Share], *, databases: int) -> Iterator[str]:
    """The lines of a table of all ways."""
    yield f"\n{databases} databases, {2 * databases} instances\n"
    yield "| a refresh by | CPU s | Dagster's own | share |"
    yield "|---|--:|--:|--:|"
    yield from map(str, shares)


if __name__ == "__main__":
    main()
