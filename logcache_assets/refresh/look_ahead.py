"""Reads what decides whether a refresh is due, for the sensor and the command line; domain/due.py decides."""

from dataclasses import dataclass

from logcache_assets.catalog import Catalog
from logcache_assets.domain.documents import Publication
from logcache_assets.domain.due import Refresh, Wait, plan_refresh
from logcache_assets.domain.problems import join_problems
from logcache_assets.domain.transactions import Choice
from logcache_assets.errors import Refused
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, Ports, SegmentIndex
from logcache_assets.refresh.choose_night import NightChooser
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.judge_merge import MergeJudge
from logcache_assets.refresh.publish import Publisher
from logcache_assets.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a refresh of these databases would do now."""

    choice: Choice
    plan: Refresh | Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Determines what a refresh would do now."""

    metapod: Metapod
    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository
    clock: Clock
    settings: Settings

    def look_ahead(self, databases: Catalog, *, selection: str, named: str | None) -> Outlook:
        """Choose a transaction for the databases of a selection and plan on it.

        Raises:
            Refused: there is no good transaction, or the open pull request of this refresh must no longer be merged.
        """
        chooser = NightChooser(metapod=self.metapod, store=self.store, clock=self.clock, settings=self.settings)
        choice = chooser.judge(databases, named=named)
        chosen = chooser.require_chosen(choice)
        base = read_base_map(self.repository)
        published = self._find_open_publication(chosen.id, selection)
        plan = plan_refresh(
            chosen=chosen, databases=databases, active=base.entries, base_sha=base.sha, published=published
        )
        if isinstance(plan, Wait) and published:
            self._require_still_sound(published)
        return Outlook(choice=choice, plan=plan)

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


def look_ahead(databases: Catalog, *, selection: str, named: str | None, ports: Ports, settings: Settings) -> Outlook:
    """Call Planner.look_ahead with the ports that it needs."""
    planner = Planner(
        metapod=ports.metapod,
        store=ports.store,
        segment_index=ports.segment_index,
        repository=ports.repository,
        clock=ports.clock,
        settings=settings,
    )
    return planner.look_ahead(databases, selection=selection, named=named)
