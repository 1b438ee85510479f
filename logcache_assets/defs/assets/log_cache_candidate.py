"""Stage 4, the asset `log_cache_candidate`; refresh/commit_candidate.py makes the candidate."""

import dagster as dg

from logcache_assets.catalog import Catalog
from logcache_assets.defs.assets.outside_world import MAP
from logcache_assets.defs.left_out import upstream_or_left_out
from logcache_assets.defs.links import commit_value
from logcache_assets.defs.stage import (
    WHOLE,
    Context,
    Materialized,
    Metadata,
    database_key,
    databases_in_run,
    in_turn,
    materialized,
    reuse_shown,
    upstream_document,
)
from logcache_assets.defs.turns import Turn
from logcache_assets.domain.documents import Candidate, LeftOut, NightlyTransaction, PermanentLog
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.ports import ItaipuRepository, ObjectStore, SegmentIndex
from logcache_assets.refresh.commit_candidate import CandidateCommitter
from logcache_assets.refresh.document_store import Documents
from logcache_assets.settings import Settings


def build_log_cache_candidate(catalog: Catalog) -> dg.AssetsDefinition:
    """The asset for the databases of this catalog."""
    names = [definition.database for definition in catalog]

    @dg.asset(
        group_name="candidate",
        tags=WHOLE,
        kinds={"git", "json"},
        deps=[Stage.NIGHT.value, MAP, *(database_key(Stage.PERMANENT_LOG, name) for name in names)],
    )
    def log_cache_candidate(
        context: Context,
        store: dg.ResourceParam[ObjectStore],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        settings: dg.ResourceParam[Settings],
        turn: dg.ResourceParam[Turn],
    ) -> Materialized:
        """The log cache map as it would be after this refresh, committed on its own branch.

        It is the active map with the refreshed entries set; every other entry stays byte for byte. Before the commit
        every pointer is followed to its manifest and files, and the segments that continue each log are checked for
        gaps, overlaps and re-extractions. The commit's short sha is the Itaipu version of the test run.
        """
        documents = Documents(store)
        committer = CandidateCommitter(
            store=store, segment_index=segment_index, repository=repository, settings=settings
        )
        with in_turn(turn, Stage.CANDIDATE):
            night = upstream_document(context, documents, [Stage.NIGHT], NightlyTransaction)
            databases = databases_in_run(context, Stage.PERMANENT_LOG, names) or night.databases
            found = [
                upstream_or_left_out(context, documents, Stage.PERMANENT_LOG, name, PermanentLog) for name in databases
            ]
            copies = [document for document in found if isinstance(document, PermanentLog)]
            left_out = [document for document in found if isinstance(document, LeftOut)]
            candidate = committer.commit(night, copies, left_out=left_out, catalog=names)
            uri = settings.locations.candidate(transaction=candidate.transaction, selection=candidate.selection)
            earlier = documents.find(uri, Candidate)
            digest = documents.write(uri, candidate)
            text = repository.read(MAP_PATH, ref=candidate.sha)
        reused = earlier is not None and earlier.sha == candidate.sha
        changed = "1 entry changed" if len(candidate.changes) == 1 else f"{len(candidate.changes):,} entries changed"
        did = "Reused the earlier commit" if reused else "Committed"
        context.log.info(f"{did} {candidate.version} on {candidate.branch}: {changed}")
        for left in (found for found in candidate.left_out if found.stage == Stage.CANDIDATE):
            context.log.warning(str(left))
        for damage in candidate.damaged:
            context.log.warning(f"active map, in an entry that stays as it is: {damage}")
        for warning in candidate.warnings:
            context.log.warning(
                f"active map, in an entry that this candidate replaces: {warning}; merging the candidate ends it, and "
                "nobody may roll back to that entry"
            )
        return materialized(uri, digest, _metadata(candidate, text, settings) | reuse_shown(reused=reused))

    return log_cache_candidate


def _metadata(candidate: Candidate, text: str, settings: Settings) -> Metadata:
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
        for change in candidate.changes
    ]
    return {
        "branch": candidate.branch,
        "itaipu_version": candidate.version,
        "commit": commit_value(settings, candidate.sha),
        "base_commit": commit_value(settings, candidate.base_sha),
        "changed_entries": len(candidate.changes),
        "changes": dg.MetadataValue.table(records=records),
        "log_cache_map": dg.MetadataValue.md(f"```json\n{text}```"),
    }
