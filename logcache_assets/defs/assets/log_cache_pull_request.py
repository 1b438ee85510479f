"""Stage 8, the asset `log_cache_pull_request`; refresh/publish.py opens it unless the gate refuses."""

import dagster as dg

from logcache_assets.defs.stage import (
    INVENTORY,
    OWNERS,
    WHOLE,
    Context,
    Materialized,
    Metadata,
    materialized,
    refusals_fail_the_asset,
    refuse_stale,
    upstream_document,
)
from logcache_assets.domain.documents import Candidate, TestRun, Verdict
from logcache_assets.domain.locations import Stage
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, SegmentIndex
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.publish import Published, Publisher
from logcache_assets.settings import Settings


@dg.asset(
    group_name="publication",
    tags=WHOLE,
    owners=OWNERS,
    kinds={"github"},
    deps=[Stage.CANDIDATE.value, Stage.TEST_RUN.value, Stage.VERDICT.value],
)
def log_cache_pull_request(
    context: Context,
    metapod: dg.ResourceParam[Metapod],
    store: dg.ResourceParam[ObjectStore],
    segment_index: dg.ResourceParam[SegmentIndex],
    repository: dg.ResourceParam[ItaipuRepository],
    clock: dg.ResourceParam[Clock],
    settings: dg.ResourceParam[Settings],
) -> Materialized:
    """The pull request that publishes the refreshed map when a person merges it.

    It is opened only if every requirement of the gate is met: among others a stored, approved verdict of this
    candidate, an unmoved base branch, the publish window, and no contract being computed. Running it again updates the
    candidate's pull request.
    """
    documents = Documents(store)
    with refusals_fail_the_asset():
        for upstream in (Stage.CONTRACTS, INVENTORY):
            refuse_stale(context, Stage.VERDICT, upstream=upstream)
        candidate = upstream_document(context, documents, [Stage.CANDIDATE], Candidate)
        verdict = upstream_document(context, documents, [Stage.VERDICT], Verdict)
        run = upstream_document(context, documents, [Stage.TEST_RUN], TestRun)
        publisher = Publisher(
            metapod=metapod,
            store=store,
            segment_index=segment_index,
            repository=repository,
            clock=clock,
            settings=settings,
        )
        for dead in publisher.find_readers().passed_over:
            context.log.warning(f"Not waited for: {dead}")
        published = publisher.publish(candidate, verdict, run)
    context.log.info(f"Pull request #{published.pull_request.number}: {published.pull_request.url}")
    return materialized(published.uri, published.digest, _metadata(published, candidate))


def _metadata(published: Published, candidate: Candidate) -> Metadata:
    pull_request = published.pull_request
    return {
        "pull_request": dg.MetadataValue.url(pull_request.url),
        "number": pull_request.number,
        "branch": pull_request.branch,
        "itaipu_version": candidate.version,
        "text": dg.MetadataValue.md(pull_request.body),
    }
