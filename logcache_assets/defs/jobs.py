"""The job of a whole refresh. Partial refreshes are asset selections, not jobs."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from logcache_assets.domain.locations import Stage
from logcache_assets.domain.next_step import NextStep, PublishOnly

REFRESH_JOB = "refresh_log_cache"
MAX_RUNTIME_SECONDS = 6 * 60 * 60

EXECUTOR = dg.in_process_executor
"""Runs steps in the run's process: that takes half the CPU of a process per step, and none outlives a killed run.

It must not be combined with a RetryPolicy, with which it turns Terminate into a retry.
"""


def selection_of(step: NextStep) -> list[dg.AssetKey] | None:
    """The assets that a step materializes; None for all."""
    return [dg.AssetKey([Stage.PULL_REQUEST.value])] if isinstance(step, PublishOnly) else None


def run_config_of(
    step: NextStep,
    *,
    night: str,
    selection: str,
    named: str | None = None,
    again: bool = False,
    verify_all: bool = False,
) -> dict[str, object]:
    """The run config of a step.

    Args:
        step: that the run takes.
        night: the nightly transaction of the refresh.
        selection: the short name of its databases.
        named: the night, if a person named it.
        again: start a new test run in any case.
        verify_all: compare the logs with every segment.
    """
    if isinstance(step, PublishOnly):
        return _ops({Stage.PULL_REQUEST: {"transaction": night, "selection": selection}})
    configured: dict[Stage, dict[str, object]] = {}
    if named:
        configured[Stage.NIGHT] = {"transaction": named}
    if verify_all:
        configured[Stage.EXPORT] = {"verify_all": True}
    if again:
        configured[Stage.TEST_RUN] = {"again": True}
    return _ops(configured)


def _ops(configured: Mapping[Stage, Mapping[str, object]]) -> dict[str, object]:
    return {"ops": {stage.value: {"config": dict(config)} for stage, config in configured.items()}}


def build_refresh_job() -> Any:  # noqa: ANN401 - Dagster's type of an unresolved job is not public
    """The job of all assets and checks, from the transaction to the pull request."""
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=dg.AssetSelection.all(),
        description="One whole refresh: a good nightly transaction becomes a pull request with its evidence.",
        tags={"dagster/max_runtime": str(MAX_RUNTIME_SECONDS)},
    )
