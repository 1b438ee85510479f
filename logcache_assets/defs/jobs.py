"""The job of a whole refresh. Partial refreshes are asset selections, not jobs."""

from typing import Any

import dagster as dg

REFRESH_JOB = "refresh_log_cache"
MAX_RUNTIME_SECONDS = 6 * 60 * 60

EXECUTOR = dg.in_process_executor
"""Runs steps in the run's process: that takes half the CPU of a process per step, and none outlives a killed run.

It must not be combined with a RetryPolicy, with which it turns Terminate into a retry.
"""


def build_refresh_job() -> Any:  # noqa: ANN401 - Dagster's type of an unresolved job is not public
    """The job of all assets and checks, from the transaction to the pull request."""
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=dg.AssetSelection.all(),
        description="One whole refresh: a good nightly transaction becomes a pull request with its evidence.",
        tags={"dagster/max_runtime": str(MAX_RUNTIME_SECONDS)},
    )
