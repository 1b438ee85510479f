"""The local platform's sabesp: the bank's grammar and log lines, and a run that is not left half open."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from logcache_assets.domain.transactions import DatasetState, Transaction, TransactionType
from logcache_assets.local_platform.sabesp_executable import build_parser
from logcache_assets.local_platform.timeline import EARLIEST
from logcache_assets.local_platform.world import World
from logcache_assets.settings import child_environment

SABESP = Path(sys.executable).parent / "sabesp"


def start(world: World, *changes: tuple[str, str]) -> subprocess.Popen[str]:
    """The runbook's command, with words replaced."""
    line = (
        "--aurora-stack=cantareira-dev jobs itaipu staging midea s3a://nu-spark-metapod-ephemeral-1/ "
        "s3a://nu-spark-metapod-ephemeral-1/ 192 --itaipu=main --filter-by-prefix contract-feed/"
    )
    for old, new in changes:
        line = line.replace(old, new)
    return subprocess.Popen(
        [SABESP, *line.split()],
        env=dict(os.environ) | child_environment(world.settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def stop(world: World, name: str = "midea") -> subprocess.CompletedProcess[str]:
    """The command that ends a job."""
    return subprocess.run(
        [SABESP, "--aurora-stack=cantareira-dev", "jobs", "stop", "staging", name],
        env=dict(os.environ) | child_environment(world.settings),
        capture_output=True,
        text=True,
        check=False,
    )


def begun(world: World) -> subprocess.Popen[str]:
    """A run that has committed its first dataset, of many."""
    process = start(world, ("contract-feed/", "contract-"))
    assert process.stdout is not None
    next(line for line in process.stdout if "committed dataset" in line)
    return process


def newest_run(world: World) -> Transaction:
    """The newest test run in metapod."""
    return world.metapod.transactions(TransactionType.CUSTOM, since=EARLIEST)[0]


def test_it_prints_what_the_real_one_prints(world: World) -> None:
    """Line by line in the runbook's form, with the world's time and the transaction that it opened."""
    with start(world) as process:
        output, _ = process.communicate()

    lines = output.splitlines()
    transaction = newest_run(world).id
    assert process.returncode == 0
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ", line) for line in lines)
    assert lines[0].endswith("Scaling up the cluster 192 m4.2xlarge nodes")
    assert "checking job aurora/jobs/staging/scale-ec2-itaipu-midea status." in lines[1]
    assert re.search(
        r"task scale-ec2-itaipu-midea id: \S+ finished with total_time: 0:00:10 status: FINISHED", lines[2]
    )
    assert lines[3].endswith(
        "Running Itaipu with the following args: s3a://nu-spark-metapod-ephemeral-1/ "
        f"s3a://nu-spark-metapod-ephemeral-1/ --transaction {transaction} --version main "
        "--filter-by-prefix contract-feed/ --skip-placeholder-ops"
    )


def test_only_datasets_with_the_prefix_are_computed(world: World) -> None:
    """And all of them are committed."""
    with start(world) as process:
        process.communicate()

    datasets = newest_run(world).datasets
    assert len(datasets) == 10
    assert {name.partition("/")[0] for name in datasets} == {"contract-feed"}
    assert {dataset.state for dataset in datasets.values()} == {DatasetState.COMMITTED}


@pytest.mark.parametrize(
    ("change", "exit_code", "said"),
    [
        pytest.param(("--itaipu=main", "--itaipu=deadbeef"), 1, "deadbeef", id="unknown version"),
        pytest.param(("192", "many"), 2, "invalid int value: 'many'", id="machines are no number"),
        pytest.param(("staging", "production"), 2, "invalid choice: 'production'", id="another environment"),
        pytest.param(("ephemeral-1/ 192", "ephemeral-1 192"), 1, "end with a slash", id="bucket without slash"),
    ],
)
def test_wrong_usage_is_refused(world: World, change: tuple[str, str], exit_code: int, said: str) -> None:
    """With the reason, before any transaction is opened."""
    before = len(world.metapod_store.find_transactions())

    with start(world, change) as process:
        output, _ = process.communicate()

    assert process.returncode == exit_code
    assert said in output
    assert len(world.metapod_store.find_transactions()) == before


def test_a_cancelled_run_leaves_nothing_open(world: World) -> None:
    """What was not committed is aborted, or the gate would wait for it for ever."""
    with start(world, ("contract-feed/", "contract-")) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "committed dataset" in line:
                process.send_signal(signal.SIGTERM)
                break
        process.communicate()

    states = {dataset.state for dataset in newest_run(world).datasets.values()}
    assert process.returncode == 128 + signal.SIGTERM
    assert states == {DatasetState.COMMITTED, DatasetState.ABORTED}


@pytest.mark.parametrize("is_killed", [False, True], ids=["it runs", "it was killed"])
def test_a_stopped_run_leaves_nothing(world: World, *, is_killed: bool) -> None:
    """Neither its process nor a dataset that is unfinished; what it had committed stays."""
    with begun(world) as process:
        if is_killed:
            process.kill()
            process.wait()
        ended = stop(world)
        process.communicate()

    states = {dataset.state for dataset in newest_run(world).datasets.values()}
    assert ended.returncode == 0, ended.stderr
    assert f"killed {'0 tasks' if is_killed else '1 task'} of itaipu-midea" in ended.stdout
    assert "Scaling down the cluster of midea to 0 nodes" in ended.stdout
    assert process.returncode == (-signal.SIGKILL if is_killed else 128 + signal.SIGTERM)
    assert states == {DatasetState.COMMITTED, DatasetState.ABORTED}
    assert list((world.files.aurora_jobs / "midea").iterdir()) == []


def test_a_run_of_another_name_is_not_stopped(world: World) -> None:
    """Nor is anything, where nothing runs."""
    with begun(world) as process:
        ended = stop(world, "others")
        assert process.poll() is None
        stop(world)
        process.communicate()

    assert ended.returncode == 0
    assert "killed 0 tasks of itaipu-others" in ended.stdout


@pytest.mark.parametrize("name", ["../else", "", ".", "a/b"])
def test_a_name_is_no_path(name: str) -> None:
    """It is refused as wrong usage."""
    with pytest.raises(SystemExit, match="2"):
        build_parser().parse_args(["--aurora-stack=x", "jobs", "stop", "staging", name])
