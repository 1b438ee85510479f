"""Runs the refresh job for a command, in the command's process and Dagit's storage, so that Dagit shows the run.

defs/assets/ and refresh/ do the work of a refresh; cli/ prints its result. This module uses members that Dagster does
not mark as public, because nothing public does the same:

Definitions.resolve_job_def            the job as an object that runs in this process
Definitions.resolve_asset_graph        the keys of all assets that are made, from its materializable_asset_keys
create_run_for_job, execute_run        a run that Dagit knows as one of the job's; execute_in_process makes another kind
step_failure_data                      the reason that a stage gave for its failure

More modules in defs/ use such members, and say why: code_location.py names where Dagit looks for a run, run_storage.py
opens Dagster's storage, plain_log.py reads the records that Dagster logs, run_coordinator.py changes what is queued.
"""

import getpass
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from logcache_assets.catalog import Catalog
from logcache_assets.definitions import build_definitions
from logcache_assets.defs.asset_keys import own_path
from logcache_assets.defs.code_location import job_origin
from logcache_assets.defs.jobs import REFRESH_JOB, run_config_of, selection_of
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.defs.run_tags import USER_TAG, tags_of_run
from logcache_assets.defs.turns import Turn
from logcache_assets.ports import Ports
from logcache_assets.refresh.look_ahead import Outlook
from logcache_assets.settings import Settings

INTERRUPT = dg.DagsterExecutionInterruptedError.__name__
SEE_IT_IN_DAGIT = "see it in Dagit: make ui"

Result = dg.JobExecutionResult | dg.ExecuteInProcessResult


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRun:
    """What a command runs."""

    outlook: Outlook
    """The night, its databases, and the next step."""
    selection: str
    """The short name of the databases."""
    named: str | None
    """The night, if a person named it."""
    again: bool
    """Start a new test run in any case."""
    verify_all: bool
    """Compare the logs with every segment."""


def run_refresh_job(settings: Settings, catalog: Catalog, ports: Ports, turn: Turn, *, wanted: CommandRun) -> str:
    """Run the refresh job, or its last stage alone.

    Args:
        settings: name the folder of Dagster's storage.
        catalog: all databases of the code location.
        ports: the outside world.
        turn: that the command holds.
        wanted: what to run.

    Returns:
        Why the run failed, each reason once; empty if it succeeded.

    Raises:
        KeyboardInterrupt: somebody interrupted it.
    """
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    # Ctrl-C may fall into the closing of a connection, which this logger tells with a traceback.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    definitions = build_definitions(settings, catalog=catalog, ports=ports, turn=turn)
    job = definitions.resolve_job_def(REFRESH_JOB)
    plan = wanted.outlook
    some = None if len(plan.databases) == len(catalog) else _assets_of(plan.databases, definitions)
    config = run_config_of(
        plan.step,
        night=plan.night,
        selection=wanted.selection,
        named=wanted.named,
        again=wanted.again,
        verify_all=wanted.verify_all,
    )
    selected = selection_of(plan.step, databases=plan.databases, country=settings.country) or some
    try:
        with open_storage(settings.dagster_folder) as instance:
            run = instance.create_run_for_job(
                job,
                run_config={"loggers": {"plain": {}}, **config},
                asset_selection=frozenset(selected) if selected else None,
                tags={**job.tags, **_tags(plan, settings)},
                remote_job_origin=job_origin(settings.country, REFRESH_JOB),
            )
            result = execute_run(InMemoryJob(job), run, instance)
    except dg.DagsterExecutionInterruptedError as error:
        raise KeyboardInterrupt from error
    if _was_interrupted(result):
        raise KeyboardInterrupt
    if result.success:
        return ""
    return "; ".join(dict.fromkeys(failures_of(result))) or f"the run failed; {SEE_IT_IN_DAGIT}"


def _tags(plan: Outlook, settings: Settings) -> dict[str, str]:
    """What Dagit shows beside the run, and finds it by."""
    login = _login()
    return {
        **tags_of_run(
            night=plan.night,
            databases=plan.databases,
            reason=plan.step.sentence,
            asked_by=f"logcache refresh, called by {login}",
            country=settings.country,
        ),
        USER_TAG: login,
    }


def _login() -> str:
    """Who calls the command, as this computer knows it; a container may know nobody by a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def _assets_of(databases: tuple[str, ...], definitions: dg.Definitions) -> list[dg.AssetKey]:
    """The assets of these databases, and those that belong to every refresh."""
    keys = definitions.resolve_asset_graph().materializable_asset_keys
    paths = {key: own_path(key) for key in keys}
    return [key for key, path in paths.items() if len(path) == 1 or path[1] in databases]


def _was_interrupted(result: Result) -> bool:
    """True if Ctrl-C ended the run: Dagster makes the interrupt a failure of the step that worked."""
    errors = (event.step_failure_data.error for event in result.all_events if event.is_step_failure)
    return any(error is not None and error.cls_name == INTERRUPT for error in errors)


def failures_of(result: Result) -> Iterator[str]:
    """Yield every reason why a run failed, from its stages: the one that refuses is the last one."""
    failed = [event for event in result.all_events if event.is_step_failure]
    for event in failed:
        failure = event.step_failure_data.user_failure_data
        if failure and failure.description:
            yield failure.description
    if not failed:
        yield f"the run failed outside its steps; {SEE_IT_IN_DAGIT}"
