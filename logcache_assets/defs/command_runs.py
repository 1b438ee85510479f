"""Runs the refresh job for a command, in the command's process and Dagit's storage, so that Dagit shows the run.

defs/assets/ and refresh/ do the work of a refresh; cli/ prints its result. This module uses members that Dagster does
not mark as public, because nothing public does the same:

Definitions.resolve_job_def       the job as an object that runs in this process
Definitions.resolve_asset_graph   the keys of all assets, from its get_all_asset_keys
get_asset_check_evaluations       the blocking checks that failed a run
step_failure_data                 the reason that a stage gave for its failure
RUN_TAGS                          Dagit's page of a job shows the run

Two more modules in defs/ use such members, and say why: run_storage.py opens Dagster's storage, plain_log.py reads the
records that Dagster logs.
"""

import fcntl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from logcache_assets.catalog import Catalog
from logcache_assets.definitions import build_definitions
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.domain.locations import Stage
from logcache_assets.errors import Refused
from logcache_assets.ports import Ports
from logcache_assets.settings import Settings

RUN_TAGS = {".dagster/repository": "__repository__@logcache_assets"}
"""Dagit's page of a job shows the runs with this tag, which Dagster gives to the runs that it launches itself.

The tag is private to Dagster, and nothing public puts a run of this process on that page; workspace.yaml names the
location.
"""

SEE_IT_IN_DAGIT = "see it in Dagit: make ui"


def run_refresh_job(
    settings: Settings, catalog: Catalog, ports: Ports, *, databases: tuple[str, ...], transaction: str | None
) -> str:
    """Run the refresh job for these databases.

    Args:
        settings: name the folder of Dagster's storage.
        catalog: all databases of the code location.
        ports: the outside world.
        databases: names from the catalog; the job is limited to their assets.
        transaction: the metapod transaction to build on; None for the newest good one.

    Returns:
        Why the run failed, each reason once; empty if it succeeded.

    Raises:
        Refused: another command is running a refresh in this storage.
    """
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    definitions = build_definitions(settings, catalog=catalog, ports=ports)
    job = definitions.resolve_job_def(REFRESH_JOB)
    selection = None if len(databases) == len(catalog) else _assets_of(databases, definitions)
    config: dict[str, object] = {"loggers": {"plain": {}}}
    if transaction:
        config["ops"] = {Stage.NIGHT.value: {"config": {"transaction": transaction}}}
    with _alone(settings.home_folder), open_storage(settings.dagster_folder) as instance:
        result = job.execute_in_process(
            instance=instance,
            run_config=config,
            asset_selection=selection,
            raise_on_error=False,
            tags=RUN_TAGS,
        )
    if result.success:
        return ""
    return "; ".join(dict.fromkeys(failures_of(result))) or f"the run failed; {SEE_IT_IN_DAGIT}"


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the lock that admits one refresh by command; the system releases it whenever the process ends."""
    with (home / "refresh.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"another refresh of {home} is going on; wait for its end and run this again") from error
        yield


def _assets_of(databases: tuple[str, ...], definitions: dg.Definitions) -> list[dg.AssetKey]:
    """The assets of these databases, and those that belong to every refresh."""
    keys = definitions.resolve_asset_graph().get_all_asset_keys()
    return [key for key in keys if len(key.path) == 1 or key.path[1] in databases]


def failures_of(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    """Yield every reason why a run failed, from its stages and blocking checks."""
    failed = [event for event in result.all_events if event.is_step_failure]
    for event in failed:
        failure = event.step_failure_data.user_failure_data
        if failure and failure.description:
            yield failure.description
    for check in result.get_asset_check_evaluations():
        if check.blocking and not check.passed:
            yield f"{check.asset_key.to_user_string()}: {check.description or check.check_name}"
    if not failed:
        yield f"the run failed outside its steps; {SEE_IT_IN_DAGIT}"
