"""bench/width.py: the wide log is a log, whose contracts are as wide as asked and whose two days are explained."""

from pathlib import Path

import polars as pl

from logcache_tests.bench.bank import load_script

WIDE, ROWS = 30, 10


def test_contracts_of_the_wide_log_are_computed_and_approved(tmp_path: Path) -> None:
    """Every step ends well, which for a comparison means that the log explains all differences."""
    width, log = load_script("width"), load_script("wide_log")

    costs = width.cost_of(tmp_path, log.Shape(columns=WIDE, rows=ROWS))

    days = [pl.read_parquet(tmp_path / day / log.DATASET) for day in ("yesterday", "today")]
    assert list(costs) == list(width.STEPS)
    assert [day.shape for day in days] == [(ROWS, WIDE), (ROWS, WIDE)]
    assert [name for name in days[0].columns if not days[0][name].equals(days[1][name])] == [
        f"thing__a{n}" for n in range(0, WIDE - 2, log.CHANGED_EVERY)
    ]
