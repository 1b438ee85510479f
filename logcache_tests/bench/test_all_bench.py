"""bench/all.py: figures of rounds that were paired, goals met or missed, and a failure only where answers differ."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from logcache_tests.bench.bank import BENCH, load_script

GOALS = {"wall_seconds": 0.5, "cpu_seconds": 0.5, "peak_mb": 1}


@pytest.fixture
def goals() -> ModuleType:
    """The module that sets figures beside their goals."""
    return load_script("goals")


def costs(*rounds: tuple[float, float, float]) -> list[object]:
    """The cost of each round, from (wall seconds, CPU seconds, peak MB)."""
    cost = load_script("measure").Cost
    return [cost(wall_seconds=wall, cpu_seconds=cpu, peak_mb=peak) for wall, cpu, peak in rounds]


def test_contenders_take_turns() -> None:
    """A machine that is busy for a while is busy for all of them."""
    ran: list[str] = []

    def running(name: str) -> int:
        ran.append(name)
        return len(ran)

    found = load_script("rounds").run_rounds({n: lambda n=n: running(n) for n in ("ours", "theirs")}, repeat=3)

    assert ran == ["ours", "theirs"] * 3
    assert found == {"ours": (1, 3, 5), "theirs": (2, 4, 6)}


def test_a_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_medians() -> None:
    """In the second round the machine was slow, for both: the rounds' ratios are 0.5, 0.4 and 0.6."""
    ours, theirs = costs((1, 1, 50), (8, 2, 50), (3, 3, 50)), costs((2, 2, 100), (20, 5, 100), (5, 5, 100))

    ratio = load_script("rounds").paired_ratio(ours, theirs)

    assert ratio == costs((0.5, 0.5, 0.5))[0]


def test_a_goal_is_about_the_first_peer_and_is_met_by_equality(goals: ModuleType) -> None:
    """The second peer is shown beside it: of its 4 seconds ours takes a quarter."""
    measured = {"ours": costs((1, 3, 200)), "peer": costs((2, 4, 100)), "second": costs((4, 4, 400))}

    wall, cpu, peak = goals.compare_costs(measured, GOALS)

    assert (wall.what, wall.ours, wall.peer, wall.ratio, wall.other_ratio) == ("wall s", 1, 2, 0.5, 0.25)
    assert (wall.met, cpu.met, peak.met) == (True, False, False)


def test_without_a_peer_a_goal_is_about_the_figure(goals: ModuleType) -> None:
    """And what has no goal is neither met nor missed."""
    wall, cpu, _ = goals.compare_costs({"ours": costs((0.7, 0.5, 90))}, {"wall_seconds": 0.6})

    assert (wall.ratio, wall.met, cpu.met) == (None, False, None)


def test_the_table_shows_goals_and_every_difference(goals: ModuleType) -> None:
    """One row per figure, the title once."""
    rows = goals.compare_costs({"ours": costs((1, 3, 200)), "peer": costs((2, 4, 2000))}, GOALS)
    outcomes = {"a line": goals.Outcome(rows=tuple(rows), differences=("accounts: there are 3 and 2 rows",))}

    assert list(goals.render_table(outcomes))[2:] == [
        "| a line | wall s | 1.00 | 2.00 | 0.50 |  | ≤ 0.5 | met |",
        "|  | CPU s | 3.00 | 4.00 | 0.75 |  | ≤ 0.5 | missed |",
        "|  | peak MB | 200 | 2,000 | 0.10 |  | ≤ 1 | met |",
        "a line: accounts: there are 3 and 2 rows",
    ]
    assert goals.count_met(outcomes) == "2 of 3 goals met"


@pytest.mark.parametrize(
    ("differences", "code"),
    [pytest.param((), 0, id="a missed goal alone"), pytest.param(("one cell",), 1, id="answers that differ")],
)
def test_only_answers_that_differ_are_a_failure(goals: ModuleType, differences: tuple[str, ...], code: int) -> None:
    """The machine may be busy, so a missed goal is shown and proves nothing."""
    missed = goals.Row(what="wall s", ours=2, goal=1)

    outcomes = {"a line": goals.Outcome(rows=(missed,), differences=differences)}

    assert load_script("all").exit_code(outcomes) == code


def test_one_line_is_measured_alone(tmp_path: Path) -> None:
    """The start of the command, as published: a table with its one line."""
    command = [sys.executable, str(BENCH / "all.py"), "--small", "--only", "start", "--dir", str(tmp_path)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "| `logcache contracts` on an empty log | wall s | " in ended.stdout
    assert ended.stdout.count("\n|") == 5
    assert "of 1 goals met" in ended.stdout


def test_an_unknown_line_is_refused() -> None:
    """With the known ones."""
    ended = subprocess.run([sys.executable, str(BENCH / "all.py"), "--only", "strat"], capture_output=True, check=False)

    assert ended.returncode == 2
    assert b"unknown strat; known are entity-cache, " in ended.stderr
