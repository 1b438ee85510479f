"""The local platform's sabesp: the bank's grammar and log lines, and a run that is not left half open."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from logcache_assets.domain.transactions import DatasetState, Transaction, TransactionType
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
