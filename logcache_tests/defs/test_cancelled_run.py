"""A real run of Dagster whose test run is cancelled or killed: what it began on the platform is ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from logcache_assets.domain.transactions import DatasetState, Transaction, TransactionType
from logcache_assets.local_platform.timeline import EARLIEST
from logcache_assets.local_platform.world import World
from logcache_assets.settings import child_environment
from logcache_tests.adapters.test_processes import eventually
from logcache_tests.worlds import settings_at

SABESP = f"""#!{sys.executable}
import os, sys
from pathlib import Path
from logcache_assets.local_platform import sabesp_executable, itaipu_run

def wait(self, output):
    print("about to commit", flush=True)
    Path(os.environ["LOGCACHE_HOME"], "waiting").write_text(str(os.getpid()))
    import time
    while Path(os.environ["LOGCACHE_HOME"], "waits").exists():
        time.sleep(0.02)
    commit(self, output)

commit = itaipu_run.ItaipuRun._commit
itaipu_run.ItaipuRun._commit = wait
sys.exit(sabesp_executable.main())
"""
"""The local platform's sabesp; it commits nothing while there is a file `waits`."""


@pytest.fixture
def slow_world(feed_world: World) -> World:
    """A world whose test runs wait before they commit."""
    executable = feed_world.home / "slow-sabesp"
    executable.write_text(SABESP, encoding="utf-8")
    executable.chmod(0o755)
    (feed_world.home / "waits").touch()
    stop = f"{Path(sys.executable).parent / 'sabesp'} --aurora-stack={{aurora_stack}} jobs stop staging {{run_name}}"
    return World(settings_at(feed_world.home, sabesp=str(executable), sabesp_stop=stop))


def refreshing(world: World) -> subprocess.Popen[str]:
    """A refresh whose test run is about to commit."""
    process = subprocess.Popen(
        [Path(sys.executable).parent / "logcache", "refresh"],
        env={**os.environ, **child_environment(world.settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert eventually(lambda: (world.home / "waiting").exists() or process.poll() is not None, seconds=120)
    assert process.poll() is None
    return process


def custom_runs(world: World) -> tuple[Transaction, ...]:
    """The test runs in metapod, newest first."""
    return world.metapod.transactions(TransactionType.CUSTOM, since=EARLIEST)


def test_a_cancelled_run_ends_its_cluster(slow_world: World) -> None:
    """Its process, and by the stop command what is left of it on the platform."""
    with refreshing(slow_world) as process:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)

    (stopped,) = (slow_world.home / "sabesp_logs").glob("*.stop-1.log")
    (cancelled,) = custom_runs(slow_world)
    assert process.returncode != 0
    assert "Scaling down the cluster of logcache to 0 nodes" in stopped.read_text(encoding="utf-8")
    assert {found.state for found in cancelled.datasets.values()} == {DatasetState.ABORTED}
    assert "Traceback" not in said


def test_the_next_refresh_ends_the_cluster_of_one_that_was_killed(slow_world: World) -> None:
    """Refresh and sabesp were killed at once; what they left is ended before another run begins."""
    with refreshing(slow_world) as process:
        os.kill(int((slow_world.home / "waiting").read_text()), signal.SIGKILL)
        process.kill()
        process.communicate()
    (left,) = custom_runs(slow_world)
    assert {found.state for found in left.datasets.values()} == {DatasetState.UNCOMMITTED}
    (slow_world.home / "waits").unlink()

    again = subprocess.run(
        [Path(sys.executable).parent / "logcache", "refresh", "--again"],
        env={**os.environ, **child_environment(slow_world.settings)},
        capture_output=True,
        text=True,
        check=False,
    )

    fresh, dead = custom_runs(slow_world)
    assert again.returncode == 0, again.stdout + again.stderr
    assert {found.state for found in dead.datasets.values()} == {DatasetState.ABORTED}
    assert {found.state for found in fresh.datasets.values()} == {DatasetState.COMMITTED}
    assert len(list((slow_world.home / "sabesp_logs").glob("*.stop-1.log"))) == 1
