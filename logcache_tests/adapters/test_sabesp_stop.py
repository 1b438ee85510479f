"""What a run left on the platform is ended, whichever way the run ended; a failure to do so is told with the remedy."""

import dataclasses
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from logcache_assets.adapters.sabesp import SabespItaipu
from logcache_assets.domain.stop_commands import parse_stop_command
from logcache_assets.ports import ItaipuError, ItaipuUnavailable
from logcache_tests.adapters.test_processes import eventually, interruptible, is_running
from logcache_tests.adapters.test_sabesp import CALLER, GOOD, RUN, TRANSACTION, itaipu, run, silent
from logcache_tests.domain.test_sabesp_output import SAMPLE

BY_TRANSACTION = "{program} {{run_name}} {{transaction}}"
FOREVER = f"{GOOD}\nprint(os.getpid())\ntime.sleep(60)"
TASK = "jobs-staging-scale-ec2-itaipu-midea-0-13cabf01-5257-4cdb-ac50-36648c7a8158"


def stoppable(
    adapter: SabespItaipu,
    template: str = "{program} {{run_name}}",
    *,
    script: str = "",
    seconds: float = 60,
) -> SabespItaipu:
    """The adapter with a program that writes its arguments down and then runs a script."""
    folder = adapter.executable.parent
    program = folder / "stop"
    program.write_text(
        f"#!{sys.executable}\nimport os, sys, time\n"
        f"print(*sys.argv[1:], file=open({str(folder / 'stopped')!r}, 'a'))\n{script}\n"
    )
    program.chmod(0o755)
    command = parse_stop_command(template.format(program=program))
    return dataclasses.replace(adapter, stop_command=command, stop_seconds=seconds)


def stopped(folder: Path) -> list[str]:
    """The arguments with which the program was called."""
    return (folder / "stopped").read_text().splitlines() if (folder / "stopped").exists() else []


def test_a_run_that_ends_well_is_not_stopped(tmp_path: Path) -> None:
    """Its sabesp has scaled down by itself."""
    assert run(stoppable(itaipu(tmp_path, GOOD))) == TRANSACTION
    assert stopped(tmp_path) == []


def test_a_cancelled_run_is_stopped(tmp_path: Path) -> None:
    """After its process has ended; the interrupt goes on."""
    told: list[str] = []
    adapter = stoppable(itaipu(tmp_path, FOREVER))

    def tell(line: str) -> None:
        told.append(line)
        if line.isdigit():
            interrupt()

    with interruptible() as interrupt, pytest.raises(KeyboardInterrupt) as raised:
        adapter.test_run(version="33a485bc", dataset_prefix="contract-", token=RUN, tell=tell)

    assert stopped(tmp_path) == ["midea"]
    assert raised.value.__notes__ == ["Its cluster was stopped"]
    assert told[-1] == "Its cluster was stopped"
    assert not is_running(int(next(line for line in told if line.isdigit())))


@pytest.mark.parametrize(("timeout", "idle"), [(1.5, 60.0), (60.0, 1.5)], ids=["total", "idle"])
def test_a_run_that_takes_too_long_is_stopped(tmp_path: Path, timeout: float, idle: float) -> None:
    """Its error says so."""
    adapter = itaipu(tmp_path, f"{GOOD}\ntime.sleep(60)", timeout_seconds=timeout, idle_timeout_seconds=idle)

    with pytest.raises(ItaipuUnavailable, match=r"sabesp was ended: .*\. Its cluster was stopped\. Its output is in"):
        run(stoppable(adapter))

    assert stopped(tmp_path) == ["midea"]


def test_a_failed_run_is_stopped(tmp_path: Path) -> None:
    """By its name, with every task that its output names."""
    with pytest.raises(ItaipuError, match=r"exit code 3\. Its cluster was stopped\. Read"):
        run(stoppable(itaipu(tmp_path, f"{GOOD}\nsys.exit(3)"), "{program} {{run_name}} {{task_id}} {{version}}"))

    assert stopped(tmp_path) == [f"midea {TASK} 33a485bc"]


def test_a_listener_that_fails_keeps_no_cluster_running(tmp_path: Path) -> None:
    """Nobody is left to be told, and it is stopped all the same; the first error is raised."""

    def tell(_: str) -> None:
        raise OSError("the terminal is gone")

    with pytest.raises(OSError, match="the terminal is gone"):
        stoppable(itaipu(tmp_path, FOREVER), "{program} {{run_name}}").test_run(
            version="33a485bc", dataset_prefix="contract-", tell=tell
        )

    # The first line of all is told before sabesp starts.
    assert stopped(tmp_path) == []
    listening = iter([None, None, None])

    def tell_three(_: str) -> None:
        try:
            next(listening)
        except StopIteration:
            raise OSError("the terminal is gone") from None

    with pytest.raises(OSError, match="the terminal is gone"):
        stoppable(itaipu(tmp_path, FOREVER), "{program} {{run_name}}").test_run(
            version="33a485bc", dataset_prefix="contract-", tell=tell_three
        )
    assert stopped(tmp_path) == ["midea"]


@pytest.mark.parametrize(
    ("script", "seconds", "why"),
    [
        pytest.param(
            "sys.exit('no such job')", 60, "it ended with exit code 1 (its last lines: no such job)", id="exit"
        ),
        pytest.param("time.sleep(60)", 0.5, "it took longer than 0.5 seconds", id="silence"),
    ],
)
def test_a_stop_that_fails_is_told_with_what_to_do(tmp_path: Path, script: str, seconds: float, why: str) -> None:
    """In the log and in the error, which still begins with its first cause."""
    told: list[str] = []
    adapter = stoppable(itaipu(tmp_path, f"{GOOD}\nsys.exit(3)"), script=script, seconds=seconds)

    with pytest.raises(ItaipuError) as raised:
        run(adapter, told)

    by_hand = f"Run by hand: {tmp_path / 'stop'} midea"
    assert str(raised.value).startswith(
        "the Itaipu run at 33a485bc failed: sabesp ended with exit code 3. Its cluster may"
    )
    assert why in str(raised.value)
    assert by_hand in str(raised.value)
    assert any(
        line.startswith("WARNING: Its cluster may still run and cost money") and by_hand in line for line in told
    )


def test_a_stop_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Its program is missing, or its ids are."""
    adapter = stoppable(itaipu(tmp_path, "sys.exit(3)"), BY_TRANSACTION)
    with pytest.raises(ItaipuError, match=r"may still run: .* needs an id that is not known"):
        run(adapter)
    assert stopped(tmp_path) == []

    missing = dataclasses.replace(adapter, stop_command=parse_stop_command("/nowhere/stop {run_name}"))
    with pytest.raises(ItaipuError, match=r"it cannot be run \(.*\)\. Run by hand: /nowhere/stop midea"):
        run(missing)


def test_without_a_command_a_person_is_told_where_to_look(tmp_path: Path) -> None:
    """Every time: it is not stopped."""
    told: list[str] = []
    adapter = itaipu(tmp_path, f"{GOOD}\nsys.exit(3)")

    with pytest.raises(ItaipuError, match="because LOGCACHE_SABESP_STOP names no command"):
        run(adapter, told)

    with pytest.raises(ItaipuUnavailable, match=r"was not stopped\. .* because LOGCACHE_SABESP_STOP names no command"):
        adapter.stop_run(RUN, version="33a485bc", transaction=TRANSACTION, tell=told.append)
    assert sum("WARNING: Its cluster may still run: look for the ids in" in line for line in told) == 2


def test_what_a_stop_prints_is_kept_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the run's own output."""
    monkeypatch.setenv("AURORA_TOKEN", "an invented secret")
    told: list[str] = []

    with pytest.raises(ItaipuError):
        run(
            stoppable(itaipu(tmp_path, f"{GOOD}\nsys.exit(3)"), script="print('with', os.environ['AURORA_TOKEN'])"),
            told,
        )

    (kept,) = (tmp_path / "logs").glob("*.stop-1.log")
    assert kept.read_text() == "with ****\n"
    assert "with ****" in told
    assert not any("invented" in line for line in told)


def test_a_run_is_stopped_once(tmp_path: Path) -> None:
    """Whoever finds it later needs not do it again; one that was not stopped is tried again."""
    adapter = stoppable(itaipu(tmp_path, f"{GOOD}\nsys.exit(3)"))
    failing = stoppable(adapter, script="sys.exit(1)")
    with pytest.raises(ItaipuError):
        run(failing)
    with pytest.raises(ItaipuUnavailable, match=r"was not stopped\. Its cluster may still run and cost money"):
        failing.stop_run(RUN, version="33a485bc", transaction=TRANSACTION, tell=silent)
    assert len(stopped(tmp_path)) == 2

    sound = stoppable(adapter)
    for _ in range(2):
        sound.stop_run(RUN, version="33a485bc", transaction=TRANSACTION, tell=silent)

    assert len(stopped(tmp_path)) == 3


def test_a_transaction_that_may_be_anothers_ends_nothing(tmp_path: Path) -> None:
    """An output may name any; a caller who knows that it is this run's ends the run by it, later."""
    adapter = stoppable(itaipu(tmp_path, f"{GOOD}\nsys.exit(3)"), BY_TRANSACTION)

    with pytest.raises(ItaipuError, match="needs an id that is not known"):
        run(adapter)
    assert stopped(tmp_path) == []

    adapter.stop_run(RUN, version="33a485bc", transaction=TRANSACTION, tell=silent)
    assert stopped(tmp_path) == [f"midea {TRANSACTION}"]


def test_a_run_whose_refresh_was_killed_is_stopped(tmp_path: Path) -> None:
    """Its sabesp still runs here, and its cluster elsewhere."""
    adapter = stoppable(itaipu(tmp_path, FOREVER), BY_TRANSACTION)
    caller = subprocess.Popen([sys.executable, "-c", CALLER.format(adapter=adapter)], stdout=subprocess.PIPE)
    assert caller.stdout is not None
    assert caller.stdout.readline().strip() == TRANSACTION.encode()
    caller.send_signal(signal.SIGKILL)
    caller.communicate()
    log = tmp_path / "logs" / f"{RUN}.log"
    assert eventually(lambda: len(log.read_text().splitlines()) > len(SAMPLE))
    sabesp = int(log.read_text().splitlines()[-1])
    assert is_running(sabesp)
    assert stopped(tmp_path) == []

    adapter.stop_run(RUN, version="33a485bc", transaction=TRANSACTION, tell=silent)

    assert eventually(lambda: not is_running(sabesp))
    assert stopped(tmp_path) == [f"midea {TRANSACTION}"]


def test_a_run_that_nobody_here_knows_is_stopped_by_its_transaction(tmp_path: Path) -> None:
    """Another computer began it."""
    adapter = stoppable(itaipu(tmp_path, GOOD), BY_TRANSACTION)

    adapter.stop_run("another", version="33a485bc", transaction=TRANSACTION, tell=silent)

    assert stopped(tmp_path) == [f"midea {TRANSACTION}"]


def test_a_transaction_of_another_version_is_not_named(tmp_path: Path) -> None:
    """It is another run's: nobody may follow it as our own."""
    named: list[str] = []
    other = GOOD.replace("33a485bc", "deadbeef")

    with pytest.raises(ItaipuError, match="is of Itaipu version deadbeef"):
        run(itaipu(tmp_path, other), named=named.append)

    assert named == []


def test_more_arguments_stand_where_they_are_wanted(tmp_path: Path) -> None:
    """Before the job, and at the end."""
    adapter = dataclasses.replace(
        itaipu(tmp_path, GOOD), options=("--verbose",), job=("jobs", "itaipu", "prod"), arguments=("--team", "data")
    )

    command = adapter.command("33a485bc", "contract-")

    assert command[1:7] == ("--aurora-stack=cantareira-dev", "--verbose", "jobs", "itaipu", "prod", "midea")
    assert command[-4:] == ("--filter-by-prefix", "contract-", "--team", "data")
