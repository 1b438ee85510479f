"""Reads the facts about a refresh, for the sensor and the command line; domain/next_step.py decides what is next."""

from collections.abc import Sequence
from dataclasses import dataclass

from logcache_assets.catalog import Catalog
from logcache_assets.domain.attempts import Attempt, End, changes_of, find_changes
from logcache_assets.domain.documents import Candidate, Publication, Verdict
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.locations import Stage, name_of, stage_of
from logcache_assets.domain.log_cache_map import is_active
from logcache_assets.domain.next_step import NextStep, Situation, WaitUntil, plan_next_step
from logcache_assets.domain.problems import join_problems
from logcache_assets.domain.standing import StandingReport
from logcache_assets.domain.transactions import Choice
from logcache_assets.errors import BadInput, Refused
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, Ports, SegmentIndex
from logcache_assets.refresh.attempts import Attempts
from logcache_assets.refresh.carry_evidence import EvidenceCarrier
from logcache_assets.refresh.choose_night import NightChooser
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import BaseMap, read_base_map
from logcache_assets.refresh.judge_merge import MergeJudge
from logcache_assets.refresh.publish import Publisher
from logcache_assets.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The refresh that is asked about, and who asks."""

    databases: Catalog
    selection: str
    named: str | None = None
    """A night that a person named."""
    by_person: bool = False
    again: bool = False
    """A person wants a new test run in any case."""
    is_going_on: bool = False
    """A refresh works right now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a refresh of these databases would do now."""

    choice: Choice
    night: str
    """The newest good nightly transaction, or the named one."""
    databases: tuple[str, ...]
    base_sha: str
    attempts: int
    """How many attempts there were."""
    step: NextStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Determines what a refresh would do now."""

    metapod: Metapod
    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository
    clock: Clock
    settings: Settings

    def look_ahead(self, asked: Asked) -> Outlook:
        """Choose a transaction for the databases of a selection and decide what to do next.

        Raises:
            Refused: there is no good transaction, or the open pull request of this refresh must no longer be merged.
        """
        chooser = NightChooser(metapod=self.metapod, store=self.store, clock=self.clock, settings=self.settings)
        choice = chooser.judge(asked.databases, named=asked.named)
        chosen = chooser.require_chosen(choice)
        base = read_base_map(self.repository)
        facts = self._gather(asked, choice, chosen.id, base)
        step = plan_next_step(facts)
        if isinstance(step, WaitUntil) and facts.proposed:
            self._require_still_sound(facts.proposed)
        return Outlook(
            choice=choice,
            night=chosen.id,
            databases=facts.databases,
            base_sha=base.sha,
            attempts=len(facts.attempts),
            step=step,
        )

    def _gather(self, asked: Asked, choice: Choice, night: str, base: BaseMap) -> Situation:
        """Read the facts about the refresh from a night."""
        instances = [instance for database in asked.databases for instance in database.instances]
        attempts = self._attempts.read(transaction=night, selection=asked.selection)
        proposed = self._find_open_publication(night, asked.selection)
        without = attempts[-1].left_out if attempts else {}
        besides = [instance for instance in instances if instance.database not in without]
        return Situation(
            night=night,
            databases=tuple(database.database for database in asked.databases),
            base_sha=base.sha,
            is_active=all(is_active(instance, base.entries, night) for instance in instances),
            is_active_besides=all(is_active(instance, base.entries, night) for instance in besides),
            proposed=proposed,
            base_news=self._find_base_news(night, asked.selection, base) if proposed else (),
            attempts=attempts,
            changed=self._find_changes(instances, attempts[-1], base, choice) if attempts else (),
            due=self._find_due(base),
            next_stage=self._next_stage(night, asked),
            is_prepared=self._is_prepared(night, asked.selection, base.sha),
            is_going_on=asked.is_going_on,
            by_person=asked.by_person or asked.again or asked.named is not None,
            again=asked.again,
            now=self.clock.now(),
            window=self.settings.publish_window,
        )

    @property
    def _attempts(self) -> Attempts:
        return Attempts(
            store=self.store,
            segment_index=self.segment_index,
            repository=self.repository,
            clock=self.clock,
            settings=self.settings,
        )

    def _find_changes(
        self, instances: Sequence[Instance], last: Attempt, base: BaseMap, choice: Choice
    ) -> tuple[str, ...]:
        """What has changed since an attempt that may be repeated; nothing is read after another one.

        A database of which the night has no usable raw log is left out again, whatever has changed.
        """
        is_repeated = last.end in (End.REFUSED, End.UNANSWERED, End.FAILED)
        if not is_repeated and not last.left_out:
            return ()
        changes = find_changes(last.inputs, self._attempts.inputs(instances, base, last.read_t))
        return changes if is_repeated else changes_of(last.left_out.keys() - choice.faults.keys(), changes)

    def _find_base_news(self, night: str, selection: str, base: BaseMap) -> tuple[str, ...]:
        """What the candidate of an open pull request does not know of the present base branch."""
        uri = self.settings.locations.candidate(transaction=night, selection=selection)
        candidate = Documents(self.store).find(uri, Candidate)
        if candidate is None or candidate.base_sha == base.sha:
            return ()
        carrier = EvidenceCarrier(store=self.store, repository=self.repository, settings=self.settings)
        return carrier.find_base_news(candidate, base)

    def _find_due(self, base: BaseMap) -> str | None:
        """Why the published caches ask for a new one, by the last checks of the active map."""
        try:
            found = Documents(self.store).find(self.settings.locations.standing_report, StandingReport)
        except BadInput:  # the next checks write it anew, and nothing but a sentence needs it
            return None
        return found.due if found and found.base_sha == base.sha else None

    def _next_stage(self, night: str, asked: Asked) -> str:
        """The first stage of a refresh that has not written its document."""
        listed = self.store.list_objects(self.settings.locations.refresh(transaction=night))
        done = {(stage_of(item.uri), name_of(item.uri)) for item in listed}
        return next((stage for stage in Stage if not _wrote(stage, asked, done)), Stage.PULL_REQUEST)

    def _is_prepared(self, night: str, selection: str, base_sha: str) -> bool:
        """True if an approved verdict of a candidate on this base is stored."""
        documents, locations = Documents(self.store), self.settings.locations
        candidate = documents.find(locations.candidate(transaction=night, selection=selection), Candidate)
        verdict = documents.find(locations.verdict(transaction=night, selection=selection), Verdict)
        if candidate is None or candidate.base_sha != base_sha or verdict is None or verdict.binding is None:
            return False
        return verdict.approved and verdict.binding.candidate_sha == candidate.sha

    def _find_open_publication(self, transaction: str, selection: str) -> Publication | None:
        """The stored pull request of a refresh, if it is still open."""
        uri = self.settings.locations.publication(transaction=transaction, selection=selection)
        found = Documents(self.store).find(uri, Publication)
        shown = found and self.repository.open_pull_request(found.branch)
        return found if found and shown and shown.number == found.number else None

    def _require_still_sound(self, published: Publication) -> None:
        """Judge a proposal again, because personal data may have been excised since, or somebody pushed to it."""
        publisher = Publisher(
            metapod=self.metapod,
            store=self.store,
            segment_index=self.segment_index,
            repository=self.repository,
            clock=self.clock,
            settings=self.settings,
        )
        if problems := MergeJudge(publisher).find_problems(published.branch, lasting=True):
            raise Refused(
                f"pull request #{published.number} ({published.url}) must not be merged any more: "
                f"{join_problems(problems)}"
            )


def look_ahead(asked: Asked, *, ports: Ports, settings: Settings) -> Outlook:
    """Call Planner.look_ahead with the ports that it needs."""
    planner = Planner(
        metapod=ports.metapod,
        store=ports.store,
        segment_index=ports.segment_index,
        repository=ports.repository,
        clock=ports.clock,
        settings=settings,
    )
    return planner.look_ahead(asked)


def _wrote(stage: Stage, asked: Asked, done: set[tuple[str, str]]) -> bool:
    """True if a stage has written all its documents; a test run's is named by a version."""
    if stage is Stage.TEST_RUN:
        return any(found == stage for found, _ in done)
    of_each = stage in (Stage.EXPORT, Stage.PERMANENT_LOG)
    names = [database.database for database in asked.databases] if of_each else [asked.selection]
    return all((stage, name) in done for name in names)
