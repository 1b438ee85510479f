"""Step 4: commit the candidate, the active map with the entries of this refresh, on a branch of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from logcache_assets.domain.adoption import unproven_problem
from logcache_assets.domain.documents import (
    Candidate,
    CarriedEvidence,
    ChangedEntry,
    CopiedLog,
    LeftOut,
    NightlyTransaction,
    PermanentLog,
    leave_out,
)
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.domain.locations import Stage, folder_of
from logcache_assets.domain.log_cache_map import (
    MAP_PATH,
    LogCacheMap,
    MapEntry,
    any_entry_of,
    entry_of,
    instances_of,
    map_digest,
    render_map,
    unproven_of,
    with_entries,
)
from logcache_assets.domain.problems import Problem, join_problems
from logcache_assets.domain.pull_request import shortened
from logcache_assets.domain.selections import branch_name, selection_name
from logcache_assets.domain.soundness import is_remedied_by_refresh
from logcache_assets.errors import Refused
from logcache_assets.ports import ItaipuRepository, ObjectStore, SegmentIndex
from logcache_assets.refresh.carry_evidence import EvidenceCarrier
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import BaseMap, Inspector, read_base_map, read_map
from logcache_assets.refresh.screen_databases import require_some
from logcache_assets.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateCommitter:
    """Commits the candidate of a night, made from the copies of its logs."""

    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository
    settings: Settings

    def commit(
        self,
        night: NightlyTransaction,
        copies: Sequence[PermanentLog],
        *,
        left_out: Sequence[LeftOut] = (),
        catalog: Sequence[str],
    ) -> Candidate:
        """Inspect the new map's pointers and commit the map on top of the base branch's head.

        Args:
            night: the night whose logs were copied.
            copies: one per database of the refresh that is not left out.
            left_out: the others; a database whose new entries are not sound joins them.
            catalog: names of all databases; they decide the name of the selection.

        Raises:
            Refused: a copy is of another night, no database's entries are sound, or the map would not change.
        """
        _require_one_transaction(night, (*copies, *left_out))
        base = read_base_map(self.repository)
        asked = [*(copy.database for copy in copies), *(left.database for left in left_out)]
        selection = selection_name(asked, catalog=catalog)
        earlier = self._find_earlier(night.transaction, selection)
        replaced = self._find_replaced(copies, base)
        left_out = (*left_out, *self._find_refused(night, copies, base, replaced))
        carrier = EvidenceCarrier(store=self.store, repository=self.repository, settings=self.settings)
        without = {left.database for left in left_out}
        untested = {copy.database: entries_of(copy) for copy in copies if copy.database not in without}
        left_out = (*left_out, *carrier.find_still_refused(earlier, untested, base))
        without = {left.database for left in left_out}
        kept = [copy for copy in copies if copy.database not in without and _is_new(copy, base)]
        require_some(left_out, asked, self.settings, before="no candidate was committed: ")
        if not kept:
            raise Refused(
                f"nothing to refresh: the map on {self.repository.base_branch} already points to transaction "
                f"{night.transaction}; wait for the next nightly run"
            )
        entries = {i: entry for copy in kept for i, entry in entries_of(copy).items()}
        merged = with_entries(base.entries, entries)
        candidate = self._commit(night, kept, base=base, text=render_map(merged), selection=selection)
        candidate = replace(
            candidate,
            left_out=tuple(left_out),
            up_to_date=tuple(c.database for c in copies if c.database not in without and c not in kept),
            warnings=tuple(_warnings(entries, base, replaced)),
            damaged=self._find_damaged(entries, base),
        )
        return carrier.with_evidence(candidate, earlier, merged)

    def narrow(self, candidate: Candidate, left_out: Sequence[LeftOut], *, tested_sha: str) -> Candidate:
        """Commit a candidate anew on its base, without databases whose contracts were refused.

        Nothing that the contracts of the others are computed from changes, so its test run proves this one, too.
        """
        without = {left.database for left in left_out}
        kept = [change for change in candidate.changes if parse_instance(change.instance).database not in without]
        proposed = read_map(self.repository, ref=candidate.sha)
        base = read_map(self.repository, ref=candidate.base_sha)
        instances = [parse_instance(change.instance) for change in kept]
        entries = {i: entry for i in instances if (entry := entry_of(proposed, i)) is not None}
        text = render_map(with_entries(base, entries))
        databases = tuple(name for name in candidate.databases if name not in without)
        message = _commit_message(
            candidate.transaction, max(e.source_read_at for e in entries.values()), kept, databases
        )
        return replace(
            candidate,
            databases=databases,
            sha=self.repository.commit(
                branch=candidate.branch, parent=candidate.base_sha, files={MAP_PATH: text}, message=message
            ),
            map_sha256=map_digest(text),
            changes=tuple(kept),
            left_out=(*candidate.left_out, *left_out),
            carried=CarriedEvidence(
                sha=tested_sha,
                beside=(
                    *(candidate.carried.beside if candidate.carried else ()),
                    *(f"the entries of {name}" for name in sorted(without)),
                ),
            ),
        )

    @property
    def _inspector(self) -> Inspector:
        return Inspector(Documents(self.store), self.segment_index)

    def _find_refused(
        self,
        night: NightlyTransaction,
        copies: Sequence[PermanentLog],
        base: BaseMap,
        replaced: Sequence[Problem],
    ) -> Iterator[LeftOut]:
        """Yield the databases whose new entries must not be published. A problem of none of them refuses all.

        A damaged or unproven entry is replaced by a sound one, so it forbids nothing but a rollback to it. Where the
        map was edited by hand, whoever did it must know.
        """
        entries = {i: entry for copy in copies for i, entry in entries_of(copy).items()}
        edited = [problem for problem in replaced if not is_remedied_by_refresh(problem)]
        of_new = self._inspector.find_problems(
            with_entries(base.entries, entries), changed=tuple(entries), base=base.entries
        )
        found: dict[str, list[Problem]] = {}
        for problem, told in (*((p, _of_active_map(p)) for p in edited), *((p, p) for p in of_new)):
            found.setdefault(parse_instance(problem.subjects[0]).database, []).append(told)
        own = {copy.database for copy in copies}
        if others := [problem for name, problems in found.items() if name not in own for problem in problems]:
            raise Refused(f"no candidate was committed: {join_problems(others)}")
        for name, problems in found.items():
            yield leave_out(name, problems, stage=Stage.CANDIDATE, transaction=night.transaction)

    def _find_replaced(self, copies: Sequence[PermanentLog], base: BaseMap) -> tuple[Problem, ...]:
        """What is wrong with the active entries that would be replaced."""
        entries = {i: entry for copy in copies for i, entry in entries_of(copy).items()}
        changing = {i: e for i, e in instances_of(base.entries) if i in entries and e != entries[i]}
        return tuple(self._inspector.find_problems_of_pointers(changing))

    def _find_damaged(self, entries: Mapping[Instance, MapEntry], base: BaseMap) -> tuple[Problem, ...]:
        """What is wrong with the active entries that stay."""
        staying = {i: e for i, e in instances_of(base.entries) if i not in entries}
        return tuple(self._inspector.find_problems_of_pointers(staying))

    def _find_earlier(self, transaction: str, selection: str) -> Candidate | None:
        uri = self.settings.locations.candidate(transaction=transaction, selection=selection)
        return Documents(self.store).find(uri, Candidate)

    def _commit(
        self,
        night: NightlyTransaction,
        copies: Sequence[PermanentLog],
        *,
        base: BaseMap,
        text: str,
        selection: str,
    ) -> Candidate:
        databases = tuple(copy.database for copy in copies)
        changes = tuple(_changes(copies, base.entries))
        branch = branch_name(transaction=night.transaction, started_at=night.started_at, selection=selection)
        message = _commit_message(night.transaction, night.started_at, changes, databases)
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
            rewrites_map=render_map(base.entries) != base.text,
        )


def _is_new(copy: PermanentLog, base: BaseMap) -> bool:
    """True if an entry of the database would change."""
    return any(entry_of(base.entries, instance) != entry for instance, entry in entries_of(copy).items())


def _warnings(entries: Mapping[Instance, MapEntry], base: BaseMap, replaced: Sequence[Problem]) -> Iterator[Problem]:
    """What is wrong with the active entries that are replaced: nobody may roll back to them."""
    names = {instance.name for instance in entries}
    yield from (problem for problem in replaced if problem.subjects[0] in names)
    yield from (unproven_problem(i, entry) for i, entry in unproven_of(base.entries).items() if i in entries)


def _of_active_map(problem: Problem) -> Problem:
    return Problem(found=(f"active map, {problem}",))


def entries_of(copy: PermanentLog) -> dict[Instance, MapEntry]:
    """The map entries of the cached logs of a database."""
    return {parse_instance(log.instance): entry_for(copy, log) for log in copy.logs}


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
            active = any_entry_of(base, parse_instance(log.instance))
            yield ChangedEntry(
                instance=log.instance,
                last_t=log.last_t,
                active_t=active.last_t if active else None,
                active_read_at=active.source_read_at if isinstance(active, MapEntry) else None,
                log=log,
            )


def _commit_message(
    transaction: str, read_at: datetime, changes: Sequence[ChangedEntry], databases: Sequence[str]
) -> str:
    lines = [f"{change.instance}: t {change.active_t or 'none'} -> {change.last_t}" for change in changes]
    head = f"Refresh the log cache of {shortened(databases)} to {transaction[:8]}"
    return "\n".join([head, "", f"Transaction {transaction}, read {read_at:%Y-%m-%d %H:%M} UTC.", *lines])


def _require_one_transaction(night: NightlyTransaction, found: Sequence[PermanentLog | LeftOut]) -> None:
    """Refuse what is of another night: a candidate has the logs of one night, and leaves out what has a fault in it."""
    for document in found:
        if document.transaction != night.transaction:
            raise Refused(
                f"permanent_log/{document.database} holds transaction {document.transaction}, nightly_transaction is "
                f"{night.transaction}; materialize log_export and permanent_log of {document.database} first"
            )
