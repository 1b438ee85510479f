"""The JSON documents that stages write when they end. Stages hand over nothing else.

They are canonical JSON like the map, so a document's SHA-256 identifies it. None holds a value of a contract or a log.
log_documents.py has those that describe raw logs.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TypeVar

import msgspec

from logcache_assets.domain.canonical_json import canonical_json, sha256_of
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.domain.json_text import NotJsonError, UnfitJsonError, decode_json
from logcache_assets.domain.problems import Problem, join_problems
from logcache_assets.domain.rules.results import AppliedAllowance, RuleResult
from logcache_assets.domain.wording import count_of
from logcache_assets.errors import BadInput


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all documents."""


DocumentType = TypeVar("DocumentType", bound=Document)


class RejectedTransaction(Document, frozen=True, kw_only=True):
    """A metapod transaction that was rejected, with the reasons."""

    transaction: str
    type: str
    started_at: datetime
    reasons: tuple[str, ...]


class LeftOut(Document, frozen=True, kw_only=True):
    """A database that a refresh leaves out, so that the others can go on."""

    transaction: str
    database: str
    stage: str
    """The stage that found it."""
    problems: tuple[Problem, ...]

    @property
    def reasons(self) -> str:
        """The first problems, and how many more there are."""
        return join_problems(self.problems, shown=2)

    @property
    def sentence(self) -> str:
        """`feed is left out: raw-feed-s0/log was aborted (C12), and 1 more reason; wait …`, the remedy at the end."""
        first, more = self.problems[0], len(self.problems) - 1
        about = f"{first.subject}: " if first.subject and first.subject != self.database else ""
        found = "; ".join(first.clauses[:-1] if first.remedy else first.clauses)
        others = f", and {count_of(more, 'more reason')}" if more else ""
        remedy = f"; {first.remedy}" if first.remedy else ""
        return f"{self.database} is left out: {about}{found}{others}{remedy}"

    def __str__(self) -> str:
        """`feed is left out: feed: raw-feed-s0/log was aborted (C12); wait …`."""
        return f"{self.database} is left out: {self.reasons}"


def leave_out(database: str, problems: Iterable[Problem], *, stage: str, transaction: str) -> LeftOut:
    """Leave a database out of the refresh of a night."""
    found = tuple(problem.plain for problem in problems)
    return LeftOut(transaction=transaction, database=database, stage=str(stage), problems=found)


class NightlyTransaction(Document, frozen=True, kw_only=True):
    """The nightly transaction that a refresh builds on."""

    transaction: str
    type: str
    started_at: datetime
    """When the run began to read segments: the cached logs' source_read_at."""
    target_date: date | None
    databases: tuple[str, ...]
    """That were asked for; those that are left out are among them."""
    raw_paths: dict[str, str]
    """Raw dataset name → folder; none of a database that is left out."""
    rejected: tuple[RejectedTransaction, ...]
    left_out: tuple[LeftOut, ...] = ()


class CopiedLog(Document, frozen=True, kw_only=True):
    """One cached log and the digest of its manifest."""

    instance: str
    last_t: int
    manifest: str
    manifest_sha256: str
    rows: int
    files: int
    size_bytes: int


class PermanentLog(Document, frozen=True, kw_only=True):
    """The cached logs of one database."""

    transaction: str
    database: str
    source_read_at: datetime
    logs: tuple[CopiedLog, ...]


class ChangedEntry(Document, frozen=True, kw_only=True):
    """How the candidate changes one entry of the map."""

    instance: str
    last_t: int
    active_t: int | None
    """last_t of the entry in the active map; None if the instance has none."""
    active_read_at: datetime | None
    log: CopiedLog


class CarriedEvidence(Document, frozen=True, kw_only=True):
    """Which earlier commit's contracts prove a candidate, and why they do."""

    sha: str
    """The commit at which Itaipu computed them."""
    beside: tuple[str, ...]
    """What is not the same in both commits; the contracts of the candidate are computed from none of it."""


class Candidate(Document, frozen=True, kw_only=True):
    """The candidate map as a commit."""

    transaction: str
    selection: str
    """The short name of its databases in documents and branches."""
    databases: tuple[str, ...]
    branch: str
    sha: str
    base_sha: str
    base_map_sha256: str
    map_sha256: str
    changes: tuple[ChangedEntry, ...]
    warnings: tuple[Problem, ...] = ()
    """What is wrong with the active entries that it replaces: nobody may roll back to these."""
    left_out: tuple[LeftOut, ...] = ()
    """The databases of the selection that it does not refresh."""
    up_to_date: tuple[str, ...] = ()
    """The databases of the selection whose active entries are this night's already."""
    carried: CarriedEvidence | None = None
    """Set if its contracts need not be computed again."""
    news: tuple[str, ...] = ()
    """Why those of the candidate before it do not prove it; empty for the first one."""
    damaged: tuple[Problem, ...] = ()
    """What is wrong with entries of other databases, which stay as they are."""
    rewrites_map: bool = False
    """The base branch's map was written by hand, so every line of the file may change; no other entry does."""

    @property
    def version(self) -> str:
        """The Itaipu version: the short sha."""
        return self.sha[:8]

    @property
    def tested_sha(self) -> str:
        """The commit at which its contracts are computed."""
        return self.carried.sha if self.carried else self.sha


class BegunTestRun(Document, frozen=True, kw_only=True):
    """A test run as it was begun; written before it starts, and again when it names its transaction."""

    candidate_sha: str
    dataset_prefix: str
    token: str
    """Names the run's output on the machine that began it."""
    started_at: datetime
    deadline: datetime
    """After it the run counts as dead."""
    begun_t: dict[str, int]
    """Instance → newest t of the segment index when the run began."""
    night: str
    """The nightly transaction that the candidate was made from."""
    known: tuple[str, ...]
    """The transactions that metapod showed before the run began."""
    transaction: str | None = None
    """Of the run, in metapod; None until it is named."""
    is_over: bool = False
    """Whether nothing of it is left on the platform: it ended by itself, or was stopped."""


class TestRun(Document, frozen=True, kw_only=True):
    """The Itaipu run at the candidate."""

    __test__ = False  # not a test class

    candidate_sha: str
    map_sha256: str
    transaction: str
    """Of the test run, in metapod."""
    dataset_prefix: str
    aborted: dict[str, str]
    """Dataset → why it failed, for the failures that the run's output names."""
    computed_at: str = ""
    """The commit at which Itaipu ran, if not at the candidate's; what contracts are computed from is the same there."""
    indexed_t: dict[str, tuple[int, int]] = {}
    """Instance → newest t of the segment index when the run began, and when it ended."""


class ContractOutcome(Document, frozen=True, kw_only=True):
    """One contract of the test run, with the result of every rule."""

    dataset: str
    state: str
    """`committed`, `aborted`, `uncommitted` or `absent`."""
    uri: str | None
    rows: int | None
    yesterday_rows: int | None
    results: tuple[RuleResult, ...]
    figures: ContractFigures | None = None
    """The figures that the rules judged; None if there was no table."""

    @property
    def passed(self) -> bool:
        """True if there is at least one result and none of them blocks."""
        return bool(self.results) and not any(result.blocks for result in self.results)


class InstanceSpan(Document, frozen=True, kw_only=True):
    """The part of an instance's log between both days: the datoms with yesterday_t < t <= today_t."""

    instance: str
    yesterday_t: int
    """Last t of yesterday's log; 0 if there was none."""
    today_t: int
    """Last t of today's log."""


class Binding(Document, frozen=True, kw_only=True):
    """The exact commit, map and runs that a verdict is about."""

    candidate_sha: str
    map_sha256: str
    test_transaction: str
    yesterday_transaction: str


class ContractInventory(Document, frozen=True, kw_only=True):
    """Every contract of the refreshed databases, as the test run left it."""

    binding: Binding | None
    """None outside a refresh."""
    spans: tuple[InstanceSpan, ...]
    outcomes: tuple[ContractOutcome, ...]
    allowances: tuple[AppliedAllowance, ...] = ()
    """Every entry of the allow-list."""
    rules_sha256: str = ""
    """SHA-256 of the file of rules; empty if there is none."""
    warnings: tuple[Problem, ...] = ()
    """Settings that have no effect, for the reviewer."""


class Verdict(Document, frozen=True, kw_only=True):
    """Whether a candidate may be published, bound to exactly what was checked (C29)."""

    approved: bool
    reasons: tuple[Problem, ...]
    """Why the candidate is refused, the likely cause first; empty if it is approved."""
    warnings: tuple[Problem, ...] = ()
    """Problems that do not block, for the reviewer."""
    binding: Binding | None
    """None outside a refresh: nothing can be published with it."""
    databases: tuple[str, ...]
    spans: tuple[InstanceSpan, ...]
    decided_at: datetime
    contracts: tuple[ContractOutcome, ...]
    allowances: tuple[AppliedAllowance, ...] = ()
    rules_sha256: str = ""
    left_out: tuple[LeftOut, ...] = ()
    """Databases of the refresh that it does not approve, because the candidate leaves them as they are."""


class Publication(Document, frozen=True, kw_only=True):
    """The pull request of a candidate."""

    candidate_sha: str
    base_sha: str
    branch: str
    number: int
    url: str
    verdict_sha256: str


def render_document(document: Document) -> str:
    """Canonical JSON: sorted keys, two spaces, final newline."""
    return canonical_json(document)


def parse_document(text: str | bytes, kind: type[DocumentType], *, where: str) -> DocumentType:
    """Parse a document of this kind; raises BadInput with its name if it is none."""
    try:
        return decode_json(text, kind)
    except UnfitJsonError as error:
        raise BadInput(f"{where} is no {kind.__name__} document: {error}; remove it and run its stage again") from error
    except NotJsonError as error:
        raise BadInput(f"{where} is not JSON: {error}; remove it and run its stage again") from error


def document_digest(text: str) -> str:
    """SHA-256 of a document's bytes."""
    return sha256_of(text)
