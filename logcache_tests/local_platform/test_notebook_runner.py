"""The local notebook runner: what a notebook finds, and one run per token whatever happens to its callers."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from logcache_assets.local_platform.notebook_runner import LocalNotebookRunner
from logcache_assets.ports import NotebookError, NotebookWrongData, Tell
from logcache_tests.adapters.test_processes import eventually, interruptible, is_running

HEADER = "# Databricks notebook source\n# MAGIC %md\n# MAGIC # A title\n\n# COMMAND ----------\n\n"


def runner(folder: Path, source: str, *, timeout_seconds: float = 60) -> LocalNotebookRunner:
    """A runner of a small notebook, which can append to the file `starts`."""
    (folder / "notebook.py").write_text(HEADER + source)
    return LocalNotebookRunner(
        folder / "notebook.py",
        folder / "runs",
        {"STARTS": str(folder / "starts")},
        timeout_seconds=timeout_seconds,
        grace_seconds=0.5,
    )


COUNT = "import os, time\nwith open(os.environ['STARTS'], 'a') as starts: starts.write('x')\n"


def starts(folder: Path) -> int:
    """How often the notebook was started."""
    path = folder / "starts"
    return len(path.read_text()) if path.exists() else 0


def run(
    runner: LocalNotebookRunner, *, told: list[str] | None = None, take: Tell | None = None, **parameters: str
) -> str:
    """Run it under one token; `told` or `take` gets every line."""
    take = take or (told if told is not None else []).append
    return runner.run(parameters, token="token-1", tell=take, tell_output=take).result  # noqa: S106 - no secret


def test_a_notebook_gets_parameters_and_gives_its_result(tmp_path: Path) -> None:
    """Given values, declared defaults, the exit value, and every printed line."""
    source = (
        "dbutils.widgets.text('given', 'default', 'A label')\n"
        "dbutils.widgets.text('declared', 'default')\n"
        "print('héllo')\n"
        "display([1])\n"
        "dbutils.notebook.exit(dbutils.widgets.get('given') + ' ' + dbutils.widgets.get('declared'))\n"
        "print('never')"
    )
    told: list[str] = []

    assert run(runner(tmp_path, source), told=told, given="São") == "São default"
    assert told == ["héllo", "[1]"]
    assert (tmp_path / "runs" / "token-1" / "output.log").read_text() == "héllo\n[1]\n"
    assert json.loads((tmp_path / "runs" / "token-1" / "parameters.json").read_text()) == {"given": "São"}


def test_a_notebook_can_import_the_package(tmp_path: Path) -> None:
    """The thin notebook calls the engine that is installed beside it."""
    source = "from logcache_assets.domain.names import column_name\ndbutils.notebook.exit(column_name(':a/b-c'))"

    assert run(runner(tmp_path, source)) == "a__b_c"


def test_no_code_of_the_current_folder_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh may be started in any folder: a file there named like a module is not that module."""
    marker = tmp_path / "executed"
    for name in ("token", "random", "csv", "logcache_assets"):
        (tmp_path / f"{name}.py").write_text(f"open({str(marker)!r}, 'a').write({name!r})")
    monkeypatch.chdir(tmp_path)
    source = "import csv, random, subprocess, sys, token\nsubprocess.run([sys.executable, '-c', 'import csv'])\n"

    assert run(runner(tmp_path, source + "dbutils.notebook.exit('result')")) == "result"
    assert not marker.exists()


def test_what_a_notebook_prints_of_its_environment_is_blanked(tmp_path: Path) -> None:
    """Neither the lines that are told, nor the output's file, nor the error has a secret that was handed over."""
    (tmp_path / "notebook.py").write_text(HEADER + "import os\nprint(dict(os.environ))")
    secret = "an invented key of a bank"  # noqa: S105 - as it says
    notebook = LocalNotebookRunner(tmp_path / "notebook.py", tmp_path / "runs", {"LOGCACHE_PII_KEY": secret})
    told: list[str] = []

    with pytest.raises(NotebookError) as raised:
        run(notebook, told=told)

    shown = "\n".join([*told, str(raised.value), (tmp_path / "runs" / "token-1" / "output.log").read_text()])
    assert "LOGCACHE_PII_KEY" in (tmp_path / "runs" / "token-1" / "output.log").read_text()
    assert secret not in shown


def test_a_notebook_that_cannot_be_started_is_wrong_data(tmp_path: Path) -> None:
    """The next start would fail in the same way, here because a variable is longer than Linux allows."""
    (tmp_path / "notebook.py").write_text(HEADER)
    too_long = LocalNotebookRunner(tmp_path / "notebook.py", tmp_path / "runs", {"LONG": "x" * 200_000})

    with pytest.raises(NotebookWrongData, match=r"Argument list too long.*Read .*output\.log"):
        run(too_long)


def test_a_failure_shows_the_notebooks_own_lines(tmp_path: Path) -> None:
    """The traceback has the file's name and line numbers; the error tells where the whole output is."""
    with pytest.raises(NotebookError) as raised:
        run(runner(tmp_path, "for n in range(100): print('line', n)\nraise ValueError('no log')"))

    assert f'notebook.py", line {HEADER.count(chr(10)) + 2}' in str(raised.value)
    assert "ValueError: no log" in str(raised.value)
    assert "line 50\n" not in str(raised.value)
    assert str(tmp_path / "runs" / "token-1" / "output.log") in str(raised.value)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("print('done')", "without dbutils.notebook.exit", id="no result"),
        pytest.param(
            "dbutils.widgets.get('none')", "'none', which was neither given nor declared", id="no such widget"
        ),
        pytest.param("def broken(", "SyntaxError", id="no Python"),
        pytest.param("import sys; sys.exit(0)", "exit code 0", id="a quiet end"),
        pytest.param("import os; os.kill(os.getpid(), 9)", "signal 9", id="killed"),
    ],
)
def test_a_run_without_a_result_is_an_error(tmp_path: Path, source: str, reason: str) -> None:
    """The error has the reason, and the next call finds no result."""
    with pytest.raises(NotebookError, match=reason):
        run(runner(tmp_path, source))

    assert not (tmp_path / "runs" / "token-1" / "result.json").exists()


def test_a_missing_notebook_is_an_error(tmp_path: Path) -> None:
    """The error names the file."""
    notebook = runner(tmp_path, "")
    (tmp_path / "notebook.py").unlink()

    with pytest.raises(NotebookError, match=r"notebook\.py"):
        run(notebook)


@pytest.mark.parametrize("token", ["", "../outside", "a/b", "x" * 65, "a b"])
def test_a_token_that_is_no_name_is_refused(tmp_path: Path, token: str) -> None:
    """The token is refused before anything is written."""
    with pytest.raises(NotebookError, match="token"):
        runner(tmp_path, "").run({}, token=token, tell=print, tell_output=print)

    assert not (tmp_path / "runs").exists()


def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """Its process is ended, and the call fails."""
    with pytest.raises(NotebookError, match="longer than 1 seconds"):
        run(runner(tmp_path, "import time\nprint('begun')\ntime.sleep(60)", timeout_seconds=1))

    assert not is_running(int((tmp_path / "runs" / "token-1" / "pid").read_text()))


def test_an_interrupt_cancels_the_run(tmp_path: Path) -> None:
    """The interrupt is raised again, no process stays, and the next call starts a new run."""
    source = (
        COUNT
        + "print('begun')\n"
        + "time.sleep(60 * (os.path.getsize(os.environ['STARTS']) < 2))\n"
        + "dbutils.notebook.exit('result')"
    )
    notebook = runner(tmp_path, source)

    with interruptible() as interrupt, pytest.raises(KeyboardInterrupt):
        run(notebook, take=lambda line: interrupt() if line == "begun" else None)

    assert not is_running(int((tmp_path / "runs" / "token-1" / "pid").read_text()))
    assert run(notebook) == "result"
    assert starts(tmp_path) == 2


def test_two_callers_at_once_share_one_run(tmp_path: Path) -> None:
    """Both get its result, and both hear its lines."""
    source = COUNT + "print('working')\ntime.sleep(0.7)\ndbutils.notebook.exit('result')"
    results: list[str] = []
    told: tuple[list[str], list[str]] = ([], [])
    threads = [
        threading.Thread(target=lambda lines=lines: results.append(run(runner(tmp_path, source), told=lines)))
        for lines in told
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == ["result", "result"]
    assert starts(tmp_path) == 1
    assert all("working" in lines for lines in told)


def orphan(folder: Path, source: str) -> int:
    """Start a run from a worker that is then killed without a chance to clean up; returns the notebook's process."""
    runner(folder, source)
    script = (
        "from pathlib import Path\n"
        "from logcache_assets.local_platform.notebook_runner import LocalNotebookRunner\n"
        f"folder = Path({str(folder)!r})\n"
        "runner = LocalNotebookRunner(folder / 'notebook.py', folder / 'runs', {'STARTS': str(folder / 'starts')})\n"
        "runner.run({}, token='token-1', tell=print, tell_output=print)"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as worker:
        assert eventually(lambda: starts(folder) == 1)
        os.kill(worker.pid, signal.SIGKILL)
    return int((folder / "runs" / "token-1" / "pid").read_text())


def test_a_crashed_workers_run_is_waited_for(tmp_path: Path) -> None:
    """The notebook runs on, and the next worker gets its result instead of a second run."""
    source = COUNT + "print('before', flush=True)\ntime.sleep(1.5)\nprint('after')\ndbutils.notebook.exit('result')"
    pid = orphan(tmp_path, source)
    assert is_running(pid)
    told: list[str] = []

    assert run(runner(tmp_path, source), told=told) == "result"
    assert starts(tmp_path) == 1
    assert told[1:] == ["before", "after"]


def test_a_crashed_workers_run_that_fails_is_an_error(tmp_path: Path) -> None:
    """Its last lines are shown; the call after that runs it again."""
    source = (
        COUNT + "time.sleep(1)\nassert os.path.getsize(os.environ['STARTS']) > 1, 'not yet'\ndbutils.notebook.exit('x')"
    )
    orphan(tmp_path, source)

    with pytest.raises(NotebookError, match="not yet"):
        run(runner(tmp_path, source))
    assert run(runner(tmp_path, source)) == "x"


def test_an_interrupt_cancels_a_run_that_was_waited_for(tmp_path: Path) -> None:
    """The run is ended, whoever started it."""
    pid = orphan(tmp_path, COUNT + "time.sleep(60)")

    with interruptible() as interrupt, pytest.raises(KeyboardInterrupt):
        run(runner(tmp_path, ""), take=lambda _waiting: interrupt())

    assert eventually(lambda: not is_running(pid))


def test_a_spoiled_result_is_named(tmp_path: Path) -> None:
    """It is an error; taken for a missing result it would start a second run."""
    notebook = runner(tmp_path, COUNT + "dbutils.notebook.exit('x')")
    run(notebook)
    (tmp_path / "runs" / "token-1" / "result.json").write_text("{")

    with pytest.raises(NotebookError, match=r"result\.json"):
        run(notebook)
    assert starts(tmp_path) == 1
