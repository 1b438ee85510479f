"""The deployment of docs/operations.md, started as its files say, works: people, queue, runs, logs, restarts."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from logcache_assets.adapters.processes import is_written
from logcache_assets.defs.storage_probes import storage_probes
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_assets.settings import child_environment
from logcache_tests.conftest import silent
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.deployment.deployed import Deployment, deployed
from logcache_tests.servers.deployment.proxy import DAGIT, OPERATOR, PASSWORD, READ_ONLY, Proxy
from logcache_tests.servers.deployment.waiting import is_loaded, until
from logcache_tests.servers.fixtures import or_skipped
from logcache_tests.servers.postgres import PASSWORD as POSTGRES_PASSWORD
from logcache_tests.servers.postgres import postgres
from logcache_tests.servers.server import REGION, ROOT, Server
from logcache_tests.worlds import settings_at, write_feed_data

pytestmark = pytest.mark.servers

MOST_REFRESHES = 3
JOB = {"repositoryLocationName": "logcache_assets", "repositoryName": "__repository__", "jobName": "refresh_log_cache"}
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RUN = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status startTime endTime } } }"
TAGS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { tags { key value } } } }"
TERMINATE = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"
EVENTS = """query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
  __typename ... on MessageEvent { message stepKey }
  ... on ExecutionStepFailureEvent { failureMetadata { description } error { message } } } } } }"""


@pytest.fixture(scope="module")
def deployment(versitygw_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One deployment for all tests here, over a local world whose objects are on S3."""
    folder = tmp_path_factory.mktemp("deployed")
    empty_buckets(versitygw_server)
    write_feed_data(folder / "data")
    settings = settings_at(folder / "home", store="s3", s3_endpoint=versitygw_server.endpoint_url)
    build_world(World(settings), folder / "data", silent)
    (folder / "machine").mkdir()
    with or_skipped(postgres()) as database:
        environment = {
            **database,
            **ROOT.variables,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": versitygw_server.endpoint_url,  # for the logs of steps
            **child_environment(settings),
        }
        with or_skipped(deployed(folder / "machine", environment, home=settings.home_folder)) as running:
            until(lambda: is_loaded(running.proxy))
            yield running
    empty_buckets(versitygw_server)


def launched(proxy: Proxy, *, config: Mapping[str, object] | None = None) -> str:
    """The id of a refresh that somebody starts in Dagit, as soon as Dagit knows its job (again)."""
    asked = {"params": {"selector": JOB, "runConfigData": config or {}}}

    def launch() -> str:
        answer = proxy.graphql(LAUNCH, asked)["launchRun"]
        # Until it has found a code location again that was restarted, Dagit knows no job of it.
        assert answer["__typename"] in {"LaunchRunSuccess", "PipelineNotFoundError"}, answer
        return str(answer["run"]["runId"]) if answer["__typename"] == "LaunchRunSuccess" else ""

    return str(until(launch))


def status_of(proxy: Proxy, run: str) -> str:
    """The state of a run, as everybody may see it."""
    return str(proxy.graphql(RUN, {"id": run}, host=READ_ONLY)["runOrError"]["status"])


def ended(proxy: Proxy, run: str) -> str:
    """The state of a run, once it has ended."""
    until(lambda: status_of(proxy, run) in {"SUCCESS", "FAILURE", "CANCELED"})
    return status_of(proxy, run)


def events_of(proxy: Proxy, run: str) -> list[dict[str, Any]]:
    """The newest events of a run."""
    events: list[dict[str, Any]] = proxy.graphql(EVENTS, {"id": run})["logsForRun"]["events"]
    return events


def test_nobody_changes_anything_without_a_login(deployment: Deployment) -> None:
    """The server for operators asks who comes."""
    proxy, login = deployment.proxy, f"{OPERATOR}:{PASSWORD}"

    assert proxy.status(DAGIT) == 401
    assert proxy.status(DAGIT, login=f"{OPERATOR}:guessed") == 401
    assert proxy.status(DAGIT, login=login) == 200


@pytest.mark.parametrize(
    ("site", "mode", "path", "status"),
    [
        pytest.param("same-origin", "cors", "/server_info", 200, id="Dagit's own page"),
        pytest.param("none", "navigate", "/server_info", 200, id="typed into the browser"),
        pytest.param("cross-site", "navigate", "/server_info", 200, id="a link in a mail"),
        pytest.param("cross-site", "no-cors", "/server_info", 403, id="a page of another site"),
        pytest.param("same-site", "no-cors", "/server_info", 403, id="a page of another server of ours"),
        pytest.param("cross-site", "navigate", "/graphql?query={version}", 403, id="a link into the API"),
        pytest.param("same-origin", "cors", "/graphql?query={version}", 200, id="the API, asked by Dagit"),
    ],
)
def test_a_page_of_another_site_cannot_use_the_password(
    deployment: Deployment, site: str, mode: str, path: str, status: int
) -> None:
    """The browser sends it along with every request, whoever's page makes it, and says whose that is."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}

    assert deployment.proxy.status(DAGIT, login=f"{OPERATOR}:{PASSWORD}", headers=headers, path=path) == status


def test_everybody_may_look_and_nobody_else_may_start(deployment: Deployment) -> None:
    """The read-only server shows assets, and refuses to launch a run."""
    query = "query { assetNodes { assetKey { path } } }"

    shown = deployment.proxy.graphql(query, host=READ_ONLY)["assetNodes"]
    refused = deployment.proxy.graphql(LAUNCH, {"params": {"selector": JOB}}, host=READ_ONLY)["launchRun"]

    assert {"path": ["nightly_transaction"]} in [node["assetKey"] for node in shown]
    assert refused["__typename"] == "UnauthorizedError"


def test_a_run_says_who_started_it(deployment: Deployment) -> None:
    """The proxy's user, though Dagit itself asks nobody."""
    run = launched(deployment.proxy)

    tags = deployment.proxy.graphql(TAGS, {"id": run})["runOrError"]["tags"]
    deployment.proxy.graphql(TERMINATE, {"id": run})

    assert {"key": "logcache/asked_by", "value": f"{OPERATOR}, in Dagit"} in tags
    assert ended(deployment.proxy, run) == "CANCELED"


def test_the_doctor_finds_storage_and_daemon(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same variables as the services; a database that is not there is named without its password."""
    folder = Path(deployment.environment["DAGSTER_HOME"])
    for name, value in deployment.environment.items():
        monkeypatch.setenv(name, value)

    well = {probe.check: probe.ask() for probe in storage_probes(folder)}
    monkeypatch.setenv("PGPORT", "9")
    monkeypatch.setenv("DAGSTER_HOME", "/elsewhere")
    ill = {probe.check: probe.ask() for probe in storage_probes(folder)}

    assert {check: finding.mark.value for check, finding in well.items()} == dict.fromkeys(well, "ok"), well
    assert {check: finding.mark.value for check, finding in ill.items()} == dict.fromkeys(ill, "failed")
    assert "refused" in ill["storage"].found
    assert POSTGRES_PASSWORD not in str(ill)
    assert ill["home"].found == f"DAGSTER_HOME is /elsewhere, and commands use {folder}"


def test_commands_have_the_settings_of_the_services(deployment: Deployment) -> None:
    """`deploy/logcache` reads their environment file."""
    done = deployment.command("status", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["instances"]


def sabesp_runs(deployment: Deployment) -> list[Path]:
    """The outputs of Itaipu's runs that are being written."""
    logs = Path(deployment.environment["LOGCACHE_HOME"]) / "sabesp_logs"
    return [log for log in logs.glob("*.log") if is_written(log)]


def test_a_stopped_code_location_ends_its_run(deployment: Deployment) -> None:
    """The run fails, Itaipu ends with it, and the next one goes on from the documents."""
    proxy = deployment.proxy
    run = launched(proxy)
    until(lambda: sabesp_runs(deployment))

    deployment.stop("code")
    left = sabesp_runs(deployment)
    deployment.start("code")

    assert left == []
    assert ended(proxy, run) == "FAILURE"
    assert any("interrupted unexpectedly" in event["message"] for event in events_of(proxy, run))
    until(lambda: is_loaded(proxy))
    # The unit gives it five minutes. On a busy machine a test's one may end it before Itaipu's run is ended, too; then
    # the next refresh finds out what became of that one first.
    tried = [launched(proxy)]
    while ended(proxy, tried[-1]) != "SUCCESS" and len(tried) < MOST_REFRESHES:
        tried.append(launched(proxy))
    assert ended(proxy, tried[-1]) == "SUCCESS", [events_of(proxy, failed)[-8:] for failed in tried]


def test_a_refresh_goes_on_while_the_daemon_is_killed(deployment: Deployment, versitygw_server: Server) -> None:
    """A second one waits for it in the queue, a new daemon finds both, and what they printed is on S3."""
    proxy, anew = deployment.proxy, {"ops": {"itaipu_test_run": {"config": {"again": True}}}}

    first = launched(proxy, config=anew)
    until(lambda: sabesp_runs(deployment))
    second = launched(proxy)
    deployment.kill("daemon")
    deployment.start("daemon")

    assert (status_of(proxy, first), status_of(proxy, second)) == ("STARTED", "QUEUED")
    assert ended(proxy, first) == "SUCCESS", events_of(proxy, first)[-5:]
    assert ended(proxy, second) == "SUCCESS", events_of(proxy, second)[-5:]
    printed = versitygw_server.client("s3").list_objects_v2(Bucket="nu-spark-metapod", Prefix="cache/_dagster/")
    assert any(first in item["Key"] for item in printed["Contents"])
