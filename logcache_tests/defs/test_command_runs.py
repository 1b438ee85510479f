"""A refresh that a command ran is shown by Dagit as a run of the job."""

import getpass
from pathlib import Path

import dagster as dg
import pytest
import yaml

from logcache_assets.defs.code_location import job_origin, location_name
from logcache_assets.defs.jobs import COUNTRY_TAG, NIGHT_TAG, REFRESH_JOB
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.defs.run_tags import ASKED_TAG, DATABASES_TAG, REASON_TAG
from logcache_assets.local_platform.world import World
from logcache_tests.worlds import materialize

ROOT = Path(__file__).parents[2]
LOGIN = getpass.getuser()
WORKSPACES = (ROOT / "workspace.yaml", ROOT / "deploy" / "workspace.yaml")


def test_a_commands_run_is_in_the_jobs_history(refreshed_feed_world: World) -> None:
    """The job's page asks for runs of this name with its repository's tag; the timeline places them by their origin."""
    wanted = dg.RunsFilter(job_name=REFRESH_JOB, tags={".dagster/repository": "__repository__@logcache_assets"})

    with open_storage(refreshed_feed_world.dagster_home) as instance:
        (run,) = instance.get_runs(wanted)

    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert run.remote_job_origin == job_origin("BR", REFRESH_JOB)


def test_a_commands_run_says_who_wants_it_and_why(refreshed_feed_world: World) -> None:
    """The same tags as a run that the sensor requests, and the job's limits."""
    with open_storage(refreshed_feed_world.dagster_home) as instance:
        (run,) = instance.get_runs(dg.RunsFilter(job_name=REFRESH_JOB))

    assert run.tags[DATABASES_TAG] == "feed"
    assert run.tags[REASON_TAG] == f"a refresh of feed from transaction {run.tags[NIGHT_TAG]} is due"
    assert run.tags[ASKED_TAG] == f"logcache refresh, called by {run.tags['user']}"
    assert run.tags[COUNTRY_TAG] == "BR"
    assert int(run.tags["dagster/max_runtime"]) > 3600


@pytest.mark.parametrize("asset", ["nightly_transaction", "log_export/feed", "validation_report"])
def test_a_run_that_nobody_tagged_names_its_night(refreshed_feed_world: World, asset: str) -> None:
    """As the stage finds it in its choice, or in the document that it reads: runs are found by it."""
    result = materialize(refreshed_feed_world, asset)

    with open_storage(refreshed_feed_world.dagster_home) as instance:
        (first,) = instance.get_runs(dg.RunsFilter(tags={ASKED_TAG: f"logcache refresh, called by {LOGIN}"}))
        run = instance.get_run_by_id(result.run_id)

    assert run is not None
    assert run.tags[NIGHT_TAG] == first.tags[NIGHT_TAG]


def test_runs_name_the_locations_of_the_workspaces() -> None:
    """A location that is renamed there alone would hide the runs of commands."""
    local, deployed = (yaml.safe_load(file.read_text(encoding="utf-8"))["load_from"] for file in WORKSPACES)

    assert local[0]["python_module"]["location_name"] == location_name("BR")
    assert deployed[0]["grpc_server"]["location_name"] == location_name("BR")
    assert f"location_name: {location_name('MX')}" in WORKSPACES[0].read_text(encoding="utf-8")
