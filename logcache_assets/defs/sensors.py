"""Sensors: they ask whether a refresh is due and request a run, nothing else (an evaluation may take 60 seconds)."""

import dagster as dg

from logcache_assets.catalog import Catalog
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.domain.due import Wait
from logcache_assets.domain.selections import ALL
from logcache_assets.errors import Refused
from logcache_assets.ports import Ports
from logcache_assets.refresh.outlook import look_ahead
from logcache_assets.settings import Settings


def build_new_nightly_transaction(catalog: Catalog) -> dg.SensorDefinition:
    """The sensor, for the databases of this catalog."""

    @dg.sensor(job_name=REFRESH_JOB, minimum_interval_seconds=300)
    def new_nightly_transaction(
        ports: dg.ResourceParam[Ports],
        settings: dg.ResourceParam[Settings],
    ) -> dg.SkipReason | dg.RunRequest:
        """Starts a refresh when metapod shows a good nightly transaction that is neither active nor proposed."""
        try:
            outlook = look_ahead(catalog, selection=ALL, named=None, ports=ports, settings=settings)
        except Refused as refusal:
            return dg.SkipReason(str(refusal))
        if isinstance(outlook.plan, Wait):
            return dg.SkipReason(outlook.plan.reason)
        return dg.RunRequest(run_key=outlook.plan.key, tags={"metapod/transaction": outlook.plan.transaction})

    return new_nightly_transaction
