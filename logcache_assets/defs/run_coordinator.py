"""Queues runs as Dagster does, and first makes those that a person starts in Dagit runs like the sensor's.

What is materialized on the page of an asset is for Dagster a run of no job: it has none of the job's tags, so nothing
limits its time or lets it wait for its turn, and the job's page does not show it. dagster.yaml names this class.

Dagster's storage has no other way to change the job of a run than to remove the run and to add it again. It is done
before the run is queued, when nobody knows it yet.
"""

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import is_reserved_asset_job_name
from dagster._core.remote_representation.external import RemoteJob
from typing_extensions import override

from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.defs.submitted_tags import tags_of_submitted

LOGIN_HEADER = "X-Forwarded-User"
"""How the proxy before Dagit says who came; see deploy/nginx.conf."""


class RefreshRunCoordinator(dg.QueuedRunCoordinator):
    """Makes what is materialized in Dagit a run of the refresh job, with its tags and its limits."""

    @override
    def submit_run(self, context: dg.SubmitRunContext) -> dg.DagsterRun:
        """Complete a run of our code location, and queue it."""
        job = _refresh_job(context)
        run = self._completed(context, job) if job else context.dagster_run
        return super().submit_run(context._replace(dagster_run=run))

    def _completed(self, context: dg.SubmitRunContext, job: RemoteJob) -> dg.DagsterRun:
        run = context.dagster_run
        tags = tags_of_submitted(run, login=context.get_request_header(LOGIN_HEADER), job_tags=job.tags)
        run = run.with_tags({**run.tags, **tags})
        self._instance.add_run_tags(run.run_id, tags)
        return self._moved(run, job) if is_part_of_refresh(run) else run

    def _moved(self, run: dg.DagsterRun, job: RemoteJob) -> dg.DagsterRun:
        """The run as one of the job."""
        moved = run._replace(
            job_name=REFRESH_JOB, remote_job_origin=job.get_remote_origin(), job_code_origin=job.get_python_origin()
        )
        storage = self._instance.run_storage
        storage.delete_run(run.run_id)
        return storage.add_run(moved)


def is_part_of_refresh(run: dg.DagsterRun) -> bool:
    """True for what is materialized on the page of assets; their checks alone may stand outside the job."""
    made = run.asset_selection or frozenset()
    checked = {key.asset_key for key in run.asset_check_selection or ()}
    return is_reserved_asset_job_name(run.job_name) and bool(made) and checked <= made


def _refresh_job(context: dg.SubmitRunContext) -> RemoteJob | None:
    """The refresh job of the run's code location; None for a location of somebody else."""
    origin = context.dagster_run.remote_job_origin
    if origin is None:
        return None
    repository = context.workspace.get_code_location(origin.location_name).get_repository(
        origin.repository_origin.repository_name
    )
    return repository.get_full_job(REFRESH_JOB) if repository.has_job(REFRESH_JOB) else None
