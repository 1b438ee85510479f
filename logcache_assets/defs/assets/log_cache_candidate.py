"""Stage 4: the candidate map, a commit on a branch of the itaipu repository."""

from collections.abc import Iterator, Sequence

import dagster as dg

from logcache_assets.catalog import Catalog
from logcache_assets.defs.stage import (
    OWNERS,
    WHOLE,
    Context,
    Materialized,
    Metadata,
    databases_in_run,
    materialized,
    refusals_fail_the_asset,
    upstream_document,
)
from logcache_assets.domain.documents import (
    Candidate,
    ChangedEntry,
    CopiedLog,
    NightlyTransaction,
    PermanentLog,
)
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import (
    MAP_PATH,
    LogCacheMap,
    MapEntry,
    entry_of,
    map_digest,
    render_map,
    with_entries,
)
from logcache_assets.domain.problems import Problem, join_problems
from logcache_assets.domain.pull_request import shortened
from logcache_assets.domain.selections import branch_name, selection_name
from logcache_assets.errors import Refused
from logcache_assets.ports import ItaipuRepository, ObjectStore, SegmentIndex
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspection import BaseMap, Inspector, instances_of, read_base_map
from logcache_assets.settings import Settings

STAGE = "log_cache_candidate"


def entry_for(document: PermanentLog, log: CopiedLog) -> MapEntry:
    """The map entry of a cached log."""
    folder = folder_of(log.manifest.removesuffix("/manifest.json") + "/log")
    return MapEntry(
        last_t=log.last_t,
        log=folder.log,
        materialized_entities=folder.materialized_entities,
        transaction=document.transaction,
        source_read_at=document.source_read_at,
        manifest_sha256=log.manifest_sha256,
    )


def _changes(documents: Sequence[PermanentLog], base: LogCacheMap) -> Iterator[ChangedEntry]:
    for document in documents:
        for log in document.logs:
            active = entry_of(base, parse_instance(log.instance))
            yield ChangedEntry(
                instance=log.instance,
                last_t=log.last_t,
                active_t=active.last_t if active else None,
                active_read_at=active.source_read_at if active else None,
                log=log,
            )


def _commit_message(night: NightlyTransaction, changes: Sequence[ChangedEntry], databases: Sequence[str]) -> str:
    lines = [f"{change.instance}: t {change.active_t or 'none'} -> {change.last_t}" for change in changes]
    head = f"Refresh the log cache of {shortened(databases)} to {night.transaction[:8]}"
    return "\n".join(
        [head, "", f"Transaction {night.transaction}, read {night.started_at:%Y-%m-%d %H:%M} UTC.", *lines]
    )


def build_log_cache_candidate(catalog: Catalog) -> dg.AssetsDefinition:
    """The asset, for the databases of this catalog."""
    names = [definition.database for definition in catalog]

    @dg.asset(
        group_name="candidate",
        tags=WHOLE,
        owners=OWNERS,
        kinds={"git", "json"},
        deps=["nightly_transaction", *(dg.AssetKey(["permanent_log", name]) for name in names)],
    )
    def log_cache_candidate(
        context: Context,
        store: dg.ResourceParam[ObjectStore],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        settings: dg.ResourceParam[Settings],
    ) -> Materialized:
        """The log cache map as it would be after this refresh, committed on a branch of its own.

        It is the active map with the refreshed entries set; every other entry stays byte for byte. Before the commit
        every pointer is followed to its manifest and files, and the segments that continue each log are checked for
        gaps, overlaps and re-extractions. The commit's short sha is the Itaipu version of the test run.
        """
        documents = Documents(store)
        with refusals_fail_the_asset():
            night = upstream_document(context, documents, ["nightly_transaction"], NightlyTransaction)
            databases = databases_in_run(context, "permanent_log", names) or night.databases
            copies = [
                upstream_document(context, documents, ["permanent_log", name], PermanentLog) for name in databases
            ]
            _require_one_transaction(night, copies)
            base = read_base_map(repository)
            entries = {parse_instance(log.instance): entry_for(copy, log) for copy in copies for log in copy.logs}
            merged = with_entries(base.entries, entries)
            inspector = Inspector(documents, segment_index)
            _require_sound(inspector.find_problems(merged, changed=tuple(entries), base=base.entries), base, inspector)
            document = _commit(repository, night, base=base, text=render_map(merged), copies=copies, names=names)
            uri = settings.locations.document(transaction=night.transaction, stage=STAGE, name=document.selection)
            digest = documents.write(uri, document)
        context.log.info(f"Committed {document.version} on {document.branch}: {len(document.changes)} entries changed")
        return materialized(uri, digest, _metadata(document, render_map(merged)))

    return log_cache_candidate


def _require_one_transaction(night: NightlyTransaction, copies: Sequence[PermanentLog]) -> None:
    """A candidate is one night: copies of another one must be made anew."""
    for copy in copies:
        if copy.transaction != night.transaction:
            raise Refused(
                f"permanent_log/{copy.database} holds transaction {copy.transaction}, nightly_transaction is "
                f"{night.transaction}; materialize log_export and permanent_log of {copy.database} first"
            )


def _require_sound(problems: Iterator[Problem], base: BaseMap, inspector: Inspector) -> None:
    """Refuse problems of the candidate's map, and wrong pointers of the base map: a rollback returns to them."""
    in_base = (p for i, e in instances_of(base.entries) for p in inspector.find_pointer_problems(i, e))
    found = list(dict.fromkeys([*(f"active map, {problem}" for problem in in_base), *map(str, problems)]))
    if found:
        raise Refused(f"no candidate was committed: {join_problems(found)}")


def _commit(
    repository: ItaipuRepository,
    night: NightlyTransaction,
    *,
    base: BaseMap,
    text: str,
    copies: Sequence[PermanentLog],
    names: Sequence[str],
) -> Candidate:
    if text == base.text:
        raise Refused(
            f"nothing to refresh: the map on {repository.base_branch} already points to transaction "
            f"{night.transaction}; wait for the next nightly run"
        )
    databases = tuple(copy.database for copy in copies)
    changes = tuple(_changes(copies, base.entries))
    selection = selection_name(databases, catalog=names)
    branch = branch_name(transaction=night.transaction, started_at=night.started_at, selection=selection)
    message = _commit_message(night, changes, databases)
    return Candidate(
        transaction=night.transaction,
        selection=selection,
        databases=databases,
        branch=branch,
        sha=repository.commit(branch=branch, parent=base.sha, files={MAP_PATH: text}, message=message),
        base_sha=base.sha,
        base_map_sha256=map_digest(base.text),
        map_sha256=map_digest(text),
        changes=changes,
    )


def _metadata(document: Candidate, text: str) -> Metadata:
    records = [
        dg.TableRecord(
            {
                "instance": change.instance,
                "active_t": change.active_t,
                "candidate_t": change.last_t,
                "datoms": change.log.rows,
                "size_bytes": change.log.size_bytes,
            }
        )
        for change in document.changes
    ]
    return {
        "branch": document.branch,
        "itaipu_version": document.version,
        "base_commit": document.base_sha[:8],
        "changed_entries": len(document.changes),
        "changes": dg.MetadataValue.table(records=records),
        "log_cache_map": dg.MetadataValue.md(f"```json\n{text}```"),
    }
