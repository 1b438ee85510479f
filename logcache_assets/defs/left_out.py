"""Databases that a refresh leaves out, in the stages that have an asset per database.

The stage's step is green, because the other databases go on: the asset of a database that is left out is materialized
with the document that says why, and its check `goes_on` is red. The asset `refreshed/<db>`, below the pull request,
fails for it.
"""

from collections.abc import Iterator

import dagster as dg

from logcache_assets.defs.asset_keys import located
from logcache_assets.defs.failures import problems_table
from logcache_assets.defs.stage import (
    Context,
    Materialized,
    database_key,
    materialized,
    newest_materialization,
    read_unchanged,
    uri_of,
)
from logcache_assets.domain.documents import DocumentType, LeftOut, leave_out
from logcache_assets.domain.locations import LEFT_OUT, Locations, stage_of
from logcache_assets.domain.problems import Problem
from logcache_assets.errors import WrongData
from logcache_assets.refresh.document_store import Documents

GOES_ON = "goes_on"


def goes_on_spec(stage: str, database: str) -> dg.AssetCheckSpec:
    """The check of a database's asset in a stage."""
    return dg.AssetCheckSpec(
        GOES_ON,
        asset=database_key(stage, database),
        description=f"The refresh takes {database} on to the next stage. A fault of {database} leaves out it alone.",
    )


def goes_on_result(stage: str, database: str, context: Context, *, left: LeftOut | None = None) -> dg.AssetCheckResult:
    """The result of that check: red with every reason if the database is left out."""
    return dg.AssetCheckResult(
        asset_key=located(database_key(stage, database), context),
        check_name=GOES_ON,
        passed=left is None,
        description=str(left) if left else f"{database} goes on to the next stage",
        metadata={"found_by": left.stage, "reasons": problems_table(left.problems)} if left else {},
    )


def report_left_out(
    stage: str, left: LeftOut, context: Context, documents: Documents, locations: Locations
) -> Iterator[Materialized | dg.AssetCheckResult]:
    """Write why a database is left out; yield its materialization, and its red check."""
    uri = locations.left_out(transaction=left.transaction, database=left.database)
    digest = documents.write(uri, left)
    if left.stage == stage:
        context.log.warning(str(left))
    key = located(database_key(stage, left.database), context)
    yield materialized(uri, digest, {"state": "left out", "found_by": left.stage, "why": str(left)}, key=key)
    yield goes_on_result(stage, left.database, context, left=left)


def upstream_or_left_out(
    context: Context, documents: Documents, stage: str, database: str, kind: type[DocumentType]
) -> DocumentType | LeftOut:
    """The document of a database's upstream asset, or the one that says why it is left out."""
    found = newest_materialization(context, [stage, database])
    uri = uri_of(found)
    if uri is not None and stage_of(uri) == LEFT_OUT:
        return read_unchanged(documents, found, LeftOut)
    return read_unchanged(documents, found, kind)


def left_out_by(error: WrongData, *, stage: str, database: str, transaction: str) -> LeftOut:
    """Leave out a database for what a stage refused."""
    problems = error.problems or (Problem(subjects=(database,), found=(str(error),)),)
    return leave_out(database, problems, stage=stage, transaction=transaction)
