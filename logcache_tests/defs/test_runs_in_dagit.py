"""Whoever starts a run, Dagit shows it as one of the refresh job: a real web server, asked as its pages ask."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from logcache_assets.defs.jobs import COUNTRY_TAG, MAX_RUNTIME_TAG, REFRESH_JOB
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.defs.run_tags import ASKED_TAG, DATABASES_TAG, REASON_TAG, USER_TAG
from logcache_assets.local_platform.world import World
from logcache_tests.conftest import copied
from logcache_tests.defs.dagit import LOCATION, Dagit, dagit_on

LAUNCH = """mutation($executionParams: ExecutionParams!) { launchPipelineExecution(executionParams: $executionParams) {
  __typename ... on LaunchRunSuccess { run { id } } ... on PythonError { message stack } } }"""
RUNS = """query($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 20) { ... on Runs { results {
  id pipelineName status tags { key value } repositoryOrigin { repositoryName repositoryLocationName } } } } }"""
OF_LOCATION = {"key": ".dagster/repository", "value": "__repository__@logcache_assets"}


@pytest.fixture(scope="module")
def refreshed(refreshed_feed_template: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world that `logcache refresh` has refreshed."""
    return copied(refreshed_feed_template, tmp_path_factory.mktemp("dagit") / "home")


@pytest.fixture(scope="module")
def dagit(refreshed: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dagit]:
    """Dagit on it."""
    with dagit_on(refreshed, tmp_path_factory.mktemp("log") / "dagit.log") as running:
        yield running


def selector_of(job: str, assets: Sequence[str] = ()) -> dict[str, Any]:
    """What Dagit sends to name a job and some of its assets."""
    chosen = [{"path": asset.split("/")} for asset in assets]
    return {**LOCATION, "pipelineName": job, "assetSelection": chosen, "assetCheckSelection": []}


def launched(dagit: Dagit, selector: Mapping[str, Any], *, user: str | None = None) -> str:
    """The id of a run that a person starts."""
    params = {"selector": selector, "runConfigData": {}, "mode": "default", "executionMetadata": {"tags": []}}
    answer = dagit.ask(LAUNCH, {"executionParams": params}, user=user)
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return str(answer["run"]["id"])


def runs(dagit: Dagit, **wanted: object) -> dict[str, dict[str, Any]]:
    """Id → run of those that a page of Dagit shows; its tags as a mapping."""
    found = dagit.ask(RUNS, {"filter": wanted})["results"]
    return {run["id"]: {**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found}


def test_what_is_materialized_on_an_assets_page_is_a_run_of_the_job(dagit: Dagit) -> None:
    """With the job's country, for which it waits in the queue, its limit, and who asked for what."""
    run = launched(dagit, selector_of("__ASSET_JOB", ["log_export/feed", "permanent_log/feed"]), user="ana")

    shown = runs(dagit, pipelineName=REFRESH_JOB, tags=[OF_LOCATION])[run]
    assert shown["status"] == "QUEUED"
    assert shown["repositoryOrigin"] == {
        "repositoryName": LOCATION["repositoryName"],
        "repositoryLocationName": LOCATION["repositoryLocationName"],
    }
    assert shown["tags"][COUNTRY_TAG] == "BR"
    assert int(shown["tags"][MAX_RUNTIME_TAG]) > 3600
    assert shown["tags"][DATABASES_TAG] == "feed"
    assert shown["tags"][ASKED_TAG] == "ana, in Dagit"
    assert shown["tags"][REASON_TAG] == "these assets were materialized by hand"
    assert shown["tags"][USER_TAG] == "ana"


def test_a_checks_run_has_a_limit_and_does_not_wait_for_refreshes(dagit: Dagit) -> None:
    """*Execute* on the page of a published cache's check: it makes no asset, so it stays a run of its own."""
    check = {"assetKey": {"path": ["log_cache", "feed"]}, "name": "files_intact"}
    run = launched(dagit, {**selector_of("__ASSET_JOB"), "assetCheckSelection": [check]})

    shown = runs(dagit, tags=[OF_LOCATION])[run]
    assert shown["pipelineName"] == "__ASSET_JOB"
    assert COUNTRY_TAG not in shown["tags"]
    assert int(shown["tags"][MAX_RUNTIME_TAG]) > 3600
    assert shown["tags"][ASKED_TAG] == "somebody, in Dagit"


def test_a_commands_run_is_in_history_and_timeline(refreshed: World, dagit: Dagit) -> None:
    """History asks by job and location; the timeline for runs of a time, and places them by their location."""
    with open_storage(refreshed.dagster_home) as instance:
        (run,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))

    history = runs(dagit, pipelineName=REFRESH_JOB, tags=[OF_LOCATION])
    timeline = runs(dagit, statuses=["SUCCESS", "FAILURE", "CANCELED"], updatedAfter=0.0)

    assert run.run_id in history
    assert timeline[run.run_id]["pipelineName"] == REFRESH_JOB
    assert timeline[run.run_id]["repositoryOrigin"]["repositoryLocationName"] == LOCATION["repositoryLocationName"]


def test_a_commands_run_is_executed_again_by_whoever_clicks(dagit: Dagit, refreshed: World) -> None:
    """Dagit finds the job of the first run; the tags tell of the person who wants the second."""
    again = """mutation($params: ReexecutionParams!) { launchPipelineReexecution(reexecutionParams: $params) {
      __typename ... on LaunchRunSuccess { run { id } } ... on PythonError { message } } }"""
    with open_storage(refreshed.dagster_home) as instance:
        (first,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))

    asked = {"parentRunId": first.run_id, "strategy": "ALL_STEPS"}
    answer = dagit.ask(again, {"params": asked}, user="rui")

    assert answer["__typename"] == "LaunchRunSuccess", answer
    shown = runs(dagit, pipelineName=REFRESH_JOB, tags=[OF_LOCATION])[answer["run"]["id"]]
    assert shown["tags"][ASKED_TAG] == "rui, in Dagit"
    assert shown["tags"][REASON_TAG] == f"run {first.run_id[:8]} is executed again"
