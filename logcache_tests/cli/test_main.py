"""`logcache` as a user runs it: its exit code, and what it prints where.

Most cases call the command line in this process, because a process of its own costs a start each; a few prove that the
installed program is the same.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from logcache_assets.cli.main import logcache, run_command
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.local_platform.accidents import accidents_of
from logcache_assets.local_platform.timeline import EARLIEST
from logcache_assets.local_platform.world import World
from logcache_tests.worlds import files_of

PROGRAM = str(Path(sys.executable).parent / "logcache")

LOGS = ("--root", ".", "--index", "index")

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, on the world in a folder and with no other settings than these."""

    def run_here(home: Path, *arguments: str, **variables: str) -> Done:
        with monkeypatch.context() as environment:
            for name in [name for name in os.environ if name.startswith("LOGCACHE_")]:
                environment.delenv(name)
            for name, value in ({"LOGCACHE_HOME": str(home)} | variables).items():
                environment.setenv(name, value)
            environment.chdir(home.parent)
            code = run_command(arguments)
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run_here


def run_program(home: Path, *arguments: str, **variables: str) -> Done:
    """The same as a process of its own."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home.parent), "LOGCACHE_HOME": str(home)} | variables
    if "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return subprocess.run(
        [PROGRAM, *arguments],
        env=environment,
        cwd=home.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def document_of(done: Done) -> dict[str, Any]:
    """The only JSON document on standard output; more than one is an error of the parser."""
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def commands(group: click.Group = logcache, *path: str) -> Iterator[tuple[str, ...]]:
    """The words of every command and group."""
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


@pytest.mark.parametrize("words", [pytest.param(words, id=" ".join(words) or "logcache") for words in commands()])
def test_help_answers_with_an_example(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Every command says what it does, shows a line to copy, and touches nothing."""
    done = run(tmp_path / "home", *words, "--help")

    lines = [line.strip() for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert done.stderr == ""
    assert lines[0].startswith(f"Usage: {' '.join(['logcache', *words])}")
    assert any(line.startswith(" ".join(["logcache", *words])) for line in lines[1:])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param(["status", "--fast"], "No such option", id="an unknown option"),
        pytest.param(["frobnicate"], "No such command 'frobnicate'", id="an unknown command"),
        pytest.param(["local", "frobnicate"], "No such command 'frobnicate'", id="an unknown command of a group"),
        pytest.param(["contracts", "--out", "x"], "Missing option '--root'", id="a missing option"),
        pytest.param(["local", "merge", "one"], "is not a valid integer", id="a word for a number"),
        pytest.param(
            ["local", "reset", "--data", "nowhere"], "'nowhere' does not exist", id="a folder that is not there"
        ),
        pytest.param(["status", "too", "much"], "unexpected extra arguments", id="arguments too many"),
        pytest.param(
            ["refresh", "--databases", " ,"], "' ,' has no name; write for example", id="a list without names"
        ),
        pytest.param(
            ["contracts", *LOGS, "--definitions", ".", "--out", "x", "--kinds", "entity,histori"],
            "histori; kinds are entity, history, snapshot",
            id="an unknown kind",
        ),
        pytest.param(["local", "break", "fire"], "unknown fault 'fire'; known are gap, overlap", id="an unknown fault"),
    ],
)
def test_wrong_usage_ends_with_2(run: Run, tmp_path: Path, words: list[str], reason: str) -> None:
    """The reason is on standard error, standard output stays empty, and nothing is made."""
    (tmp_path / "index").touch()

    done = run(tmp_path / "home", *words)

    assert done.returncode == 2
    assert done.stdout == ""
    assert reason in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


@pytest.mark.parametrize(
    ("words", "variables", "expected"),
    [
        pytest.param(
            ["status"],
            {},
            (1, "there is no local world in {home}; make one with `logcache local reset`"),
            id="no world",
        ),
        pytest.param(
            ["status"],
            {"LOGCACHE_MACHINES": "many"},
            (2, "LOGCACHE_MACHINES is 'many', and must be a whole number above 0; correct it, or unset it for 192"),
            id="a wrong setting",
        ),
        pytest.param(
            ["local", "day"],
            {"LOGCACHE_MACHNES": "3"},
            (2, "unknown setting LOGCACHE_MACHNES; did you mean LOGCACHE_MACHINES?"),
            id="an unknown setting",
        ),
    ],
)
def test_an_error_is_one_line_and_with_json_a_document_too(
    run: Run, tmp_path: Path, words: list[str], variables: dict[str, str], expected: tuple[int, str]
) -> None:
    """Never a traceback, and no folder is made; what was typed is wrong usage, what the world lacks is not."""
    code, error = expected[0], expected[1].format(home=tmp_path / "home")

    plain = run(tmp_path / "home", *words, **variables)
    as_json = run(tmp_path / "home", *words, "--json", **variables)

    assert (plain.returncode, plain.stdout, plain.stderr) == (code, "", f"logcache: {error}\n")
    assert (as_json.returncode, as_json.stderr) == (code, f"logcache: {error}\n")
    assert document_of(as_json) == {"error": error}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["--help"], 0, id="help"),
        pytest.param(["frobnicate"], 2, id="wrong usage"),
        pytest.param(["status", "--json"], 1, id="an error"),
        pytest.param(["local", "break", "fire", "--json"], 2, id="wrong usage that a command finds"),
    ],
)
def test_the_installed_program_is_the_same(run: Run, tmp_path: Path, words: list[str], code: int) -> None:
    """Same exit code, same lines."""
    here, program = run(tmp_path / "home", *words), run_program(tmp_path / "home", *words)

    assert program.returncode == code
    assert (program.returncode, program.stdout, program.stderr) == (here.returncode, here.stdout, here.stderr)


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        pytest.param(
            ["refresh", "--databases", "feed,fee"],
            2,
            "unknown database 'fee'; the catalog has customers, double-entry, feed",
            id="an unknown database",
        ),
        pytest.param(
            ["datasets"], 1, "metapod shows no test run of the last 14 days; name a transaction", id="no test run yet"
        ),
        pytest.param(["datasets", "49ae32bb"], 1, "49ae32bb", id="an unknown transaction"),
        pytest.param(
            ["local", "merge"], 1, "no pull request is open; `logcache refresh` opens one", id="nothing to merge"
        ),
        pytest.param(
            ["local", "break", "fire"], 2, "unknown fault 'fire'; known are gap, overlap", id="an unknown fault"
        ),
    ],
)
def test_a_refusal_leaves_the_world_as_it_was(run: Run, world: World, words: list[str], code: int, error: str) -> None:
    """One line, and not a byte of the world changes."""
    before = files_of(world.home)

    done = run(world.home, *words, "--json")

    assert done.returncode == code
    assert len(done.stderr.splitlines()) == 1
    assert error in document_of(done)["error"]
    assert files_of(world.home) == before


def test_status_is_one_document(run: Run, world: World) -> None:
    """Active, candidate and index t per instance, and that nothing is proposed yet; nothing is changed."""
    before = files_of(world.home)

    done = run(world.home, "status", "--json")

    status = document_of(done)
    feed = next(instance for instance in status["instances"] if instance["instance"] == "feed-s0")
    assert (done.returncode, done.stderr) == (0, "")
    assert (feed["active_t"], feed["candidate_t"], feed["index_t"]) == (3185, None, 5449)
    assert (status["candidate"], status["pull_requests"]) == (None, [])
    assert files_of(world.home) == before


def test_datasets_is_one_document(run: Run, world: World) -> None:
    """Every dataset of the named transaction with state, rows and path."""
    night = world.metapod.transactions(TransactionType.DAILY, since=EARLIEST)[0]

    done = run(world.home, "datasets", night.id, "--json")

    shown = document_of(done)
    assert (done.returncode, done.stderr) == (0, "")
    assert (shown["transaction"], shown["type"]) == (night.id, "DAILY")
    assert [d["dataset"] for d in shown["datasets"]] == sorted(night.datasets)
    assert {d["state"] for d in shown["datasets"]} == {"committed"}
    assert all(d["rows"] > 0 and d["path"].startswith("s3://") for d in shown["datasets"])


def test_a_dry_run_is_one_document(run: Run, world: World) -> None:
    """What would be refreshed from what; nothing is changed."""
    before = files_of(world.home)

    done = run(world.home, "refresh", "--dry-run", "--databases", "feed", "--json")

    plan = document_of(done)
    assert (done.returncode, done.stderr) == (0, "")
    assert (plan["status"], plan["databases"], plan["rejected"]) == ("due", ["feed"], [])
    assert files_of(world.home) == before


def test_a_day_is_one_document(run: Run, world: World) -> None:
    """The demo's data ends with its world, so a day only moves the clock, to the next 14:00."""
    done = run(world.home, "local", "day", "--json")

    day = document_of(done)
    assert (done.returncode, done.stderr) == (0, "")
    assert (day["delivered"], day["undelivered"]) == (0, 0)
    assert day["now"].endswith("T14:00:00.000Z")
    assert day["now"] == world.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_accidents_are_listed_as_one_document(run: Run, tmp_path: Path, world: World) -> None:
    """Without a name the accidents are told, with or without a world, and none happens."""
    before = files_of(world.home)

    listed, without_world = (
        run(world.home, "local", "break", "--json"),
        run(tmp_path / "none", "local", "break", "--json"),
    )

    assert document_of(listed)["faults"] == {fault.name: fault.description for fault in accidents_of(world)}
    assert document_of(without_world) == document_of(listed)
    assert files_of(world.home) == before


def test_an_accident_is_one_document(run: Run, world: World) -> None:
    """It says what was done and what to try next."""
    done = run(world.home, "local", "break", "gap", "--json")

    told = document_of(done)
    assert (done.returncode, told["fault"]) == (0, "gap")
    assert "is gone. See it refused with `logcache refresh`." in told["message"]


def test_for_a_person_lines_are_printed(run: Run, world: World) -> None:
    """The same state as aligned lines."""
    done = run(world.home, "status")

    lines = done.stdout.splitlines()
    assert lines[0].startswith("It is 2018-")
    assert lines[2].split() == ["instance", "active", "t", "index", "t", "age", "in", "days"]
    assert next(line.split()[:3] for line in lines if line.startswith("feed-s0")) == ["feed-s0", "3,185", "5,449"]
    assert lines[-1] == "No candidate was ever built; `logcache refresh` builds one."
