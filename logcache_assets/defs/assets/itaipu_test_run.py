"""Stage 5: Itaipu computes the contracts from the candidate map."""

import time
from collections.abc import Iterable

import dagster as dg

from logcache_assets.defs.stage import (
    DOCUMENT,
    OWNERS,
    WHOLE,
    Context,
    Materialized,
    refusals_fail_the_asset,
    upstream_document,
)
from logcache_assets.domain.documents import Candidate, TestRun
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import newest_t
from logcache_assets.domain.transactions import DatasetState
from logcache_assets.errors import Refused
from logcache_assets.ports import (
    Clock,
    Itaipu,
    ItaipuRepository,
    Metapod,
    ObjectStore,
    SegmentIndex,
    UnknownTransactionError,
)
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.pinned_definitions import read_definition
from logcache_assets.refresh.pinned_rules import read_rules
from logcache_assets.settings import Settings

STAGE = "itaipu_test_run"


def dataset_prefix(databases: tuple[str, ...]) -> str:
    """What `--filter-by-prefix` gets: sabesp takes one prefix, so only a single database narrows it."""
    return f"contract-{databases[0]}/" if len(databases) == 1 else "contract-"


def is_still_true(run: TestRun, candidate: Candidate, metapod: Metapod) -> bool:
    """Whether an earlier test run computed this very candidate and its transaction is finished."""
    if run.candidate_sha != candidate.sha or run.dataset_prefix != dataset_prefix(candidate.databases):
        return False
    try:
        transaction = metapod.transaction(run.transaction)
    except UnknownTransactionError:
        return False
    return all(dataset.state is not DatasetState.UNCOMMITTED for dataset in transaction.datasets.values())


def read_instances(candidate: Candidate, repository: ItaipuRepository) -> tuple[Instance, ...]:
    """The instances that the run reads: those of the definitions at the candidate's commit."""
    definitions = [read_definition(repository, database, sha=candidate.sha) for database in candidate.databases]
    return tuple(instance for definition in definitions for instance in definition.instances)


def indexed_t(instances: Iterable[Instance], segment_index: SegmentIndex) -> dict[str, int]:
    """Instance → where the segment index ends now: what a run that begins now can read."""
    return {instance.name: newest_t(segment_index.segments(instance)) for instance in instances}


@dg.asset(group_name="candidate", tags=WHOLE, owners=OWNERS, kinds={"spark"}, deps=["log_cache_candidate"])
def itaipu_test_run(
    context: Context,
    itaipu: dg.ResourceParam[Itaipu],
    metapod: dg.ResourceParam[Metapod],
    store: dg.ResourceParam[ObjectStore],
    segment_index: dg.ResourceParam[SegmentIndex],
    repository: dg.ResourceParam[ItaipuRepository],
    clock: dg.ResourceParam[Clock],
    settings: dg.ResourceParam[Settings],
) -> Materialized:
    """A test run of Itaipu at the candidate's commit: every contract computed with the new log cache.

    `sabesp` starts it; its output goes to the run's log line by line, and the metapod transaction is read off it. A run
    that ends without exactly one transaction, or not well, fails. None is started while the validation rules could not
    judge it: they are malformed, or an allowance in them expired.
    """
    documents, started = Documents(store), time.monotonic()
    with refusals_fail_the_asset():
        candidate = upstream_document(context, documents, ["log_cache_candidate"], Candidate)
        uri = settings.locations.document(transaction=candidate.transaction, stage=STAGE, name=candidate.version)
        run = documents.find(uri, TestRun)
        if run is None or not is_still_true(run, candidate, metapod):
            read_rules(repository, clock, sha=candidate.sha)
            prefix = dataset_prefix(candidate.databases)
            context.log.info(f"Itaipu computes {prefix}* at version {candidate.version}")
            instances = read_instances(candidate, repository)
            begun = indexed_t(instances, segment_index)
            finished = itaipu.test_run(version=candidate.version, dataset_prefix=prefix, tell=context.log.debug)
            done = indexed_t(instances, segment_index)
            run = TestRun(
                candidate_sha=candidate.sha,
                map_sha256=candidate.map_sha256,
                transaction=finished.transaction,
                dataset_prefix=prefix,
                aborted=dict(finished.aborted),
                indexed_t={name: (t, done[name]) for name, t in begun.items()},
            )
        digest = documents.write(uri, run)
        datasets = metapod.transaction(run.transaction).datasets.values()
        if not datasets:
            raise Refused(f"the test run's transaction {run.transaction} holds no dataset; see sabesp's output")
    duration_seconds = round(time.monotonic() - started, 3)
    committed = sum(dataset.state is DatasetState.COMMITTED for dataset in datasets)
    context.log.info(f"Itaipu's transaction {run.transaction}: {committed} of {len(datasets)} datasets committed")
    return Materialized(
        data_version=dg.DataVersion(digest),
        metadata={
            DOCUMENT: dg.MetadataValue.path(uri),
            "itaipu_version": candidate.version,
            "transaction": run.transaction,
            "duration_seconds": duration_seconds,
            "dataset_prefix": run.dataset_prefix,
            "datasets_committed": committed,
            "datasets_not_committed": len(datasets) - committed,
        },
    )
