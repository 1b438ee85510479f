"""Functions that all stages share: documents between stages, and the databases of a run.

A stage finds its upstream's document by the URI and digest in the metadata of the upstream's newest materialization
(that of the same run, if there is one).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg

from logcache_assets.defs.asset_keys import located, own_path
from logcache_assets.defs.failures import Shown, failure_of
from logcache_assets.defs.jobs import NIGHT_TAG
from logcache_assets.defs.turns import Turn
from logcache_assets.domain.documents import DocumentType, document_digest, parse_document
from logcache_assets.domain.locations import night_of
from logcache_assets.domain.problems import Problem
from logcache_assets.errors import LogCacheError, Refused
from logcache_assets.refresh.document_store import Documents

WHOLE = {"database": "every"}
"""Tag of assets that belong to every refresh."""

DOCUMENT = "document"
"""Metadata key of a materialization: the URI of the stage's document."""
DIGEST = "document_sha256"
"""Metadata key of a materialization: the digest of the document as its stage wrote it."""

SEARCHED = 100
"""How many of an asset's newest materializations are searched for this run's own."""

Context = dg.AssetExecutionContext
Materialized = dg.MaterializeResult[None]
Metadata = dict[str, dg.MetadataValue[Any] | dg.TableSchema | str | int | float]


@contextmanager
def refusals_fail_the_asset(shown: Shown | None = None) -> Iterator[None]:
    """Turn a LogCacheError into a failure of the step.

    Args:
        shown: beside the error; the block may still fill it.
    """
    try:
        yield
    except LogCacheError as error:
        raise failure_of(error, shown) from None


@contextmanager
def in_turn(turn: Turn, stage: str, *, shown: Shown | None = None) -> Iterator[None]:
    """Work in the run's turn: take the lock, and write down how the attempt ended if an exception ends it.

    Args:
        turn: of the run.
        stage: which works; a LogCacheError fails its step.
        shown: beside such an error; the block may still fill it.
    """
    with refusals_fail_the_asset(shown):
        try:
            turn.take()
            yield
        except BaseException as error:
            turn.end_with(error, stage=stage)
            raise


def materialized(uri: str, digest: str, metadata: Metadata, *, key: dg.AssetKey | None = None) -> Materialized:
    """The materialization of a stage, with which downstream stages find its document and prove that it is unchanged.

    Args:
        uri: of the document.
        digest: SHA-256 of the document as it was written.
        metadata: shown by Dagit.
        key: of the asset, if the step makes several.
    """
    shown: Metadata = {DOCUMENT: dg.MetadataValue.path(uri), **metadata, DIGEST: digest}
    return dg.MaterializeResult(asset_key=key, data_version=dg.DataVersion(digest), metadata=shown)


def reuse_shown(*, reused: bool) -> Metadata:
    """Metadata that says whether this run did a stage's work, or found that what an earlier one made still holds."""
    return {"reused": "yes, what an earlier run made still holds" if reused else "no, made in this run"}


def upstream_document(
    context: Context, documents: Documents, key: Sequence[str], kind: type[DocumentType], *, uri: str | None = None
) -> DocumentType:
    """Read the document of an upstream asset: that of this run, or else of its newest materialization.

    Args:
        context: of the step.
        documents: of the refresh.
        key: the parts of the asset's key: the stage, and the database if the stage has an asset per database.
        kind: the document's type.
        uri: of the document; only a materialization that wrote it counts.

    Raises:
        Refused: the asset was never materialized, or its document was changed since.
    """
    return read_unchanged(documents, newest_materialization(context, key, uri=uri), kind)


def newest_materialization(
    context: Context, key: Sequence[str], *, uri: str | None = None
) -> dg.AssetMaterialization | None:
    """The materialization of this run, or else the newest one; raises Refused if there is none."""
    asset_key = located(dg.AssetKey([str(part) for part in key]), context)
    found = context.instance.fetch_materializations(dg.AssetRecordsFilter(asset_key=asset_key), limit=SEARCHED).records
    if found and uri is not None:
        found = [record for record in found if uri_of(record.asset_materialization) == uri]
        if not found:
            raise Refused(
                f"{asset_key.to_user_string()} never wrote {uri}: no refresh of that transaction and selection was "
                "prepared; name one that `logcache status` shows, or none for the newest"
            )
    if not found:
        raise Refused(
            f"{asset_key.to_user_string()} was never materialized; materialize it first, or the whole refresh"
        )
    record: dg.EventLogRecord = next((r for r in found if r.run_id == context.run.run_id), found[0])
    if (place := uri_of(record.asset_materialization)) and NIGHT_TAG not in context.run.tags:
        name_night(context, night_of(place))
    return record.asset_materialization


def name_night(context: Context, transaction: str) -> None:
    """Tag the run with the night that it refreshes from; one that is executed again has the tags of the first."""
    if context.run.tags.get(NIGHT_TAG) != transaction:
        context.instance.add_run_tags(context.run.run_id, {NIGHT_TAG: transaction})


def uri_of(materialization: dg.AssetMaterialization | None) -> str | None:
    """The document of a materialization."""
    value = materialization.metadata.get(DOCUMENT) if materialization else None
    return str(value.value) if value else None


def read_unchanged(
    documents: Documents, materialization: dg.AssetMaterialization | None, kind: type[DocumentType]
) -> DocumentType:
    """Read a document and compare it with the digest in the materialization; raises Refused if it was changed."""
    if materialization is None or not {DOCUMENT, DIGEST} <= materialization.metadata.keys():
        raise Refused("a materialization without a document was found; materialize its asset again")
    uri = str(materialization.metadata[DOCUMENT].value)
    text = documents.store.read(uri).decode()
    if materialization.metadata[DIGEST].value != document_digest(text):
        problem = Problem(
            code="C29", found=(f"{uri} is not what its stage wrote",), remedy="materialize that asset again"
        )
        raise Refused.of(problem)
    return parse_document(text, kind, where=uri)


def refuse_stale(context: Context, key: str, *, upstream: str) -> None:
    """Refuse a document whose upstream this run rematerializes.

    Args:
        context: of the step that would read the document.
        key: the asset whose document it is.
        upstream: the stage upstream of that asset.
    """
    selected = context.run.asset_selection or frozenset()
    rematerialized = any(own_path(chosen)[0] == upstream for chosen in selected)
    if rematerialized and located(dg.AssetKey([str(key)]), context) not in selected:
        problem = Problem(
            code="C29",
            found=(f"this run makes {upstream} again, but not {key}, which is made from it",),
            remedy=f"select {key} too",
        )
        raise Refused.of(problem)


def databases_in_run(context: Context, stage: str, catalog: Sequence[str]) -> tuple[str, ...]:
    """Databases whose asset of this stage is selected in the run; all of the catalog if nothing is selected."""
    selection = context.run.asset_selection
    if not selection:
        return tuple(catalog)
    paths = map(own_path, selection)
    chosen = {path[1] for path in paths if path[0] == stage and len(path) > 1}
    return tuple(name for name in catalog if name in chosen)


def tags_of(database: str) -> dict[str, str]:
    """The tag that selects a partial refresh: `tag:database=feed or tag:database=every`."""
    return {"database": database}


def database_key(stage: str, database: str) -> dg.AssetKey:
    """`permanent_log/feed`."""
    return dg.AssetKey([str(stage), database])


def selected_databases(context: Context) -> tuple[str, ...]:
    """The databases whose outputs of this step are selected."""
    return tuple(sorted({own_path(key)[1] for key in context.selected_asset_keys}))
