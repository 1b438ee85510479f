"""Jobs: the one that does a whole refresh. Partial refreshes are asset selections, not jobs."""

from typing import Any

import dagster as dg

REFRESH_JOB = "refresh_log_cache"
MAX_RUNTIME_SECONDS = 6 * 60 * 60

EXECUTOR = dg.in_process_executor
"""Steps run in the run's own process: half the CPU of a process per step, and none goes on when the run was killed.

Only without a RetryPolicy: with one, this executor turns Terminate into a retry.
"""


def build_refresh_job() -> Any:  # noqa: ANN401 - Dagster's type of an unresolved job is not public
    """Every asset and every check, from the transaction to the pull request."""
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=dg.AssetSelection.all(),
        description="One whole refresh: a good nightly transaction becomes a pull request with its evidence.",
        tags={"dagster/max_runtime": str(MAX_RUNTIME_SECONDS)},
    )
