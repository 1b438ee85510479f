"""The code location as Dagster loads it, with the resources that the environment describes."""

import os
import subprocess
import sys
from pathlib import Path

from logcache_assets.local_platform.world import World
from logcache_assets.settings import child_environment

CHECKOUT = Path(__file__).parent.parent
"""Its pyproject.toml tells `dg` which module to load."""


def test_a_launched_job_refreshes_the_world(feed_world: World) -> None:
    """`dg launch` loads the definitions, runs every step, and ends with a pull request."""
    program = Path(sys.executable).parent / "dg"
    environment = (
        dict(os.environ) | child_environment(feed_world.settings) | {"DAGSTER_HOME": str(feed_world.dagster_home)}
    )

    done = subprocess.run(
        [program, "launch", "--job", "refresh_log_cache"],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert [request.state for request in feed_world.repository.open_pull_requests()] == ["open"]
