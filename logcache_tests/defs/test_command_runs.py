"""A refresh that a command ran is shown by Dagit as a run of the job."""

from pathlib import Path

import dagster as dg
import yaml

from logcache_assets.defs.command_runs import RUN_TAGS
from logcache_assets.defs.jobs import COUNTRY_TAG, NIGHT_TAG, REFRESH_JOB
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.defs.run_tags import ASKED_TAG, DATABASES_TAG, REASON_TAG
from logcache_assets.local_platform.world import World

WORKSPACE = Path(__file__).parents[2] / "workspace.yaml"


def test_a_commands_run_is_in_the_jobs_history(refreshed_feed_world: World) -> None:
    """Dagit's page of the job asks for the runs of this name with its repository's tag."""
    wanted = dg.RunsFilter(job_name=REFRESH_JOB, tags=RUN_TAGS)

    with open_storage(refreshed_feed_world.dagster_home) as instance:
        runs = instance.get_runs(wanted)

    assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS]


def test_a_commands_run_says_who_wants_it_and_why(refreshed_feed_world: World) -> None:
    """The same tags as a run that the sensor requests, and the job's limits."""
    with open_storage(refreshed_feed_world.dagster_home) as instance:
        (run,) = instance.get_runs(dg.RunsFilter(job_name=REFRESH_JOB))

    assert run.tags[DATABASES_TAG] == "feed"
    assert run.tags[REASON_TAG] == f"a refresh of feed from transaction {run.tags[NIGHT_TAG]} is due"
    assert run.tags[ASKED_TAG] == f"logcache refresh, called by {run.tags['user']}"
    assert run.tags[COUNTRY_TAG] == "BR"
    assert int(run.tags["dagster/max_runtime"]) > 3600


def test_the_tag_names_the_workspaces_location() -> None:
    """A location that is renamed in workspace.yaml alone would hide the runs of commands."""
    workspace = yaml.safe_load(WORKSPACE.read_text(encoding="utf-8"))

    location = workspace["load_from"][0]["python_module"]["location_name"]

    assert list(RUN_TAGS.values()) == [f"__repository__@{location}"]
