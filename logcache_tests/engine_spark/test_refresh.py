"""The stage that judges contracts, with its work done by Spark: that the figures are the same is test_days.py."""

import os
import subprocess
import sys

import pytest

from logcache_assets.local_platform.world import World
from logcache_assets.settings import child_environment

JUDGE = """\
from logcache_assets.local_platform.world import World
from logcache_assets.settings import load_settings
from logcache_tests.worlds import materialize, refusal_of

result = materialize(World(load_settings()), "contract_inventory")
print(refusal_of(result) or "judged")
"""
"""In a process of its own, because a session of Spark ends with the stage."""


def judge(world: World, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the stage with Spark for a driver."""
    own = {**os.environ, **child_environment(world.settings), "LOGCACHE_VALIDATION_DRIVER": "spark", **variables}
    return subprocess.run([sys.executable, "-c", JUDGE], capture_output=True, text=True, check=False, env=own)


@pytest.mark.usefixtures("session")
def test_without_java_the_stage_is_refused(refreshed_feed_world: World) -> None:
    """It is Spark that is asked, and nothing else is tried in its place."""
    done = judge(refreshed_feed_world, JAVA_HOME="/nowhere")

    assert "Spark did not start with the Java at /nowhere" in done.stdout
