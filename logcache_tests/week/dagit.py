"""Dagit and its daemon on a local world, as processes of their own, and what a user does and sees there."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logcache_assets.adapters.processes import end_group
from logcache_assets.local_platform import world_history
from logcache_assets.local_platform.world import World
from logcache_assets.settings import child_environment
from logcache_tests.servers.server import LOOPBACK, free_port

READY_SECONDS = 180.0
GRACE_SECONDS = 30.0
LOCATION = "week"
PROJECT = Path(__file__).parents[2]
WORKSPACE = f"""load_from:
  - python_module:
      module_name: logcache_tests.week.code_location
      location_name: {LOCATION}
      working_directory: {json.dumps(str(PROJECT))}
"""
DAGSTER_YAML = (
    world_history.DAGSTER_YAML.replace("num_workers: 4", "num_workers: 8")
    .replace("poll_interval_seconds: 30", "poll_interval_seconds: 3")
    .replace("class: RefreshRunCoordinator", "class: RefreshRunCoordinator, config: {dequeue_interval_seconds: 1}")
)
"""As the local world's, but what takes time looks more often."""
PATIENT = {"DAGSTER_GRPC_TIMEOUT_SECONDS": "600", "DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": "600"}
"""On a busy machine a process takes long to answer, which is none of the week's accidents."""
LOADED = "query { workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"
SENSORS = """query($of: RepositorySelector!) { sensorsOrError(repositorySelector: $of) {
  ... on Sensors { results { name } } } }"""
START = """mutation($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) {
  __typename ... on PythonError { message } } }"""
TICKS = """query($of: RepositorySelector!, $limit: Int!) { sensorsOrError(repositorySelector: $of) {
  ... on Sensors { results { name sensorState { ticks(limit: $limit) {
    status timestamp endTimestamp skipReason runIds error { message } } } } } } }"""
RUNS = """query { runsOrError { ... on Runs { results {
  runId jobName status startTime endTime tags { key value } } } } }"""
REPOSITORY = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
TICKS_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One evaluation of a sensor."""

    sensor: str
    status: str
    began_at: float
    """Seconds since 1970."""
    has_ended: bool
    asked_for_runs: bool
    said: str
    """Why it did nothing, or how it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run."""

    id: str
    job: str
    status: str
    tags: Mapping[str, str]

    @property
    def has_ended(self) -> bool:
        """Nothing more happens to it."""
        return self.status in {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dagit:
    """Dagit on this computer."""

    port: int

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The data of an answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{self.port}/graphql", data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310 - as above
            answer: dict[str, Any] = json.loads(response.read())
        assert "errors" not in answer, answer["errors"]
        return dict(answer["data"])

    @property
    def is_ready(self) -> bool:
        """It answers, and the code location is loaded."""
        with suppress(OSError):
            entries = self.ask(LOADED)["workspaceOrError"]["locationEntries"]
            return [entry["loadStatus"] for entry in entries] == ["LOADED"] and bool(self.sensors())
        return False

    def sensors(self) -> list[str]:
        """The names of all sensors."""
        return [found["name"] for found in self.ask(SENSORS, of=REPOSITORY)["sensorsOrError"].get("results", [])]

    def start_sensors(self) -> None:
        """Switch all sensors on, as one does on their pages."""
        for name in self.sensors():
            answer = self.ask(START, sensor={**REPOSITORY, "sensorName": name})["startSensor"]
            assert answer["__typename"] == "Sensor", answer

    def ticks(self, limit: int = TICKS_SHOWN) -> list[Tick]:
        """The newest ticks of each sensor."""
        sensors = self.ask(TICKS, of=REPOSITORY, limit=limit)["sensorsOrError"]["results"]
        return [_tick(sensor["name"], tick) for sensor in sensors for tick in sensor["sensorState"]["ticks"]]

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        return [
            Run(
                id=run["runId"],
                job=run["jobName"],
                status=run["status"],
                tags={tag["key"]: tag["value"] for tag in run["tags"]},
            )
            for run in self.ask(RUNS)["runsOrError"]["results"]
        ]


def _tick(sensor: str, tick: Mapping[str, Any]) -> Tick:
    return Tick(
        sensor=sensor,
        status=tick["status"],
        began_at=tick["timestamp"],
        has_ended=tick["status"] != "STARTED",
        asked_for_runs=bool(tick["runIds"]),
        said=tick["skipReason"] or (tick["error"] or {}).get("message") or "",
    )


@contextmanager
def serving(world: World, log: Path) -> Iterator[Dagit]:
    """Run web server, daemon and code server for the duration of the block, with the world's settings."""
    (world.dagster_home / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    workspace = world.dagster_home / "workspace.yaml"
    workspace.write_text(WORKSPACE, encoding="utf-8")
    dagit = Dagit(port=free_port())
    own = {
        "DAGSTER_HOME": str(world.dagster_home),
        "PYTHONPATH": str(PROJECT),
        "PYTHONSAFEPATH": "1",
        "PYTHONFAULTHANDLER": "1",
        **PATIENT,
    }
    program = str(Path(sys.executable).parent / "dg")
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [program, "dev", "-w", str(workspace), "--host", LOOPBACK, "--port", str(dagit.port)],
            env=dict(os.environ) | child_environment(world.settings) | own,
            cwd=world.home,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await(dagit, process, log)
        yield dagit
    finally:
        end_group(process.pid, grace_seconds=GRACE_SECONDS, reap=process.poll)
        process.wait()


def _await(dagit: Dagit, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not dagit.is_ready:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-3000:]
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")[-3000:]
        time.sleep(0.3)
