"""The sensor that requests a run when one is due. It does nothing else: an evaluation may take 60 seconds."""

import dagster as dg

from logcache_assets.adapters.home_lock import is_held
from logcache_assets.catalog import Catalog
from logcache_assets.defs.dead_runs import fail_dead_runs
from logcache_assets.defs.jobs import REFRESH_JOB, run_config_of, selection_of
from logcache_assets.defs.run_tags import tags_of_run
from logcache_assets.domain.names import COUNTRY
from logcache_assets.domain.next_step import MOST_FAILURES, GiveUp, WaitUntil
from logcache_assets.domain.selections import ALL
from logcache_assets.domain.wording import count_of
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, SegmentIndex
from logcache_assets.refresh.look_ahead import Asked, Outlook, Planner
from logcache_assets.settings import Settings

STATE_TAG = "logcache/state"
"""Tag of a requested run: everything that the decision for the run stood on."""

NAME = "new_nightly_transaction"

DESCRIPTION = (
    "Starts a refresh when a good nightly run is neither active nor proposed, goes on with one that was killed, and "
    "publishes one that is prepared. Each tick says why it does nothing."
)


def build_new_nightly_transaction(catalog: Catalog) -> dg.SensorDefinition:
    """The sensor for the databases of this catalog."""

    @dg.sensor(job_name=REFRESH_JOB, minimum_interval_seconds=300, description=DESCRIPTION)
    def new_nightly_transaction(
        context: dg.SensorEvaluationContext,
        metapod: dg.ResourceParam[Metapod],
        store: dg.ResourceParam[ObjectStore],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        clock: dg.ResourceParam[Clock],
        settings: dg.ResourceParam[Settings],
    ) -> dg.SkipReason | dg.RunRequest:
        """Starts a refresh when one is due; goes on with one that was killed, and publishes one that is prepared."""
        planner = Planner(
            metapod=metapod,
            store=store,
            segment_index=segment_index,
            repository=repository,
            clock=clock,
            settings=settings,
        )
        if dead := fail_dead_runs(context.instance, settings):
            context.log.info(f"{count_of(dead, 'run')} had no process any more and is marked as failed")
        try:
            asked = Asked(databases=catalog, selection=ALL, is_going_on=is_held(settings.home_folder))
            outlook = planner.look_ahead(asked)
        except LogCacheError as error:
            return dg.SkipReason(str(error))
        if isinstance(outlook.step, WaitUntil | GiveUp):
            return dg.SkipReason(outlook.step.sentence)
        context.log.info(outlook.step.sentence)
        return _request(context.instance, outlook, settings.country)

    return new_nightly_transaction


def _request(instance: dg.DagsterInstance, outlook: Outlook, country: str) -> dg.SkipReason | dg.RunRequest:
    """The request of a run; Dagster remembers its key for ever, so the key names all that makes a run worth asking for.

    A run that ended before it began an attempt is asked for again, a few times. One that has not ended is waited for.
    """
    # Countries may share Dagster's storage, and a night.
    own = "" if country == COUNTRY else f"{country}:"
    state = f"{own}{outlook.night}:{outlook.base_sha}:{outlook.attempts}"
    asked = instance.get_runs(dg.RunsFilter(tags={STATE_TAG: state}))
    ended = sum(run.is_failure_or_canceled for run in asked)
    if pending := next((run for run in asked if not run.is_failure_or_canceled), None):
        said = pending.status.value.lower().replace("_", " ")
        more = "; if that did not do it, call `logcache refresh`" if pending.is_finished else ""
        run = f"run {pending.run_id[:8]} was asked to do it, its state: {said}"
        return dg.SkipReason(f"{outlook.step.sentence}; {run}{more}")
    if ended >= MOST_FAILURES:
        return dg.SkipReason(f"{ended} runs ended before they had begun; see the failed runs of {REFRESH_JOB}")
    return dg.RunRequest(
        run_key=f"{state}:{ended}",
        tags={
            **tags_of_run(
                night=outlook.night,
                databases=outlook.databases,
                reason=outlook.step.sentence,
                asked_by=f"the sensor {NAME}",
                country=country,
            ),
            STATE_TAG: state,
        },
        asset_selection=selection_of(outlook.step, databases=outlook.databases, country=country),
        run_config=run_config_of(outlook.step, night=outlook.night, selection=ALL),
    )
