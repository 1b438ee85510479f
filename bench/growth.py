"""Measures how the cost of entity contracts with a cache grows with the history, for a constant delta; only ours."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from answers import count_rows
from bank import Bank
from contenders import WORKLOADS, command_of
from generate import Size
from measure import measure


def grow(folder: Path, size: Size, millions: Sequence[float]) -> Iterator[str]:
    """Run, and return a table with a line per length; the delta is that of the shortest history.

    Args:
        folder: gets a bank per length.
        size: instances, segments and the delta of the shortest history.
        millions: the lengths, in millions of datoms.
    """
    delta_datoms = min(millions) * 1e6 * size.delta
    yield f"entity contracts, cache + delta of {delta_datoms:,.0f} datoms in {size.instances} instances"
    yield ""
    yield "| datoms | state MB | wall s | CPU s | peak MB | rows |"
    yield "|--:|--:|--:|--:|--:|--:|"
    for length in millions:
        datoms = round(length * 1e6)
        yield _line(folder / f"grown-{datoms}", replace(size, datoms=datoms, delta=delta_datoms / datoms))


def _line(folder: Path, size: Size) -> str:
    bank = Bank(folder)
    bank.prepare(size)
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    cost = measure(command_of("ours", WORKLOADS["entity-cache"], bank, out / "contracts"), folder=out)
    state = sum(file.stat().st_size for file in (folder / "buckets").glob("*/cache/**/materialized*/**/*.parquet"))
    cells = (
        f"{size.datoms:,}",
        f"{state / 1e6:,.1f}",
        f"{cost.wall_seconds:.2f}",
        f"{cost.cpu_seconds:.2f}",
        f"{cost.peak_mb:,.0f}",
        f"{count_rows(out / 'contracts'):,}",
    )
    return f"| {' | '.join(cells)} |"
