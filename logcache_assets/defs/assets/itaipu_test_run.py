"""Stage 5, the asset `itaipu_test_run`; refresh/start_test_run.py starts the run."""

import time

import dagster as dg
from pydantic import Field

from logcache_assets.defs.links import transaction_value
from logcache_assets.defs.stage import (
    WHOLE,
    Context,
    Materialized,
    in_turn,
    materialized,
    reuse_shown,
    upstream_document,
)
from logcache_assets.defs.turns import Turn
from logcache_assets.domain.documents import Candidate
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.transactions import DatasetState
from logcache_assets.ports import Clock, Itaipu, ItaipuRepository, Metapod, ObjectStore, SegmentIndex
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.start_test_run import TestRunner
from logcache_assets.settings import Settings


class ItaipuTestRunConfig(dg.Config):
    """Run config of `itaipu_test_run`."""

    again: bool = Field(
        default=False,
        description="Start a new test run even if there is one whose tables may be judged.",
    )


@dg.asset(group_name="candidate", tags=WHOLE, kinds={"spark"}, deps=[Stage.CANDIDATE.value])
def itaipu_test_run(
    context: Context,
    config: ItaipuTestRunConfig,
    itaipu: dg.ResourceParam[Itaipu],
    metapod: dg.ResourceParam[Metapod],
    store: dg.ResourceParam[ObjectStore],
    segment_index: dg.ResourceParam[SegmentIndex],
    repository: dg.ResourceParam[ItaipuRepository],
    clock: dg.ResourceParam[Clock],
    settings: dg.ResourceParam[Settings],
    turn: dg.ResourceParam[Turn],
) -> Materialized:
    """A test run of Itaipu at the candidate's commit: every contract computed with the new log cache.

    `sabesp` starts it; its output goes to the run's log line by line and names the metapod transaction. The asset fails
    if the run fails or does not name exactly one transaction. An earlier run of the same candidate is used again unless
    it aborted a contract or was refused. No run is started while the validation rules are malformed or have an expired
    allowance, because they could not judge it.
    """
    documents, started = Documents(store), time.monotonic()
    runner = TestRunner(
        itaipu=itaipu,
        metapod=metapod,
        store=store,
        segment_index=segment_index,
        repository=repository,
        clock=clock,
        locations=settings.locations,
        time_limit=settings.test_run_time,
        tell=context.log.info,
        tell_output=context.log.debug,
    )
    with in_turn(turn, Stage.TEST_RUN):
        candidate = upstream_document(context, documents, [Stage.CANDIDATE], Candidate)
        earlier = runner.begun.transactions_of(candidate)
        run, uri = runner.find_or_run(candidate, again=config.again), runner.document_uri(candidate)
        digest = documents.write(uri, run)
        datasets = runner.datasets_of(run)
    committed = sum(dataset.state is DatasetState.COMMITTED for dataset in datasets)
    reused = run.transaction in earlier
    which = "Reused an earlier test run of Itaipu" if reused else "Itaipu's test run is done"
    context.log.info(f"{which}, transaction {run.transaction}: {committed} of {len(datasets)} datasets are committed")
    return materialized(
        uri,
        digest,
        {
            "itaipu_version": candidate.version,
            "transaction": transaction_value(settings, run.transaction),
            "duration_seconds": round(time.monotonic() - started, 3),
            "dataset_prefix": run.dataset_prefix,
            "datasets_committed": committed,
            "datasets_not_committed": len(datasets) - committed,
            **reuse_shown(reused=reused),
        },
    )
