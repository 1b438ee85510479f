"""The tags of a run that Dagit or a sensor submits: who asked for it and why, and what limits it."""

from collections.abc import Mapping

import dagster as dg

from logcache_assets.defs.asset_keys import own_path
from logcache_assets.defs.jobs import COUNTRY_TAG, REFRESH_JOB
from logcache_assets.defs.run_tags import ASKED_TAG, DATABASES_TAG, REASON_TAG, USER_TAG, names_text

SOMEBODY = "somebody"
"""Who asked, where no proxy says who came to Dagit."""
_AUTOMATION_TAGS = {"dagster/sensor_name": "sensor", "dagster/schedule_name": "schedule"}


def tags_of_submitted(run: dg.DagsterRun, *, login: str | None, job_tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a run lacks.

    Args:
        run: as Dagster made it.
        login: who came to Dagit, if a proxy asked.
        job_tags: of the refresh job, the country and the limit among them.
    """
    limits = {name: value for name, value in job_tags.items() if name not in run.tags}
    if not _is_refresh(run):
        limits.pop(COUNTRY_TAG, None)  # it makes a run wait for its turn, and what only checks needs none
    databases = {} if DATABASES_TAG in run.tags else _databases_of(run)
    return {**limits, **databases, **_asked(run, login)}


def _is_refresh(run: dg.DagsterRun) -> bool:
    return run.job_name == REFRESH_JOB or bool(run.asset_selection)


def _databases_of(run: dg.DagsterRun) -> dict[str, str]:
    """The databases whose assets or checks are selected."""
    keys = {*(run.asset_selection or ()), *(check.asset_key for check in run.asset_check_selection or ())}
    paths = map(own_path, keys)
    names = sorted({path[1] for path in paths if len(path) > 1})
    return {DATABASES_TAG: names_text(names)} if names else {}


def _asked(run: dg.DagsterRun, login: str | None) -> dict[str, str]:
    """Who asked, and why. A run that is executed again has the first one's tags, which tell of somebody else."""
    again = run.parent_run_id
    if ASKED_TAG in run.tags and not again:
        return {}
    for tag, kind in _AUTOMATION_TAGS.items():
        if tag in run.tags and not again:
            return {ASKED_TAG: f"the {kind} {run.tags[tag]}"}
    user = {USER_TAG: login or SOMEBODY} if login or again else {}
    reason = f"run {again[:8]} is executed again" if again else _reason(run)
    return {ASKED_TAG: f"{login or SOMEBODY}, in Dagit", REASON_TAG: reason, **user}


def _reason(run: dg.DagsterRun) -> str:
    if run.job_name == REFRESH_JOB and not run.asset_selection:
        return "the whole refresh was started by hand"
    return "these assets were materialized by hand" if run.asset_selection else "these checks were made by hand"
