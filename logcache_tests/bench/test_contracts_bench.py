"""bench/contracts.py: our engine and a peer compute the same contracts, and wrong answers are reported."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

BENCH = Path(__file__).parents[2] / "bench"
CONTENDERS = "ours,duckdb,duckdb-polars"


def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the bench."""
    command = [sys.executable, str(BENCH / program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(find_spec("duckdb") is None, reason="duckdb is not installed; it is in the extra `bench`")
def test_duckdb_gives_our_rows_from_a_cache_and_from_segments(tmp_path: Path) -> None:
    """Every workload of a small bank is in the table, as published; whoever decodes DuckDB's segments."""
    figures = tmp_path / "figures.json"
    size = ("--datoms", "20000", "--instances", "2", "--segments", "20", "--delta", "0.1")

    ended = run("contracts.py", *size, "--contenders", CONTENDERS, "--dir", tmp_path / "bank", "--json", figures)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = json.loads(figures.read_text("utf-8"))["results"]
    assert [(r["workload"], r["contender"]) for r in results] == [
        (workload, contender)
        for workload in ("entity-cache", "entity-segments", "all-cache", "all-segments")
        for contender in CONTENDERS.split(",")
    ]
    assert all(r["rows"] > 500 and not r["differences"] for r in results)
    assert all(r["cost"]["peak_mb"] > 20 and r["cost"]["wall_seconds"] > 0 for r in results)


def contracts(folder: Path, frame: pl.DataFrame, *, files: int = 1) -> Path:
    """Write a folder with one dataset."""
    dataset = folder / "contract-bank" / "accounts"
    dataset.mkdir(parents=True)
    for number, part in enumerate(frame.iter_slices(-(-len(frame) // files))):
        part.write_parquet(dataset / f"part-{number:05}.parquet")
    return folder


ACCOUNTS = pl.DataFrame(
    {"account__id": ["a", "b", "c"], "balance": [1.5, None, float("nan")], "labels": [["x", "y"], None, ["x"]]}
)


def test_rows_are_the_same_in_any_order_and_any_files(tmp_path: Path) -> None:
    """Sorting by instance or writing several files does not change the answer."""
    ours = contracts(tmp_path / "ours", ACCOUNTS)
    theirs = contracts(tmp_path / "theirs", ACCOUNTS.reverse(), files=2)

    ended = run("answers.py", ours, theirs)

    assert (ended.returncode, ended.stdout) == (0, "1 datasets, 3 rows: 0 datasets differ\n")


@pytest.mark.parametrize(
    ("falsified", "told"),
    [
        pytest.param(
            ACCOUNTS.with_columns(balance=pl.Series([1.5, 0.0, float("nan")])),
            "1 rows differ, first the one of account__id 'b': balance None and 0.0",
            id="a cell",
        ),
        pytest.param(
            ACCOUNTS.with_columns(labels=pl.Series([["x", "z"], None, ["x"]])),
            "1 rows differ, first the one of account__id 'a': labels ['x', 'y'] and ['x', 'z']",
            id="an element of a list",
        ),
        pytest.param(ACCOUNTS.head(2), "there are 3 and 2 rows", id="a missing row"),
        pytest.param(pl.concat([ACCOUNTS, ACCOUNTS.tail(1)]), "there are 3 and 4 rows", id="a doubled row"),
        pytest.param(ACCOUNTS.drop("labels"), "columns are account__id String, balance Float64, labels", id="a column"),
        pytest.param(ACCOUNTS.cast({"balance": pl.Float32}), "balance Float32", id="a type"),
    ],
)
def test_a_falsified_answer_is_named(tmp_path: Path, falsified: pl.DataFrame, told: str) -> None:
    """Any difference gives exit code 1 and the first difference."""
    ours, theirs = contracts(tmp_path / "ours", ACCOUNTS), contracts(tmp_path / "theirs", falsified)

    ended = run("answers.py", ours, theirs)

    assert ended.returncode == 1
    assert ended.stdout.startswith("contract-bank/accounts: ")
    assert told in ended.stdout


def test_a_missing_dataset_is_named(tmp_path: Path) -> None:
    """A missing dataset is a difference."""
    ours = contracts(tmp_path / "ours", ACCOUNTS)

    ended = run("answers.py", ours, tmp_path / "nothing")

    assert ended.returncode == 1
    assert f"contract-bank/accounts: only in {ours}" in ended.stdout
