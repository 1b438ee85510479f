"""Step 4: commit the candidate, the active map with the entries of this refresh, on a branch of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from logcache_assets.domain.documents import (
    Candidate,
    ChangedEntry,
    CopiedLog,
    NightlyTransaction,
    PermanentLog,
)
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.domain.locations import folder_of
from logcache_assets.domain.log_cache_map import (
    MAP_PATH,
    LogCacheMap,
    MapEntry,
    entry_of,
    instances_of,
    map_digest,
    render_map,
    with_entries,
)
from logcache_assets.domain.problems import Problem, join_problems
from logcache_assets.domain.pull_request import shortened
from logcache_assets.domain.selections import branch_name, selection_name
from logcache_assets.domain.soundness import is_remedied_by_refresh
from logcache_assets.errors import Refused
from logcache_assets.ports import ItaipuRepository, ObjectStore, SegmentIndex
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import BaseMap, Inspector, read_base_map


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateCommitter:
    """Commits the candidate of a night, made from the copies of its logs."""

    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository

    def commit(self, night: NightlyTransaction, copies: Sequence[PermanentLog], *, catalog: Sequence[str]) -> Candidate:
        """Inspect the new map's pointers and commit the map on top of the base branch's head.

        Args:
            night: the night whose logs were copied.
            copies: one per database of the refresh.
            catalog: names of all databases; they decide the name of the selection.

        Raises:
            Refused: a copy is of another night, a pointer or segment is not sound, or the map would not change.
        """
        _require_one_transaction(night, copies)
        base = read_base_map(self.repository)
        entries = {parse_instance(log.instance): entry_for(copy, log) for copy in copies for log in copy.logs}
        merged = with_entries(base.entries, entries)
        warnings = self._require_sound(merged, entries, base)
        if merged == base.entries:
            raise Refused(
                f"nothing to refresh: the map on {self.repository.base_branch} already points to transaction "
                f"{night.transaction}; wait for the next nightly run"
            )
        candidate = self._commit(night, copies, base=base, text=render_map(merged), catalog=catalog)
        return replace(candidate, warnings=warnings)

    def _require_sound(
        self, merged: LogCacheMap, entries: Mapping[Instance, MapEntry], base: BaseMap
    ) -> tuple[Problem, ...]:
        """Refuse problems of the new map, and return the damage of the entries that it replaces.

        A damaged entry is replaced by a sound one, so its damage forbids nothing but a rollback to it. Where the map
        was edited by hand, whoever did it must know.
        """
        inspector = Inspector(Documents(self.store), self.segment_index)
        changing = [(i, e) for i, e in instances_of(base.entries) if i in entries and e != entries[i]]
        replaced = [problem for i, e in changing for problem in inspector.find_pointer_problems(i, e)]
        edited = (f"active map, {problem}" for problem in replaced if not is_remedied_by_refresh(problem))
        found = [*edited, *inspector.find_problems(merged, changed=tuple(entries), base=base.entries)]
        if found:
            raise Refused(f"no candidate was committed: {join_problems(found)}")
        return tuple(replaced)

    def _commit(
        self,
        night: NightlyTransaction,
        copies: Sequence[PermanentLog],
        *,
        base: BaseMap,
        text: str,
        catalog: Sequence[str],
    ) -> Candidate:
        databases = tuple(copy.database for copy in copies)
        changes = tuple(_changes(copies, base.entries))
        selection = selection_name(databases, catalog=catalog)
        branch = branch_name(transaction=night.transaction, started_at=night.started_at, selection=selection)
        message = _commit_message(night, changes, databases)
        return Candidate(
            transaction=night.transaction,
            selection=selection,
            databases=databases,
            branch=branch,
            sha=self.repository.commit(branch=branch, parent=base.sha, files={MAP_PATH: text}, message=message),
            base_sha=base.sha,
            base_map_sha256=map_digest(base.text),
            map_sha256=map_digest(text),
            changes=changes,
        )


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


def _require_one_transaction(night: NightlyTransaction, copies: Sequence[PermanentLog]) -> None:
    """Refuse copies of another night, because a candidate has the logs of one night."""
    for copy in copies:
        if copy.transaction != night.transaction:
            raise Refused(
                f"permanent_log/{copy.database} holds transaction {copy.transaction}, nightly_transaction is "
                f"{night.transaction}; materialize log_export and permanent_log of {copy.database} first"
            )
