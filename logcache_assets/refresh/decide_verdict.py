"""Step 7: decide whether the candidate may be published, and write the verdict and its report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.domain.documents import Candidate, ContractInventory, LeftOut, TestRun, Verdict
from logcache_assets.domain.locations import REFUSED_PART
from logcache_assets.domain.rules import required_rules
from logcache_assets.domain.rules.results import RuleName
from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.domain.verdict import decide_verdict
from logcache_assets.ports import Clock, ItaipuRepository, ObjectStore, SegmentIndex
from logcache_assets.refresh.commit_candidate import CandidateCommitter
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.narrow_candidate import Narrowed, find_refused, narrow
from logcache_assets.refresh.past_verdicts import past_verdicts
from logcache_assets.refresh.pinned_definitions import read_definition
from logcache_assets.refresh.pinned_rules import read_rules
from logcache_assets.report import render_report
from logcache_assets.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A stored verdict and its report."""

    verdict: Verdict
    uri: str
    digest: str
    """SHA-256 of the document."""
    page_uri: str
    """URI of the report as an HTML page."""
    markdown: str
    """The report as Markdown."""
    narrowed: Narrowed | None = None
    """What took the candidate's place, if some of its databases were refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Decides on candidates."""

    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository
    clock: Clock
    settings: Settings

    def decide(self, candidate: Candidate, inventory: ContractInventory, run: TestRun | None = None) -> Decision:
        """Decide on a candidate's contracts; write the verdict, and its report as a page and as Markdown.

        If only some databases are refused, the candidate is committed again without them, and that one is decided on.

        Args:
            candidate: of the refresh.
            inventory: what the rules said of its contracts.
            run: the test run that computed them; without it the candidate stays as it is.

        Raises:
            BadInput: the validation rules are malformed, or an allowance expired since the contracts were judged.
        """
        read_rules(self.repository, self.clock, sha=candidate.sha)
        required = required_of_contracts(candidate, self.repository, self.settings.same_t)
        verdict = decide_verdict(candidate, inventory, required=required, now=self.clock.now())
        refused: tuple[LeftOut, ...] = ()
        if run and not verdict.approved and not self.settings.all_or_nothing:
            refused = tuple(find_refused(candidate, inventory, verdict, required=required))
        if run is None or not 0 < len(refused) < len(candidate.databases):
            return self._write(candidate, verdict)
        # What was refused has a report of its own, to which the other one links.
        self._write_report(candidate, verdict, selection=f"{candidate.selection}{REFUSED_PART}")
        return self._decide_without(refused, candidate, inventory, run)

    def _decide_without(
        self, refused: tuple[LeftOut, ...], candidate: Candidate, inventory: ContractInventory, run: TestRun
    ) -> Decision:
        """Take refused databases out of the candidate, and decide on the rest."""
        committer = CandidateCommitter(
            store=self.store, segment_index=self.segment_index, repository=self.repository, settings=self.settings
        )
        narrowed = narrow(candidate, inventory, run, refused, committer=committer)
        rest = narrowed.candidate
        required = required_of_contracts(rest, self.repository, self.settings.same_t)
        verdict = decide_verdict(rest, narrowed.inventory, required=required, now=self.clock.now())
        return replace(self._write(rest, verdict), narrowed=narrowed)

    def _write(self, candidate: Candidate, verdict: Verdict) -> Decision:
        page_uri, markdown = self._write_report(candidate, verdict, selection=candidate.selection)
        uri = self.settings.locations.verdict(transaction=candidate.transaction, selection=candidate.selection)
        digest = Documents(self.store).write(uri, verdict)
        return Decision(verdict=verdict, uri=uri, digest=digest, page_uri=page_uri, markdown=markdown)

    def _write_report(self, candidate: Candidate, verdict: Verdict, *, selection: str) -> tuple[str, str]:
        """Write a report; returns the URI of its page, and its Markdown."""
        documents, locations = Documents(self.store), self.settings.locations
        past = past_verdicts(documents, locations, databases=verdict.databases, besides=verdict.binding)
        markdown = render_report(verdict, candidate=candidate, past=past, template="report.md")
        page = render_report(verdict, candidate=candidate, past=past, template="report.html")
        name = {"transaction": candidate.transaction, "selection": selection}
        page_uri = locations.report(**name, ending="html")
        self.store.write(locations.report(**name, ending="md"), markdown.encode())
        self.store.write(page_uri, page.encode())
        return page_uri, markdown


def required_of_contracts(
    candidate: Candidate, repository: ItaipuRepository, same_t: SameTSelection
) -> dict[str, Sequence[RuleName]]:
    """Dataset → the rules it must pass, for every contract that the candidate's commit declares."""
    required: dict[str, Sequence[RuleName]] = {}
    for database in candidate.databases:
        definition = read_definition(repository, database, sha=candidate.sha)
        for table in contract_tables(definition):
            required[table.dataset] = required_rules(table, definition, same_t)
    return required
