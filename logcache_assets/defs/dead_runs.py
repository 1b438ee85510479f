"""Ends runs that nobody works on any more, so that they keep no place in the queue.

After a loss of power Dagster shows a run as started until its maximum runtime is over. A run that works holds the lock
of the home from its first stage to its end, so one that was started a while ago is dead when the lock is free.
"""

import time

import dagster as dg

from logcache_assets.adapters.home_lock import is_held
from logcache_assets.defs.jobs import COUNTRY_TAG, REFRESH_JOB
from logcache_assets.settings import Settings

STARTING_SECONDS = 600
"""How long a run may take to load its code and begin its first stage."""


def fail_dead_runs(instance: dg.DagsterInstance, settings: Settings) -> int:
    """Mark the dead runs of this deployment as failed; returns how many there were."""
    if is_held(settings.home_folder):
        return 0
    started = dg.RunsFilter(
        job_name=REFRESH_JOB, statuses=[dg.DagsterRunStatus.STARTED], tags={COUNTRY_TAG: settings.country}
    )
    before = time.time() - STARTING_SECONDS
    dead = [r.dagster_run for r in instance.get_run_records(started) if r.start_time and r.start_time < before]
    for run in dead:
        instance.report_run_failed(
            run, "No process works on this run any more. The next one goes on from its documents."
        )
    return len(dead)
