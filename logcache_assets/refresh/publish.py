"""Step 8: publish a candidate. Gathers everything that the gate judges, then opens or updates the pull request.

domain/gate/ has the requirements; domain/pull_request.py renders the text of the pull request.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from logcache_assets.domain.documents import Candidate, Publication, TestRun, Verdict, document_digest, render_document
from logcache_assets.domain.gate import GateState, find_gate_problems
from logcache_assets.domain.gate.verdict_approved import READ_REPORT, refused_verdict_problem
from logcache_assets.domain.log_cache_map import MAP_PATH, map_digest
from logcache_assets.domain.merge_status import approved_status
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.pull_request import render_body, render_title, superseded_text
from logcache_assets.domain.refusals import sentence_of_refusal
from logcache_assets.domain.running_contracts import Readers, find_readers
from logcache_assets.domain.superseding import supersedes
from logcache_assets.domain.transactions import Transaction, TransactionType
from logcache_assets.engine.log.index_snapshot import IndexSnapshot
from logcache_assets.errors import BadInput, NotYet, Outdated, Refused, WrongData
from logcache_assets.ports import (
    Clock,
    ItaipuRepository,
    Metapod,
    ObjectStore,
    PathNotFoundError,
    Ports,
    PullRequest,
    SegmentIndex,
    UnknownTransactionError,
)
from logcache_assets.refresh.begun_test_runs import own_runs
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.find_candidate import find_candidate
from logcache_assets.refresh.inspect_map import Inspector, find_map_problems, find_moved_entries
from logcache_assets.refresh.newest_instants import NewestInstants
from logcache_assets.refresh.pinned_rules import read_rules
from logcache_assets.report import render_report
from logcache_assets.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A pull request, and the URI and digest of its document."""

    pull_request: PullRequest
    uri: str
    digest: str
    """SHA-256 of the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Publishes candidates; every call reads the current state from the ports."""

    metapod: Metapod
    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository
    clock: Clock
    settings: Settings

    def publish(self, candidate: Candidate, verdict: Verdict, run: TestRun) -> Published:
        """Open the candidate's pull request, or update the open one, and write its document.

        Raises:
            NotYet: only the hour, or a run of others, is in the way.
            Outdated: the base branch moved.
            Refused: another requirement of the gate is not met.
        """
        problems = tuple(find_gate_problems(self.gather(candidate, verdict, run)))
        if problems:
            raise refusal_of(problems, verdict)
        # Evidence that could be carried may not have been used: a person may have asked for a new run.
        shown = candidate if run.computed_at else replace(candidate, carried=None)
        pull_request = self._propose(shown, verdict)
        self.repository.set_merge_status(candidate.sha, approved_status(verdict, url=self.report_link(candidate)))
        self._close_superseded(candidate, pull_request)
        publication = Publication(
            candidate_sha=candidate.sha,
            base_sha=candidate.base_sha,
            branch=candidate.branch,
            number=pull_request.number,
            url=pull_request.url,
            verdict_sha256=document_digest(render_document(verdict)),
        )
        uri = self.settings.locations.publication(transaction=candidate.transaction, selection=candidate.selection)
        return Published(pull_request=pull_request, uri=uri, digest=Documents(self.store).write(uri, publication))

    def _propose(self, candidate: Candidate, verdict: Verdict) -> PullRequest:
        # Rendered from the verdict, whose digest is known; the stored Markdown may have been edited.
        report = render_report(verdict, candidate=candidate, template="report.md")
        page = self._report_page(candidate)
        return self.repository.propose(
            branch=candidate.branch,
            title=render_title(candidate),
            body=render_body(
                candidate,
                verdict,
                report_uri=page,
                now=self.clock.now(),
                report=report,
                report_url=self.settings.report_link(page),
            ),
        )

    def report_link(self, candidate: Candidate) -> str | None:
        """The address at which a browser finds the report on a candidate; None if there is none."""
        return self.settings.report_link(self._report_page(candidate))

    def _report_page(self, candidate: Candidate) -> str:
        locations = self.settings.locations
        return locations.report(transaction=candidate.transaction, selection=candidate.selection, ending="html")

    def _close_superseded(self, candidate: Candidate, pull_request: PullRequest) -> None:
        """Close older open pull requests whose log caches this one refreshes, too."""
        for other in self.repository.open_pull_requests(changing=MAP_PATH):
            older = self._candidate_of(other.branch) if other.number < pull_request.number else None
            if older is not None and supersedes(candidate, older):
                self.repository.close(other.number, comment=superseded_text(candidate, pull_request.number))

    def _candidate_of(self, branch: str) -> Candidate | None:
        """The candidate on a branch; None on a branch of people, whatever is on it."""
        try:
            return find_candidate(branch, self.store, self.repository, self.settings.locations)
        except WrongData:
            return None

    def gather(self, candidate: Candidate, verdict: Verdict | None, run: TestRun | None) -> GateState:
        """Read the current state of everything that the gate compares."""
        branch_sha = self.repository.head(candidate.branch)
        text = self._read_map(candidate.branch) if branch_sha else None
        index, recent = IndexSnapshot(self.segment_index), self._recent_runs()
        inspector = Inspector(Documents(self.store), index)
        instants = NewestInstants(store=self.store, segment_index=index, locations=self.settings.locations)
        runs = (*recent, *self._runs_of(run))
        return GateState(
            candidate=candidate,
            verdict=verdict,
            test_transaction=run.transaction if run else None,
            branch_sha=branch_sha,
            branch_map_sha256=map_digest(text) if text is not None else None,
            base_sha=self.repository.head(self.repository.base_branch),
            running_contracts=self._readers(recent).running,
            map_problems=_found(find_map_problems(candidate, text, self.repository, inspector))
            if text is not None
            else None,
            moved_entries=_found(find_moved_entries(candidate, self.repository)),
            rules_problems=self._find_rules_problems(candidate),
            witnesses=tuple(instants.find(candidate, runs)),
            now=self.clock.now(),
            window=self.settings.publish_window,
        )

    def _read_map(self, branch: str) -> str | None:
        try:
            return self.repository.read(MAP_PATH, ref=branch)
        except PathNotFoundError:
            return None

    def find_readers(self) -> Readers:
        """The runs whose contracts are unfinished: those that may read the active map, and those that died."""
        return self._readers(self._recent_runs())

    def _readers(self, recent: Sequence[Transaction]) -> Readers:
        return find_readers(recent, own=own_runs(self.store, self.settings.locations), now=self.clock.now())

    def _recent_runs(self) -> tuple[Transaction, ...]:
        since = self.clock.now() - timedelta(days=self.settings.lookback_days)
        return self.metapod.transactions(TransactionType.DAILY, TransactionType.CUSTOM, since=since)

    def _runs_of(self, run: TestRun | None) -> tuple[Transaction, ...]:
        """The transaction of a test run, which a clock that is ahead takes for one of long ago."""
        try:
            return (self.metapod.transaction(run.transaction),) if run else ()
        except UnknownTransactionError:
            return ()

    def _find_rules_problems(self, candidate: Candidate) -> tuple[Problem, ...]:
        try:
            read_rules(self.repository, self.clock, sha=candidate.sha)
        except BadInput as error:
            return (Problem(found=(str(error),)),)
        return ()

    def is_published(self, candidate: Candidate) -> bool:
        """True if the map on the base branch is the candidate's."""
        text = self._read_map(self.repository.base_branch)
        return text is not None and map_digest(text) == candidate.map_sha256


def kind_of_refusal(problems: Collection[Problem]) -> type[Refused]:
    """The error by which whoever decides what to do next can tell these problems of the gate apart."""
    codes = {problem.code for problem in problems}
    if "C26" in codes:
        return Outdated
    return NotYet if codes == {"C11"} else Refused


def refusal_of(problems: Sequence[Problem], verdict: Verdict) -> Refused:
    """The refusal for these problems of the gate; each reason of a refused verdict is one of its problems."""
    if verdict.approved:
        causes, consequence = problems, "no pull request was opened"
    else:
        others = [problem for problem in problems if problem != refused_verdict_problem(verdict)]
        causes = (*verdict.reasons, *others)
        consequence = f"no pull request was opened: the verdict is not approved; {READ_REPORT}"
    return kind_of_refusal(problems)(sentence_of_refusal(causes, consequence), problems=causes)


def _found(problems: Iterator[Problem]) -> tuple[Problem, ...]:
    """All problems; a malformed file that ends their search is one."""
    found: list[Problem] = []
    try:
        found.extend(problems)
    except BadInput as error:
        found.append(Problem(found=(str(error),)))
    return tuple(found)


def publisher_of(ports: Ports, settings: Settings) -> Publisher:
    """The publisher with the ports that it needs."""
    return Publisher(
        metapod=ports.metapod,
        store=ports.store,
        segment_index=ports.segment_index,
        repository=ports.repository,
        clock=ports.clock,
        settings=settings,
    )


def find_evidence(candidate: Candidate, publisher: Publisher) -> tuple[Verdict | None, TestRun | None]:
    """The stored verdict and test run of a candidate; their digests are not checked."""
    documents, locations = Documents(publisher.store), publisher.settings.locations
    verdict_uri = locations.verdict(transaction=candidate.transaction, selection=candidate.selection)
    run_uri = locations.test_run(transaction=candidate.transaction, version=candidate.version)
    return documents.find(verdict_uri, Verdict), documents.find(run_uri, TestRun)


def find_obstacles(candidate: Candidate, *, ports: Ports, settings: Settings) -> tuple[Problem, ...]:
    """Reasons not to publish a candidate now; empty if it is published already.

    Reads the stored verdict and test run without checking their digests, which the pull request's stage does check.
    """
    publisher = publisher_of(ports, settings)
    if publisher.is_published(candidate):
        return ()
    return tuple(find_gate_problems(publisher.gather(candidate, *find_evidence(candidate, publisher))))
