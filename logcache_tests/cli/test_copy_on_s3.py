"""`logcache copy` on S3, as a process: killed at any moment it goes on; what went wrong is told in one line."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from logcache_tests.adapters.aws.s3_scene import OBJECTS, Scene, content_of, filled_scene
from logcache_tests.servers.fault_proxy.faults import NO_FAULTS, Faults
from logcache_tests.servers.fault_proxy.proxy import FaultProxy

pytestmark = pytest.mark.servers

WHOLE = {f"{number:03}": content_of(number) for number in range(OBJECTS)}
LONGEST_SECONDS = 120.0
Copy = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def scene(s3_proxy: FaultProxy) -> Scene:
    """Objects of a kilobyte."""
    return filled_scene(s3_proxy)


@pytest.fixture
def copy(scene: Scene, tmp_path: Path) -> Copy:
    """Starts a copy of source/f to target/f; no local world is there."""
    environment = {
        **os.environ,
        "LOGCACHE_HOME": str(tmp_path / "home"),
        "LOGCACHE_STORE": "s3",
        "LOGCACHE_CLOCK": "system",
        "LOGCACHE_S3_ENDPOINT": scene.proxy.server.endpoint_url,
        "LOGCACHE_COPIES_AT_ONCE": "16",
    }

    def start(*options: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [Path(sys.executable).parent / "logcache", "copy", "s3://source/f", "s3://target/f", *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


def test_a_copy_that_was_killed_goes_on(scene: Scene, copy: Copy) -> None:
    """Nothing is lost, nothing is copied twice, and the second call says what was there already."""
    with scene.proxy.injecting(Faults(latency_seconds=0.2)):
        process = copy()
        deadline = time.monotonic() + LONGEST_SECONDS
        while scene.proxy.operations["CopyObject"] < OBJECTS // 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    there = len(scene.target())

    with scene.proxy.injecting(NO_FAULTS):
        process = copy()
        told, _ = process.communicate(timeout=LONGEST_SECONDS)
        asked = scene.proxy.operations["CopyObject"]

    assert process.returncode == 0, told
    assert 0 < there < OBJECTS
    assert asked <= OBJECTS - there
    assert f"copied {asked} of {OBJECTS} objects" in told
    assert scene.target() == WHOLE


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        pytest.param(Faults(expire_after=100), "the AWS credentials expired", id="credentials expire"),
        pytest.param(Faults(vanished=0.02), "vanished from the source", id="sources vanish"),
    ],
)
def test_what_was_not_copied_is_told(scene: Scene, copy: Copy, faults: Faults, says: str) -> None:
    """One line with the cause and the remedy, exit 1, and every object that was not copied is named in a file."""
    with scene.proxy.injecting(faults):
        process = copy("--manifest", "s3://target/manifest.jsonl")
        told, error = process.communicate(timeout=LONGEST_SECONDS)

    there = scene.target()
    assert process.returncode == 1
    assert says in error.splitlines()[-1]
    assert "Traceback" not in told + error
    assert "manifest.jsonl" not in there
    (named,) = [Path(line.rpartition(" ")[2]) for line in (told + error).splitlines() if "is named in" in line]
    assert {line.split("\t")[0] for line in named.read_text().splitlines()} == set(WHOLE) - set(there)
