"""Step 7: decide whether the candidate may be published, and write the verdict and its report."""

from collections.abc import Sequence
from dataclasses import dataclass

from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.domain.documents import Candidate, ContractInventory, Verdict
from logcache_assets.domain.rules import required_rules
from logcache_assets.domain.rules.results import RuleName
from logcache_assets.domain.same_t_selection import SameTSelection
from logcache_assets.domain.verdict import decide_verdict
from logcache_assets.ports import Clock, ItaipuRepository, ObjectStore
from logcache_assets.refresh.document_store import Documents
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Decides on candidates."""

    store: ObjectStore
    repository: ItaipuRepository
    clock: Clock
    settings: Settings

    def decide(self, candidate: Candidate, inventory: ContractInventory) -> Decision:
        """Decide on a candidate's contracts; write the verdict, and its report as a page and as Markdown.

        Raises:
            BadInput: the validation rules are malformed, or an allowance expired since the contracts were judged.
        """
        read_rules(self.repository, self.clock, sha=candidate.sha)
        required = required_of_contracts(candidate, self.repository, self.settings.same_t)
        verdict = decide_verdict(candidate, inventory, required=required, now=self.clock.now())
        return self._write(candidate, verdict)

    def _write(self, candidate: Candidate, verdict: Verdict) -> Decision:
        documents, locations = Documents(self.store), self.settings.locations
        past = past_verdicts(documents, locations, databases=verdict.databases, besides=verdict.binding)
        markdown = render_report(verdict, candidate=candidate, past=past, template="report.md")
        page = render_report(verdict, candidate=candidate, past=past, template="report.html")
        name = {"transaction": candidate.transaction, "selection": candidate.selection}
        page_uri, uri = locations.report(**name, ending="html"), locations.verdict(**name)
        self.store.write(locations.report(**name, ending="md"), markdown.encode())
        self.store.write(page_uri, page.encode())
        digest = documents.write(uri, verdict)
        return Decision(verdict=verdict, uri=uri, digest=digest, page_uri=page_uri, markdown=markdown)


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
