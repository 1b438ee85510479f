"""The sensor that removes old runs from Dagster's storage, which has no setting for that.

The evidence of a refresh is in its documents, which stay.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from logcache_assets.domain.wording import count_of

REMOVED_AT_ONCE = 50
"""An evaluation may take 60 seconds."""
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
HOUR_SECONDS = 3600


def build_old_runs_removed(keep_days: int) -> dg.SensorDefinition:
    """The sensor that keeps runs for so many days."""

    @dg.sensor(
        minimum_interval_seconds=HOUR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Removes runs that were started more than {keep_days} days ago and have ended, with their events.",
    )
    def old_runs_removed(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        before = datetime.now(UTC) - timedelta(days=keep_days)
        wanted = dg.RunsFilter(created_before=before, statuses=list(ENDED))
        old = context.instance.get_run_records(wanted, limit=REMOVED_AT_ONCE, ascending=True)
        for record in old:
            context.instance.delete_run(record.dagster_run.run_id)
        if not old:
            return dg.SkipReason(f"No run that has ended is older than {keep_days} days, so none is removed.")
        return dg.SkipReason(f"Removed {count_of(len(old), 'run')} older than {keep_days} days.")

    return old_runs_removed
