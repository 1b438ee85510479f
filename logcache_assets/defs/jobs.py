"""Jobs: the one that does a whole refresh. Partial refreshes are asset selections, not jobs."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

REFRESH_JOB = "refresh_log_cache"
MAX_RUNTIME_SECONDS = 6 * 60 * 60

EXECUTOR = dg.multiprocess_executor.configured(
    {
        "max_concurrent": 2,
        # A step is a process: the fork server has imported everything before the first one starts.
        "start_method": {"forkserver": {"preload_modules": ["dagster", "logcache_assets.definitions"]}},
    }
)


def build_refresh_job() -> UnresolvedAssetJobDefinition:
    """Every asset and every check, from the transaction to the pull request."""
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=dg.AssetSelection.all(),
        description="One whole refresh: a good nightly transaction becomes a pull request with its evidence.",
        tags={"dagster/max_runtime": str(MAX_RUNTIME_SECONDS)},
    )
