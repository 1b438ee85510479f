"""A night becomes the active cache in a whole deployment: the sensor, the pull request, the merge, the next night."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.engine.drivers.spark import LOCAL_SETTINGS
from logcache_tests.servers.databricks import submitted
from logcache_tests.servers.deployment.deployed import Deployment, deployed
from logcache_tests.servers.deployment.proxy import Proxy
from logcache_tests.servers.deployment.waiting import LONG, is_loaded, until
from logcache_tests.servers.fixtures import or_skipped
from logcache_tests.servers.postgres import postgres
from logcache_tests.servers.production.kept import Arguments, everything_kept, find_secrets
from logcache_tests.servers.production.scene import Production, production
from logcache_tests.servers.server import Server
from logcache_tests.worlds import write_feed_data

pytestmark = pytest.mark.servers

COMPARED_THERE = {"validation_driver": "databricks", "databricks_pii_key": "{{secrets/logcache/pii-key}}"}
"""Nothing big is left to this computer."""
SENSOR = "new_nightly_transaction"
START = """mutation($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) {
  __typename ... on Sensor { sensorState { status } } ... on PythonError { message } } }"""
TICKS = """query($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) {
  ... on Sensor { sensorState { ticks(limit: 5) { status skipReason error { message } runIds } } } } }"""
RUNS = "query { runsOrError { ... on Runs { results { runId status } } } }"
LOCATION = {"repositoryLocationName": "logcache_assets", "repositoryName": "__repository__"}


@pytest.fixture
def scene(versitygw_server: Server, dynamodb_server: Server, tmp_path: Path) -> Iterator[Production]:
    """A night of feed that nobody has refreshed yet."""
    folder = tmp_path / "scene"
    folder.mkdir()
    bank = production(
        folder,
        s3=versitygw_server,
        dynamodb=dynamodb_server,
        write_data=write_feed_data,
        spark=LOCAL_SETTINGS,
        more=COMPARED_THERE,
    )
    with bank as found:
        yield found


@pytest.fixture
def deployment(scene: Production, tmp_path: Path) -> Iterator[Deployment]:
    """The deployment of that scene."""
    folder = tmp_path / "machine"
    folder.mkdir()
    with or_skipped(postgres()) as database:
        environment = {**database, "AWS_ENDPOINT_URL_S3": scene.s3.endpoint_url, **scene.environment}
        with or_skipped(deployed(folder, environment, home=scene.world.home)) as running:
            until(lambda: is_loaded(running.proxy))
            yield running


def sensor_started(proxy: Proxy) -> None:
    """Switch the sensor on, as one does on its page."""
    answer = proxy.graphql(START, {"sensor": {**LOCATION, "sensorName": SENSOR}})["startSensor"]
    assert answer["__typename"] == "Sensor", answer


def ticks_of(proxy: Proxy) -> list[dict[str, Any]]:
    """The newest ticks of the sensor, for the message of a failure."""
    found = proxy.graphql(TICKS, {"sensor": {**LOCATION, "sensorName": SENSOR}})["sensorOrError"]
    ticks: list[dict[str, Any]] = found["sensorState"]["ticks"]
    return ticks


def states_of_runs(proxy: Proxy) -> set[str]:
    """The states of all runs."""
    return {run["status"] for run in proxy.graphql(RUNS)["runsOrError"]["results"]}


def runs_on_databricks(scene: Production) -> list[str]:
    """What each run was asked for, in order."""
    tasks = [asked["tasks"][0]["notebook_task"] for asked in submitted(scene.databricks)]
    return [name for task in tasks for name in task["base_parameters"]]


def command(scene: Production, *words: str) -> dict[str, Any]:
    """What a command of the deployment says as JSON."""
    program = [str(Path(sys.executable).parent / "logcache"), *words, "--json"]
    done = subprocess.run(program, env={**os.environ, **scene.environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def remove_cached_segments(scene: Production, entries: dict[str, Any]) -> int:
    """Remove the files of all segments that the active caches hold; returns how many."""
    s3, removed = scene.s3.client("s3"), 0
    for prototype, databases in entries.items():
        for database, entry in databases.items():
            instance = Instance(database=database, prototype=prototype)
            for segment in scene.world.segment_index.segments(instance):
                if segment.last_t <= entry["last_t"]:
                    bucket, _, key = segment.path.removeprefix("s3://").partition("/")
                    s3.delete_object(Bucket=bucket, Key=key)
                    removed += 1
    return removed


def test_a_night_becomes_the_active_cache(scene: Production, deployment: Deployment) -> None:
    """Nobody but the reviewer does anything; then a night reads the new cache, as its segments are gone.

    No secret is kept anywhere on the way, nor is one an argument of a process.
    """
    proxy, repository = deployment.proxy, scene.world.repository
    before, arguments = repository.read(MAP_PATH, ref="main"), Arguments(scene.world.home)

    sensor_started(proxy)
    until(lambda: arguments.look() and scene.github.board.requests, seconds=2 * LONG, told=lambda: ticks_of(proxy))
    until(lambda: states_of_runs(proxy) == {"SUCCESS"}, told=lambda: states_of_runs(proxy))
    kept = {**dict(everything_kept(scene, deployment)), "arguments": "\n".join(arguments.seen).encode()}
    assert find_secrets(kept, scene, deployment) == []
    (number,) = scene.github.board.requests
    scene.github.merge(number)
    after = repository.read(MAP_PATH, ref="main")
    command(scene, "local", "day")
    removed = remove_cached_segments(scene, json.loads(after))
    night = command(scene, "local", "night")
    datasets = command(scene, "datasets", night["transaction"])

    assert before != after
    assert runs_on_databricks(scene) == ["request", "comparison"]
    assert removed > 100
    assert {dataset["state"] for dataset in datasets["datasets"]} == {"committed"}
