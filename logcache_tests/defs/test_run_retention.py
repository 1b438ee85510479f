"""Old runs are removed; what is new, or goes on, stays."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from logcache_assets.defs.run_retention import build_old_runs_removed

KEEP_DAYS = 30


def run_created(instance: dg.DagsterInstance, *, days_ago: float, status: dg.DagsterRunStatus) -> str:
    """The id of a run as it would be in the storage after so many days."""
    run = instance.create_run_for_job(nothing, status=status)
    created = datetime.now(UTC) - timedelta(days=days_ago)
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined] # only Dagster's own can be asked
        text = "UPDATE runs SET create_timestamp = ? WHERE run_id = ?"
        connection.exec_driver_sql(text, (created.strftime("%Y-%m-%d %H:%M:%S.%f"), run.run_id))
    return run.run_id


@dg.job
def nothing() -> None:
    """A job without a step."""


def test_only_old_runs_that_have_ended_are_removed() -> None:
    """Once; then there is nothing to do, and each tick says what it did in one sentence."""
    sensor = build_old_runs_removed(KEEP_DAYS)
    with dg.DagsterInstance.ephemeral() as instance:
        kept = {
            run_created(instance, days_ago=29, status=dg.DagsterRunStatus.SUCCESS),
            run_created(instance, days_ago=40, status=dg.DagsterRunStatus.STARTED),
            run_created(instance, days_ago=40, status=dg.DagsterRunStatus.NOT_STARTED),
        }
        for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED):
            run_created(instance, days_ago=31, status=status)

        first = sensor(dg.build_sensor_context(instance=instance))
        second = sensor(dg.build_sensor_context(instance=instance))

        assert {run.run_id for run in instance.get_runs()} == kept
    assert isinstance(first, dg.SkipReason)
    assert isinstance(second, dg.SkipReason)
    assert first.skip_message == "Removed 3 runs older than 30 days."
    assert second.skip_message == "No run that has ended is older than 30 days, so none is removed."
