"""The sensor that requests a run when a refresh is due. It does nothing else: an evaluation may take 60 seconds."""

import dagster as dg

from logcache_assets.catalog import Catalog
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.domain.due import Wait
from logcache_assets.domain.selections import ALL
from logcache_assets.errors import Refused
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, SegmentIndex
from logcache_assets.refresh.look_ahead import Planner
from logcache_assets.settings import Settings


def build_new_nightly_transaction(catalog: Catalog) -> dg.SensorDefinition:
    """The sensor for the databases of this catalog."""

    @dg.sensor(job_name=REFRESH_JOB, minimum_interval_seconds=300)
    def new_nightly_transaction(
        metapod: dg.ResourceParam[Metapod],
        store: dg.ResourceParam[ObjectStore],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        clock: dg.ResourceParam[Clock],
        settings: dg.ResourceParam[Settings],
    ) -> dg.SkipReason | dg.RunRequest:
        """Starts a refresh when metapod shows a good nightly transaction that is neither active nor proposed."""
        planner = Planner(
            metapod=metapod,
            store=store,
            segment_index=segment_index,
            repository=repository,
            clock=clock,
            settings=settings,
        )
        try:
            outlook = planner.look_ahead(catalog, selection=ALL, named=None)
        except Refused as refusal:
            return dg.SkipReason(str(refusal))
        if isinstance(outlook.plan, Wait):
            return dg.SkipReason(outlook.plan.reason)
        return dg.RunRequest(run_key=outlook.plan.key, tags={"metapod/transaction": outlook.plan.transaction})

    return new_nightly_transaction
