"""The assets `refreshed/<db>`: whether the newest refresh proposes a database, or left it out.

They lie below the pull request, so that a fault of one database neither stops the others nor is overlooked: their step
fails, and with it the run, after the pull request of the others was opened.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from logcache_assets.catalog import Catalog
from logcache_assets.defs.asset_keys import REFRESHED, located
from logcache_assets.defs.failures import LEFT_OUT_DATABASES, problems_table, runbook_section
from logcache_assets.defs.links import pull_request_value
from logcache_assets.defs.stage import (
    Context,
    Materialized,
    database_key,
    refusals_fail_the_asset,
    selected_databases,
    tags_of,
    upstream_document,
)
from logcache_assets.domain.documents import Candidate, LeftOut, Publication, leave_out
from logcache_assets.domain.instances import is_instance_of
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.pull_request import shortened
from logcache_assets.errors import Refused
from logcache_assets.ports import ObjectStore
from logcache_assets.refresh.document_store import Documents
from logcache_assets.settings import Settings


def build_refreshed(catalog: Catalog) -> dg.AssetsDefinition:
    """One asset per database of this catalog, all in one step."""

    @dg.multi_asset(name=REFRESHED, can_subset=True, specs=[_spec(definition.database) for definition in catalog])
    def refreshed(
        context: Context, store: dg.ResourceParam[ObjectStore], settings: dg.ResourceParam[Settings]
    ) -> Iterator[Materialized]:
        documents = Documents(store)
        with refusals_fail_the_asset():
            published = upstream_document(context, documents, [Stage.PULL_REQUEST], Publication)
            candidate = upstream_document(context, documents, [Stage.CANDIDATE], Candidate)
            if published.candidate_sha != candidate.sha:
                raise Refused(
                    f"pull request #{published.number} proposes {published.candidate_sha[:8]}, and the newest "
                    f"candidate is {candidate.version}; materialize log_cache_pull_request first"
                )
        link = pull_request_value(settings, published.url)
        selected = selected_databases(context)
        for database in (name for name in selected if name in candidate.databases):
            key = located(database_key(REFRESHED, database), context)
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "pull_request": link,
                    "transaction": candidate.transaction,
                    "itaipu_version": candidate.version,
                    **{
                        f"last_t/{change.instance}": change.last_t
                        for change in candidate.changes
                        if is_instance_of(change.instance, database)
                    },
                },
            )
        for database in (name for name in selected if name in candidate.up_to_date):
            key = located(database_key(REFRESHED, database), context)
            told = "its active caches are this night's already"
            yield dg.MaterializeResult(asset_key=key, metadata={"state": told, "transaction": candidate.transaction})
        without = [name for name in selected if name not in (*candidate.databases, *candidate.up_to_date)]
        if left_out := [_why(name, candidate) for name in without]:
            raise _failure(left_out, published, link)

    return refreshed


def _spec(database: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        database_key(REFRESHED, database),
        deps=[Stage.PULL_REQUEST.value],
        group_name="publication",
        tags=tags_of(database),
        kinds={"github"},
        description=(
            f"Whether the newest refresh proposes new caches of {database}. It fails if the refresh left {database} "
            "out, and says why; the pull request of the other databases is open all the same."
        ),
    )


def _why(database: str, candidate: Candidate) -> LeftOut:
    known = next((left for left in candidate.left_out if left.database == database), None)
    if known:
        return known
    absent = f"the newest candidate, {candidate.version}, is of {', '.join(candidate.databases)}"
    problem = Problem(subjects=(database,), found=(absent,), remedy="refresh it: its entries may be up to date already")
    return leave_out(database, [problem], stage=Stage.CANDIDATE, transaction=candidate.transaction)


def _failure(left_out: list[LeftOut], published: Publication, link: dg.MetadataValue[Any]) -> dg.Failure:
    """The sentence with the first cause, and every reason as a table."""
    names = [left.database for left in left_out]
    also = f" Also left out: {shortened(names[1:])}." if names[1:] else ""
    rest = f" Pull request #{published.number} proposes the other databases."
    return dg.Failure(
        description=f"{left_out[0].sentence}.{also}{rest}",
        metadata={
            LEFT_OUT_DATABASES: ", ".join(names),
            "left_out": problems_table(problem for left in left_out for problem in left.problems),
            "pull_request": link,
            **runbook_section(left_out[0].sentence),
        },
        allow_retries=False,
    )
