"""The sabesp adapter with small executables that behave like the platform's, and badly."""

import dataclasses
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from logcache_assets.adapters.sabesp import SabespItaipu
from logcache_assets.connect import sabesp_itaipu
from logcache_assets.ports import EarlierTestRun, ItaipuError
from logcache_assets.settings import load_settings
from logcache_tests.adapters.test_processes import interruptible, is_running
from logcache_tests.domain.test_sabesp_output import SAMPLE

TRANSACTION = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
RUN, OTHER_RUN = "33a485bc-001", "33a485bc-002"
"""Tokens of runs."""
KEY = "the key of an invented bank"
GOOD = f"for line in {SAMPLE!r}: print(line)"


def itaipu(folder: Path, script: str, *, timeout_seconds: float = 60, idle_timeout_seconds: float = 60) -> SabespItaipu:
    """The adapter, and an executable that runs a script."""
    executable = folder / "sabesp"
    executable.write_text(f"#!{sys.executable}\nimport os, sys, time\n{script}\n")
    executable.chmod(0o755)
    return SabespItaipu(
        executable=executable,
        aurora_stack="cantareira-dev",
        run_name="midea",
        in_uri="s3a://nu-spark-metapod-ephemeral-1/",
        out_uri="s3a://nu-spark-metapod-ephemeral-1/",
        machines=192,
        log_folder=folder / "logs",
        environment={"WORLD": "a world"},
        timeout_seconds=timeout_seconds,
        idle_timeout_seconds=idle_timeout_seconds,
        grace_seconds=0.5,
    )


def silent(_line: str) -> None:
    """A test has nobody to tell."""


def run(
    adapter: SabespItaipu,
    told: list[str] | None = None,
    *,
    token: str = RUN,
    named: Callable[[str], None] = silent,
) -> str:
    """One test run; returns its transaction."""
    tell = (told if told is not None else []).append
    done = adapter.test_run(version="33a485bc", dataset_prefix="contract-", token=token, tell=tell, named=named)
    return done.transaction


def test_the_command_is_the_runbooks(tmp_path: Path) -> None:
    """Argument by argument, with the environment added."""
    told: list[str] = []
    run(itaipu(tmp_path, f"print(*sys.argv[1:], sep='|'); print(os.environ['WORLD'])\n{GOOD}"), told)

    runbook = (
        "--aurora-stack=cantareira-dev jobs itaipu staging midea s3a://nu-spark-metapod-ephemeral-1/ "
        "s3a://nu-spark-metapod-ephemeral-1/ 192 --itaipu=33a485bc --filter-by-prefix contract-"
    )
    assert "|".join(shlex.split(runbook)) in told
    assert "a world" in told


def test_the_transaction_is_read_off_the_output(tmp_path: Path) -> None:
    """The runbook's sample output gives its transaction."""
    assert run(itaipu(tmp_path, GOOD)) == TRANSACTION


def test_a_run_needs_no_token(tmp_path: Path) -> None:
    """Then nobody finds it again, but its output is kept as any other's."""
    adapter = itaipu(tmp_path, GOOD)

    for _ in range(2):
        done = adapter.test_run(version="33a485bc", dataset_prefix="contract-", tell=silent)
        assert done.transaction == TRANSACTION
    assert len(list((tmp_path / "logs").iterdir())) == 2


def test_every_line_is_told_and_kept(tmp_path: Path) -> None:
    """Lines are reported in order and kept in one file per run, whose path is reported too."""
    adapter = itaipu(tmp_path, GOOD)
    told: list[str] = []

    run(adapter, told)
    run(adapter, token=OTHER_RUN)

    logs = sorted((tmp_path / "logs").iterdir())
    assert len(logs) == 2
    assert told[-len(SAMPLE) :] == list(SAMPLE)
    assert [log.read_text() for log in logs] == ["\n".join(SAMPLE) + "\n"] * 2
    assert any(str(log) in told[1] for log in logs)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(f"{GOOD}\nsys.exit(3)", "exit code 3", id="a non-zero exit"),
        pytest.param(f"{GOOD}\nos.kill(os.getpid(), 9)", "signal 9", id="killed"),
        pytest.param("print('nothing to say')", "names no transaction", id="no transaction"),
        pytest.param("pass", "it printed nothing", id="no output"),
        pytest.param(
            f"{GOOD}\nprint('--transaction 00000000-0000-0000-0000-000000000001')",
            "several transactions",
            id="two transactions",
        ),
        pytest.param(
            f"{GOOD}\nprint('task itaipu id: i-0 finished with total_time: 0:10:00 status: FAILED')",
            "task itaipu .i-0. ended with status FAILED",
            id="a failed task under exit code 0",
        ),
    ],
)
def test_a_bad_run_is_an_error(tmp_path: Path, script: str, reason: str) -> None:
    """The message has the reason."""
    with pytest.raises(ItaipuError, match=reason):
        run(itaipu(tmp_path, script))


def test_a_failure_shows_the_last_lines(tmp_path: Path) -> None:
    """The message has twenty lines and names the file with the others."""
    with pytest.raises(ItaipuError) as raised:
        run(itaipu(tmp_path, "for n in range(100): print('line', n)\nsys.exit('the cluster is gone')"))

    assert "line 98\nline 99\nthe cluster is gone" in str(raised.value)
    assert "line 70" not in str(raised.value)
    assert str(tmp_path / "logs") in str(raised.value)


@pytest.mark.parametrize("end", ["", "sys.exit(3)"], ids=["a good run", "a failed run"])
def test_what_sabesp_prints_of_its_environment_is_blanked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Neither the lines that are told, nor the file, nor the error has a secret that was handed over."""
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_invented/0123+456")
    adapter = dataclasses.replace(
        itaipu(tmp_path, f"print(dict(os.environ))\n{GOOD}\n{end}"), environment={"LOGCACHE_PII_KEY": KEY}
    )
    told: list[str] = []

    with nullcontext() if not end else pytest.raises(ItaipuError) as raised:
        assert run(adapter, told) == TRANSACTION

    shown = "\n".join([*told, *(log.read_text() for log in (tmp_path / "logs").iterdir()), str(raised)])
    assert "GITHUB_TOKEN" in shown
    assert KEY not in shown
    assert "ghp_invented" not in shown


def test_another_program_gets_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bank's sabesp has no use for them; what names where a secret lies may be handed on."""
    for name, value in {"METAPOD_TOKEN": "planted", "PII_KEY": "planted, too", "GITHUB_TOKEN": "ssm:/github"}.items():
        monkeypatch.setenv(f"LOGCACHE_{name}", value)
    script = "print(*(f'{name}={value}' for name, value in os.environ.items() if 'LOGCACHE_' in name), sep='\\n')"
    executable = itaipu(tmp_path, f"{script}\n{GOOD}").executable
    monkeypatch.setenv("LOGCACHE_SABESP", str(executable))
    monkeypatch.setenv("LOGCACHE_HOME", str(tmp_path))
    told: list[str] = []

    run(sabesp_itaipu(load_settings()), told)

    given = dict(line.split("=", 1) for line in told if line.startswith("LOGCACHE_"))
    assert "LOGCACHE_GITHUB_TOKEN" in given
    assert not {"LOGCACHE_METAPOD_TOKEN", "LOGCACHE_PII_KEY"} & given.keys()


@pytest.mark.parametrize("reset", ["\\x1b[0m", "\\x1b(B\\x1b[m", "\\x1b[m\\x0f"], ids=["ANSI", "xterm", "linux"])
def test_a_coloured_run_means_the_same(tmp_path: Path, reset: str) -> None:
    """Colours end behind the last word of a line, as `tput sgr0` ends them on different terminals."""
    coloured = f"for line in {SAMPLE!r}: print(*('\\x1b[32m' + word + '{reset}' for word in line.split(' ')))"

    assert run(itaipu(tmp_path, coloured)) == TRANSACTION


def test_a_message_stays_short(tmp_path: Path) -> None:
    """Long lines, names and lists of failures are cut; the file has them."""
    long = "print('task ' + 'x' * 99_999 + ' id: i-0 finished with total_time: 0:10:00 status: FAILED')"

    with pytest.raises(ItaipuError) as raised:
        run(itaipu(tmp_path, f"for n in range(50): print('task', n, end=' '); {long}\nprint('y' * 5_000_000)"))

    assert len(str(raised.value)) < 6000
    (log,) = (tmp_path / "logs").iterdir()
    assert log.stat().st_size > 9_000_000


def test_a_missing_executable_is_an_error(tmp_path: Path) -> None:
    """It says what to install or to set."""
    adapter = itaipu(tmp_path, GOOD)
    adapter.executable.unlink()

    with pytest.raises(ItaipuError, match="LOGCACHE_SABESP"):
        run(adapter)


@pytest.mark.parametrize(("timeout", "idle"), [(0.8, 60.0), (60.0, 0.8)], ids=["total", "idle"])
def test_a_run_that_takes_too_long_is_ended(tmp_path: Path, timeout: float, idle: float) -> None:
    """The error warns that the cluster may still run."""
    adapter = itaipu(tmp_path, "print(os.getpid())\ntime.sleep(60)", timeout_seconds=timeout, idle_timeout_seconds=idle)

    with pytest.raises(ItaipuError, match="cluster may still run"):
        run(adapter)

    (log,) = (tmp_path / "logs").iterdir()
    assert not is_running(int(log.read_text()))


def test_a_cancelled_run_leaves_no_process(tmp_path: Path) -> None:
    """The interrupt is raised again, and sabesp has ended."""
    pids: list[int] = []
    adapter = itaipu(tmp_path, "print(os.getpid())\ntime.sleep(60)")

    def tell(line: str) -> None:
        if line.isdigit():
            pids.append(int(line))
            interrupt()

    with interruptible() as interrupt, pytest.raises(KeyboardInterrupt):
        adapter.test_run(version="33a485bc", dataset_prefix="contract-", token=RUN, tell=tell, named=silent)

    assert not is_running(pids[0])


def test_a_listener_that_fails_ends_the_run(tmp_path: Path) -> None:
    """If the callback raises, sabesp is ended."""
    pids: list[int] = []

    def tell(line: str) -> None:
        if line.isdigit():
            pids.append(int(line))
            raise OSError("the terminal is gone")

    with pytest.raises(OSError, match="the terminal is gone"):
        itaipu(tmp_path, "print(os.getpid())\ntime.sleep(60)").test_run(
            version="33a485bc", dataset_prefix="contract-", token=RUN, tell=tell, named=silent
        )

    assert not is_running(pids[0])


def test_the_transaction_is_named_before_its_line_is_told(tmp_path: Path) -> None:
    """Whoever is killed after it has told a line has written down the transaction that the line names."""
    order: list[str] = []
    adapter = itaipu(tmp_path, GOOD)

    adapter.test_run(version="33a485bc", dataset_prefix="contract-", token=RUN, tell=order.append, named=order.append)

    line = next(line for line in order if f"--transaction {TRANSACTION}" in line)
    assert order.index(TRANSACTION) < order.index(line)


@pytest.mark.parametrize(
    ("script", "computes_here", "found"),
    [
        pytest.param(GOOD, True, EarlierTestRun(transaction=TRANSACTION, is_running=False, failures=()), id="here"),
        pytest.param(
            GOOD, False, EarlierTestRun(transaction=TRANSACTION, is_running=None, failures=()), id="a cluster"
        ),
        pytest.param(
            f"{GOOD}\nprint('task itaipu id: i-0 finished with total_time: 0:10:00 status: FAILED')",
            True,
            EarlierTestRun(
                transaction=TRANSACTION, is_running=False, failures=("task itaipu (i-0) ended with status FAILED",)
            ),
            id="failed",
        ),
        pytest.param("pass", True, EarlierTestRun(transaction=None, is_running=False, failures=()), id="unnamed"),
    ],
)
def test_an_ended_run_is_found_by_its_token(
    tmp_path: Path, script: str, found: EarlierTestRun, *, computes_here: bool
) -> None:
    """Its transaction and failures come from its output; that a cluster ended with sabesp is not known."""
    adapter = dataclasses.replace(itaipu(tmp_path, script), computes_here=computes_here)
    with suppress(ItaipuError):
        run(adapter)

    assert adapter.find_run(RUN, version="33a485bc") == found
    assert adapter.find_run(OTHER_RUN, version="33a485bc") is None


def test_a_run_that_outlives_its_refresh_is_found_running(tmp_path: Path) -> None:
    """A run whose caller was killed keeps its output open, so another process sees that it goes on."""
    go_on = tmp_path / "go-on"
    adapter = itaipu(tmp_path, f"{GOOD}\nwhile not os.path.exists({str(go_on)!r}): time.sleep(0.01)")
    caller = subprocess.Popen([sys.executable, "-c", CALLER.format(adapter=adapter)], stdout=subprocess.PIPE)
    assert caller.stdout is not None
    assert caller.stdout.readline().strip() == TRANSACTION.encode()
    caller.kill()
    caller.communicate()

    running = adapter.find_run(RUN, version="33a485bc")
    go_on.touch()
    while (ended := adapter.find_run(RUN, version="33a485bc")) and ended.is_running:
        time.sleep(0.01)

    assert running == EarlierTestRun(transaction=TRANSACTION, is_running=True, failures=())
    assert ended == EarlierTestRun(transaction=TRANSACTION, is_running=None, failures=())


CALLER = """
from pathlib import Path, PosixPath
from logcache_assets.adapters.sabesp import SabespItaipu
from logcache_assets.domain.stop_commands import StopCommand
{adapter!r}.test_run(version="33a485bc", dataset_prefix="contract-", token="33a485bc-001",
                     tell=lambda line: None, named=lambda name: print(name, flush=True))
"""
"""A process that begins a run."""
