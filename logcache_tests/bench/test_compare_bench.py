"""bench/compare.py: every tool gives the counts known by hand, and a failure does not stop the others."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from logcache_tests.bench.bank import BENCH, load_script

PEERS = ("duckdb", "polars", "diffly", "datacompy")
PROGRAMS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            find_spec(name) is None, reason=f"{name} is not installed; it is in the extra `bench`"
        ),
    )
    for name in PEERS
]

COLUMNS = [
    "status",
    "amount",
    "account",
    "attempts",
    "fee",
    "post_date",
    "flag",
    "holder",
    "description",
    "channel",
    "ref",
]
EXPECTED = {"both": 4395, "missing": 3, "added": 2, "changed": dict.fromkeys(COLUMNS, 6)}
"""Of 4400 slots. Missing are 7, 2007, 4007; added are 1007, 3007. Changed are 13, 113, … 4313: 44 rows, four rounds
through eleven columns, and in two of the rounds a second column, which makes 4 + 2 of each."""


def compare(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the benchmark."""
    command = [sys.executable, str(BENCH / "compare.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(any(find_spec(name) is None for name in PEERS), reason="a peer of the extra `bench` is missing")
def test_all_peers_find_what_was_changed(tmp_path: Path) -> None:
    """The published table with all figures, for a few thousand rows; the days are kept and reused."""
    figures, arguments = tmp_path / "figures.json", ("--rows", "4400", "--dir", tmp_path / "kept")

    ended = compare(*arguments, "--contenders", ",".join(PEERS), "--json", figures)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("part-*.parquet")}
    again = compare(*arguments, "--contenders", "polars")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = json.loads(figures.read_text("utf-8"))["results"]
    assert [result["contender"] for result in results] == list(PEERS)
    assert all(not result["differences"] and result["cost"]["peak_mb"] > 20 for result in results)
    for name in PEERS:
        assert json.loads((tmp_path / "kept" / "out" / name / "answer.json").read_text("utf-8")) == EXPECTED
    assert again.returncode == 0
    assert len(written) == 2
    assert written == {path: path.stat().st_mtime_ns for path in written}


YESTERDAY_ROWS = pl.DataFrame(
    {
        "id": ["aa", "aa", "bb", "cc", "dd"],
        "prototype": ["s0", "s1", "s0", "s0", "s1"],
        "amount": pl.Series(map(Decimal, ("1.10", "2.20", "3.30", "4.40", "5.50")), dtype=pl.Decimal(38, 9)),
        "fee": [1.5, float("nan"), float("nan"), 0.0, 2.5],
        "post_date": [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6)],
        "note": ["x", None, None, "y", "z"],
    }
)
TODAY_ROWS = pl.DataFrame(
    {
        "id": ["aa", "aa", "bb", "cc", "ee"],
        "prototype": ["s0", "s1", "s0", "s1", "s1"],
        "amount": pl.Series(map(Decimal, ("1.11", "2.20", "3.30", "4.40", "5.50")), dtype=pl.Decimal(38, 9)),
        "fee": [float("nan"), float("nan"), 1.5, 0.0, 2.5],
        "post_date": [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6)],
        "note": [None, None, "x", "y", "z"],
    }
)
FOUND = {"both": 3, "missing": 2, "added": 2, "changed": {"amount": 1, "fee": 2, "post_date": 0, "note": 2}}
"""(cc, s0) and (dd, s1) are gone, (cc, s1) and (ee, s1) are new. In (aa, s1), NaN and null did not change."""


@pytest.mark.parametrize("peer", PROGRAMS)
def test_nan_equals_nan_null_equals_null_and_a_key_may_have_two_columns(tmp_path: Path, peer: str) -> None:
    """Each peer gives the right counts for five rows."""
    for day, rows in (("yesterday", YESTERDAY_ROWS), ("today", TODAY_ROWS)):
        (tmp_path / day).mkdir()
        rows.cast({"post_date": pl.Datetime("ms", "UTC")}).write_parquet(tmp_path / day / "part-00000.parquet")
    days = ("--yesterday", tmp_path / "yesterday", "--today", tmp_path / "today")
    asked = (*days, "--key", "id,prototype", "--threads", "2", "--out", tmp_path / "answer.json")

    subprocess.run([sys.executable, BENCH / "peers" / f"compare_{peer}.py", *asked], check=True)

    assert json.loads((tmp_path / "answer.json").read_text("utf-8")) == FOUND


def test_a_failure_and_a_wrong_answer_are_named_and_the_others_go_on(tmp_path: Path) -> None:
    """One contender fails, one never ends, one is wrong, and the last one is right."""
    script, measure, generated = load_script("compare"), load_script("measure"), load_script("days")
    days, size = generated.Days(tmp_path / "days"), generated.DaysSize(rows=4400)
    days.prepare(size)
    wrong = json.dumps({**EXPECTED, "added": 1, "changed": {**dict.fromkeys(COLUMNS, 6), "fee": 5}})
    answers = {"liar": wrong, "short": json.dumps({name: EXPECTED[name] for name in ("both", "missing", "added")})}
    sources = {
        "broken": "raise NotImplementedError('not yet')",
        "endless": "import time; time.sleep(60)",
        **{n: f"import sys, pathlib; pathlib.Path(sys.argv[-1]).write_text({a!r})" for n, a in answers.items()},
    }
    programs = {name: tmp_path / f"{name}.py" for name in sources}
    for name, source in sources.items():
        programs[name].write_text(source)
    limits = measure.Limits(seconds=2, memory_mb=10_000)
    run = script.Run(days=days, expected=size.expected(), out=tmp_path / "out", limits=limits, repeat=2)

    results = list(run.all(programs))

    broken, endless, liar, short = results
    assert broken == script.Failed(contender="broken", reason="NotImplementedError: not yet")
    assert endless == script.Failed(contender="endless", reason="out of time: more than 2 s")
    assert liar.differences == ("added: 1, not 2", "changed fee: 5, not 6")
    assert short.differences == ()
    assert not script.all_right(results)
    assert script.all_right([broken, endless, short])
    assert not script.all_right([broken, endless])
    assert "liar: changed fee: 5, not 6" in list(script.render(results))


def test_a_wrong_answer_is_not_hidden_by_a_right_one() -> None:
    """The fastest of several rounds counts, unless one of them was wrong."""
    script, measure = load_script("compare"), load_script("measure")
    cost = measure.Cost(wall_seconds=2.0, cpu_seconds=2.0, peak_mb=100.0)
    right = script.Finished(contender="x", cost=cost, differences=())
    faster = replace(right, cost=replace(cost, wall_seconds=1.0))
    wrong = replace(right, differences=("both: 1, not 2",))

    assert script.best(right, faster) == faster
    assert script.best(faster, right) == faster
    assert script.best(wrong, faster) == wrong
    assert script.best(faster, wrong) == wrong


def test_a_program_that_takes_too_much_memory_is_ended(tmp_path: Path) -> None:
    """A program is ended as soon as its memory exceeds the limit."""
    measure, script = load_script("measure"), tmp_path / "greedy.py"
    script.write_text("import time; kept = bytearray(b'x') * 400_000_000; time.sleep(60)")

    with pytest.raises(measure.LimitError, match="out of memory: more than 200 MB"):
        measure.measure([str(script)], folder=tmp_path / "out", limits=measure.Limits(seconds=50, memory_mb=200))


def test_days_of_another_size_are_not_used(tmp_path: Path) -> None:
    """A folder with days of another size is refused."""
    generated = load_script("days")
    days = generated.Days(tmp_path)
    days.prepare(generated.DaysSize(rows=100))

    with pytest.raises(SystemExit, match="holds days of another size"):
        days.prepare(generated.DaysSize(rows=200))
