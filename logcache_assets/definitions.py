"""Wiring only: which assets, checks, job, sensor and resources make the code location.

`build_definitions` is shared by tests, the command line and `defs`, which workspace.yaml loads. Loading reads the
settings and the catalog of contract definitions, and nothing else; importing this module reads nothing.
"""

from functools import lru_cache

import dagster as dg

from logcache_assets.catalog import Catalog, CatalogVersion, catalog_version, load_catalog
from logcache_assets.defs.alert_sensor import build_alerts
from logcache_assets.defs.asset_keys import of_country
from logcache_assets.defs.assets.contract_datasets import build_contracts
from logcache_assets.defs.assets.itaipu_test_run import itaipu_test_run
from logcache_assets.defs.assets.log_cache_candidate import build_log_cache_candidate
from logcache_assets.defs.assets.log_cache_pull_request import log_cache_pull_request
from logcache_assets.defs.assets.log_export import build_log_export
from logcache_assets.defs.assets.nightly_transaction import build_nightly_transaction
from logcache_assets.defs.assets.outside_world import outside_specs
from logcache_assets.defs.assets.permanent_log import build_permanent_log
from logcache_assets.defs.assets.published_caches import published_specs
from logcache_assets.defs.assets.refreshed import build_refreshed
from logcache_assets.defs.assets.validation_report import validation_report
from logcache_assets.defs.described import Described, described
from logcache_assets.defs.jobs import EXECUTOR, build_refresh_job
from logcache_assets.defs.outside_sensor import build_outside_world
from logcache_assets.defs.plain_log import plain_log
from logcache_assets.defs.published_sensor import build_published_caches
from logcache_assets.defs.pull_request_sensor import open_pull_requests
from logcache_assets.defs.resources import configured_resources, given_resources
from logcache_assets.defs.run_retention import build_old_runs_removed
from logcache_assets.defs.sensors import build_new_nightly_transaction
from logcache_assets.defs.standing_checks import (
    build_standing_checks,
    build_standing_job,
    daily_standing_checks,
    select_standing_checks,
)
from logcache_assets.defs.turns import Turn
from logcache_assets.ports import Ports
from logcache_assets.settings import Settings, load_settings


def build_definitions(
    settings: Settings, *, catalog: Catalog, ports: Ports | None = None, turn: Turn | None = None
) -> dg.Definitions:
    """The whole code location for these databases.

    Args:
        settings: of the deployment.
        catalog: the databases and their contracts.
        ports: used instead of the resources that this process's environment describes.
        turn: that the caller holds for the run; by default each run takes its own.
    """
    assets = [
        build_nightly_transaction(catalog),
        build_log_export(catalog),
        build_permanent_log(catalog),
        build_log_cache_candidate(catalog),
        itaipu_test_run,
        build_contracts(catalog),
        validation_report,
        log_cache_pull_request,
        build_refreshed(catalog),
    ]
    shown: list[Described] = [
        *(of_country(definition, settings.country) for definition in assets),
        *outside_specs(catalog, settings),
        *published_specs(catalog, settings),
    ]
    return dg.Definitions(
        assets=described(shown, catalog, settings),
        asset_checks=[build_standing_checks(catalog, settings)],
        jobs=[
            build_refresh_job(settings, databases=len(catalog), first=select_standing_checks(catalog, settings)),
            build_standing_job(catalog, settings),
        ],
        sensors=[
            build_new_nightly_transaction(catalog),
            open_pull_requests,
            build_outside_world(catalog),
            build_published_caches(catalog),
            daily_standing_checks,
            build_old_runs_removed(settings.keep_runs_days),
            build_alerts(catalog),
        ],
        resources=given_resources(settings, ports, turn) if ports else configured_resources(settings),
        executor=EXECUTOR,
        loggers={"console": dg.colored_console_logger, "plain": plain_log},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The code location of the configured platform; raises BadInput for a missing or malformed catalog."""
    settings = load_settings()
    return _built_once(settings, catalog_version(settings.catalog_folder))


@lru_cache(maxsize=1)
def _built_once(settings: Settings, _version: CatalogVersion) -> dg.Definitions:
    """What Dagster asks for twice when it loads a code location, and when it starts a run."""
    return build_definitions(settings, catalog=load_catalog(settings.catalog_folder))
