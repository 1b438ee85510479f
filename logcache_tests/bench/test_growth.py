"""bench/growth.py: histories that only grow deeper, and the cost of a build split into three."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from logcache_tests.bench.bank import BENCH, load_script, log_in, write_bank

COUNTED = (":transaction/id", ":account/id", ":transaction/amount", ":account/balance")


def assertions_in(out: Path) -> dict[str, int]:
    """How often the values of some attributes are asserted in the first log."""
    log = log_in(out)
    return {name: sum(d[5] for d in log.datoms if log.idents.get(d[1]) == name) for name in COUNTED}


def test_a_deep_history_grows_by_changes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times as many datoms of as many entities: only their amounts and balances change more often."""
    shapes = load_script("ledger").SHAPES
    monkeypatch.setitem(shapes, "deep", replace(shapes["deep"], most_transactions=100))

    short, long = (
        assertions_in(write_bank(tmp_path / str(datoms), datoms=datoms, shape="deep")) for datoms in (20_000, 80_000)
    )

    assert 90 < short[":transaction/id"] < 110
    for key in (":transaction/id", ":account/id"):
        assert abs(long[key] - short[key]) < 10
    for value in (":transaction/amount", ":account/balance"):
        assert 3.5 < long[value] / short[value] < 5.5


def test_a_shape_without_a_limit_stays_as_it_is() -> None:
    """A bank's history grows with its entities."""
    ledger = load_script("ledger").SHAPES["ledger"]

    assert ledger.deepened(10**9) is ledger


def test_the_delta_is_a_segment_whatever_the_length() -> None:
    """5,000 datoms of each instance, in segments that are equally large in every history."""
    sizes = [load_script("growth").size_of("deep", millions) for millions in (1, 30)]

    assert [size.datoms_each // size.segments for size in sizes] == [5000, 5000]
    assert [size.segments - size.cached_segments for size in sizes] == [1, 1]


def test_the_rest_is_what_is_neither_start_nor_scan() -> None:
    """Round by round: 1.0, 2.0 and 1.5 CPU seconds here, and 1.5, 2.0 and 3.0 there; the ratios are 1.5, 1 and 2."""
    growth, cost = load_script("growth"), load_script("measure").Cost

    def length(datoms: int, *builds: float) -> object:
        return growth.Length(
            datoms=datoms,
            state_mb=7,
            rows=900,
            builds=[cost(wall_seconds=9, cpu_seconds=cpu, peak_mb=200) for cpu in builds],
            starts=[cost(wall_seconds=9, cpu_seconds=0.75, peak_mb=90)] * 3,
            scans=[0.25] * 3,
        )

    lengths = [length(1_000_000, 2, 3, 2.5), length(3_000_000, 2.5, 3, 4)]

    assert growth.growth_of_rest(*lengths) == 1.5
    assert list(growth.render(lengths))[2:] == [
        "| 1,000,000 | 7.0 | 9.00 | 2.50 | 0.75 | 0.25 | 1.50 | 200 | 900 |",
        "| 3,000,000 | 7.0 | 9.00 | 3.00 | 0.75 | 0.25 | 2.00 | 200 | 900 |",
        "from 1,000,000 to 3,000,000 datoms the rest takes 1.50 times as much",
    ]


def test_two_lengths_are_measured(tmp_path: Path) -> None:
    """As published, with two tiny lengths: what is built has rows, and the state was read."""
    arguments = ("--millions", "0.04,0.08", "--repeat", "1", "--dir", str(tmp_path))

    ended = subprocess.run(
        [sys.executable, str(BENCH / "growth.py"), *arguments], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    short, long = (
        line.strip("| ").split(" | ") for line in ended.stdout.splitlines() if line.startswith(("| 4", "| 8"))
    )
    assert (short[0], long[0]) == ("40,000", "80,000")
    assert int(short[-1].replace(",", "")) > 300
    assert float(long[1]) > float(short[1]) > 0
    assert float(long[5]) > 0
    assert "from 40,000 to 80,000 datoms the rest takes " in ended.stdout
