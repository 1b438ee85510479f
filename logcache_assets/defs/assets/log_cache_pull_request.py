"""Stage 8, the asset `log_cache_pull_request`; refresh/publish.py opens it unless the gate refuses."""

from typing import Any

import dagster as dg
from pydantic import Field

from logcache_assets.defs.asset_keys import INVENTORY, located
from logcache_assets.defs.failures import rejected_table
from logcache_assets.defs.links import commit_value, pull_request_link, pull_request_value, report_value
from logcache_assets.defs.stage import (
    WHOLE,
    Context,
    Materialized,
    Metadata,
    in_turn,
    materialized,
    refuse_stale,
    upstream_document,
)
from logcache_assets.defs.turns import Turn
from logcache_assets.domain.attempts import End
from logcache_assets.domain.documents import Candidate, NightlyTransaction, TestRun, Verdict
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.plain_text import quoted
from logcache_assets.domain.selections import ALL
from logcache_assets.errors import Refused
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, SegmentIndex
from logcache_assets.refresh.attempts import Attempts
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.publish import Published, Publisher
from logcache_assets.settings import Settings


class PullRequestConfig(dg.Config):
    """Run config of `log_cache_pull_request`: names the prepared refresh that is to be published."""

    transaction: str | None = Field(
        default=None,
        description="The nightly transaction of a prepared refresh, a UUID. Default: the one that was prepared last.",
    )
    selection: str = Field(
        default=ALL,
        description="The short name of that refresh's databases, as its branch ends: all, feed, customers_feed. "
        "Counts only beside a transaction.",
    )


@dg.asset(
    group_name="publication",
    tags=WHOLE,
    kinds={"github"},
    deps=[Stage.CANDIDATE.value, Stage.TEST_RUN.value, Stage.VERDICT.value],
)
def log_cache_pull_request(
    context: Context,
    config: PullRequestConfig,
    metapod: dg.ResourceParam[Metapod],
    store: dg.ResourceParam[ObjectStore],
    segment_index: dg.ResourceParam[SegmentIndex],
    repository: dg.ResourceParam[ItaipuRepository],
    clock: dg.ResourceParam[Clock],
    settings: dg.ResourceParam[Settings],
    turn: dg.ResourceParam[Turn],
) -> Materialized:
    """The pull request that publishes the refreshed map when a person merges it.

    It is opened only if every requirement of the gate is met: among others a stored, approved verdict of this
    candidate, an unmoved base branch, the publish window, and no contract being computed. Running it again updates the
    candidate's pull request.
    """
    documents, evidence = Documents(store), dict[str, dg.MetadataValue[Any]]()
    with in_turn(turn, Stage.PULL_REQUEST, shown=evidence):
        for upstream in (Stage.CONTRACTS, INVENTORY):
            refuse_stale(context, Stage.VERDICT, upstream=upstream)
        candidate, verdict, run = _prepared(context, documents, settings, config)
        evidence |= _evidence(context, documents, settings, candidate)
        book = Attempts(store=store, segment_index=segment_index, repository=repository, clock=clock, settings=settings)
        instances = [parse_instance(change.instance) for change in candidate.changes]
        turn.begin(book, instances, transaction=candidate.transaction, selection=candidate.selection)
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
        turn.end(End.PUBLISHED, stage=Stage.PULL_REQUEST, left_out=candidate.left_out)
    link = pull_request_link(settings, published.pull_request.url)
    context.log.info(f"Pull request #{published.pull_request.number}: {link}")
    return materialized(published.uri, published.digest, _metadata(published, candidate, settings))


def _prepared(
    context: Context, documents: Documents, settings: Settings, config: PullRequestConfig
) -> tuple[Candidate, Verdict, TestRun]:
    """The documents of the refresh that is to be published, by default those of this run or the newest."""
    locations, night, selection = settings.locations, config.transaction, config.selection
    if selection != ALL and not night:
        raise Refused(
            f"the run names the databases {quoted(selection)} of a refresh and not its transaction; name both, or none "
            "for the refresh that was prepared last"
        )
    named = locations.candidate(transaction=night, selection=selection) if night else None
    candidate = upstream_document(context, documents, [Stage.CANDIDATE], Candidate, uri=named)
    judged = locations.verdict(transaction=night, selection=selection) if night else None
    verdict = upstream_document(context, documents, [Stage.VERDICT], Verdict, uri=judged)
    ran = locations.test_run(transaction=night, version=candidate.version) if night else None
    return candidate, verdict, upstream_document(context, documents, [Stage.TEST_RUN], TestRun, uri=ran)


def _evidence(
    context: Context, documents: Documents, settings: Settings, candidate: Candidate
) -> dict[str, dg.MetadataValue[Any]]:
    """What helps to understand a refusal: the report, and the nights that were not chosen."""
    named = {"transaction": candidate.transaction, "selection": candidate.selection}
    report = settings.locations.report(**named, ending="html")
    night = documents.find(settings.locations.night(**named), NightlyTransaction)
    return {
        "report": report_value(settings, report),
        "report_asset": dg.MetadataValue.asset(located(dg.AssetKey(Stage.VERDICT.value), context)),
        **({"rejected_nights": rejected_table(night.rejected)} if night and night.rejected else {}),
    }


def _metadata(published: Published, candidate: Candidate, settings: Settings) -> Metadata:
    pull_request = published.pull_request
    return {
        "pull_request": pull_request_value(settings, pull_request.url),
        "number": pull_request.number,
        "branch": pull_request.branch,
        "itaipu_version": candidate.version,
        "commit": commit_value(settings, candidate.sha),
        "text": dg.MetadataValue.md(pull_request.body),
    }
