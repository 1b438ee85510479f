"""A deployment that has nothing of the local world: an empty home, this computer's date, and addresses."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logcache_assets.domain.log_cache_map import MAP_PATH, instances_of, parse_map
from logcache_assets.settings import child_environment
from logcache_tests.servers.production.scene import Production, production
from logcache_tests.servers.server import Server
from logcache_tests.worlds import write_feed_data

pytestmark = pytest.mark.servers

BIN = Path(sys.executable).parent
LAST_T = {"feed-s0": 4836, "feed-s1": 4770}
"""What Datomic had when the night began."""
OWN = {
    "LOGCACHE_PLATFORM": "production",
    "LOGCACHE_LOOKBACK_DAYS": "3650",  # the night is of 2018
    "LOGCACHE_PUBLISH_FROM_HOUR": "0",
    "LOGCACHE_PUBLISH_UNTIL_HOUR": "24",
}
OF_THE_WORLD = ("LOGCACHE_HOME", "LOGCACHE_CATALOG", "LOGCACHE_CLOCK", "LOGCACHE_SABESP", *OWN)

OF_A_WORLD = {"clock", "buckets", "metapod.sqlite", "itaipu.git", "pii_key", "segment_index.sqlite"}
"""What only a local world has in its home."""


@pytest.fixture
def scene(versitygw_server: Server, dynamodb_server: Server, tmp_path: Path) -> Iterator[Production]:
    """The bank: a night of feed that nobody has refreshed yet."""
    folder = tmp_path / "scene"
    folder.mkdir()
    with production(folder, s3=versitygw_server, dynamodb=dynamodb_server, write_data=write_feed_data) as found:
        yield found


def bank_sabesp(scene: Production, file: Path) -> Path:
    """A sabesp that works in the bank's world, today, whatever its caller's settings are."""
    home, variables = scene.world.home, child_environment(scene.world.settings)
    exports = "\n".join(f"export {name}='{value}'" for name, value in variables.items())
    today = '"$(date -u +%Y-%m-%dT%H:%M:%S.000Z)"'
    unset = "unset $(env | sed -n 's/^\\(LOGCACHE_[A-Z_]*\\)=.*/\\1/p')"
    file.write_text(f'#!/bin/sh\n{unset}\n{exports}\necho {today} > {home}/clock\nexec {BIN}/sabesp "$@"\n')
    file.chmod(0o755)
    return file


@pytest.fixture
def variables(scene: Production, tmp_path: Path) -> dict[str, str]:
    """The environment of the deployment."""
    home = tmp_path / "deployment"
    (home / "dagster").mkdir(parents=True)
    (home / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    given = {name: value for name, value in scene.environment.items() if name not in OF_THE_WORLD}
    sabesp = bank_sabesp(scene, tmp_path / "sabesp")
    places = {"LOGCACHE_HOME": str(home), "DAGSTER_HOME": str(home / "dagster"), "LOGCACHE_SABESP": str(sabesp)}
    return {**given, **OWN, **places}


def said(variables: dict[str, str], *words: str, code: int = 0) -> dict[str, Any]:
    """What a command says as JSON."""
    command = [str(BIN / "logcache"), *words, "--json"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == code, (done.stdout, done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_an_empty_home_is_enough(scene: Production, variables: dict[str, str], tmp_path: Path) -> None:
    """The doctor finds what is there, the catalog comes from GitHub, and a refresh ends with a pull request."""
    said(variables, "catalog", "pull")
    examined = said(variables, "doctor", "--write", code=1)
    refreshed = said(variables, "refresh")

    failed = {(probe["system"], probe["check"]) for probe in examined["probes"] if probe["mark"] == "failed"}
    assert failed == {
        # versitygw has no lifecycle rules, and the bank's newest segments are of 2018.
        ("bucket nu-spark-metapod-ephemeral-1", "lifecycle"),
        # No daemon runs here.
        ("alerts", "heartbeat"),
        ("segment index", "newest item"),
    }
    assert refreshed["approved"] is True
    (request,) = scene.github.board.requests.values()
    entries = parse_map(scene.world.repository.read(MAP_PATH, ref=request.branch), where="map")
    assert {instance.name: entry.last_t for instance, entry in instances_of(entries)} == LAST_T
    assert not [path for path in (tmp_path / "deployment").iterdir() if path.name in OF_A_WORLD]
