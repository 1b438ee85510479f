"""The job of a whole refresh. Partial refreshes are asset selections, not jobs."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from logcache_assets.defs.asset_keys import REFRESHED, country_prefix
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.next_step import NextStep, PublishOnly
from logcache_assets.settings import Settings

REFRESH_JOB = "refresh_log_cache"
COUNTRY_TAG = "logcache/country"
"""Tag of a run: whose logs it refreshes; deploy/dagster.yaml queues by it."""
MAX_RUNTIME_TAG = "dagster/max_runtime"
"""Tag of a run: after so many seconds Dagster ends it."""
NIGHT_TAG = "metapod/transaction"
"""Tag of a run: the night that it refreshes from."""
_SPARE_HOURS = 2
"""For what a refresh does beside waiting: reading documents, comparing contracts."""

EXECUTOR = dg.in_process_executor
"""Runs steps in the run's process: that takes half the CPU of a process per step, and none outlives a killed run.

It must not be combined with a RetryPolicy, with which it turns Terminate into a retry.
"""


def selection_of(step: NextStep, *, databases: Sequence[str], country: str) -> list[dg.AssetKey] | None:
    """The assets of a country that a step materializes for these databases; None for all."""
    if not isinstance(step, PublishOnly):
        return None
    own = [[Stage.PULL_REQUEST.value], *([REFRESHED, name] for name in databases)]
    return [dg.AssetKey([*country_prefix(country), *path]) for path in own]


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


def max_runtime_seconds(settings: Settings, *, databases: int) -> int:
    """How long a whole refresh may take: its export, its copy and its test run, each as long as it may.

    Contracts that are compared by runs of the notebook, one per database, have that notebook's limit, too.
    """
    notebooks = 1 + databases if settings.validation_driver == "databricks" else 1
    limits = notebooks * settings.export_time + settings.copy_time + settings.test_run_time
    return int(limits.total_seconds()) + _SPARE_HOURS * 3600


def build_refresh_job(settings: Settings, *, databases: int, first: dg.AssetSelection) -> Any:  # noqa: ANN401 - Dagster's type of an unresolved job is not public
    """The job of all assets and checks of so many databases, from the transaction to the pull request.

    Args:
        settings: of the deployment.
        databases: how many a whole refresh has.
        first: what is checked of the published caches before they are replaced.
    """
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=dg.AssetSelection.all() | first,
        description="One whole refresh: a good nightly transaction becomes a pull request with its evidence.",
        tags={
            MAX_RUNTIME_TAG: str(max_runtime_seconds(settings, databases=databases)),
            COUNTRY_TAG: settings.country,
        },
    )
