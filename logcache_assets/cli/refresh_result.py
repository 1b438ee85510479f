"""The result of `logcache refresh`, as its JSON document and as lines for a person."""

from collections import Counter
from collections.abc import Iterator

from logcache_assets.cli.output import Result, table
from logcache_assets.domain.wording import sentence_of


class RefreshResult(Result, frozen=True, kw_only=True, tag_field="status"):
    """Base of the three outcomes; the key `status` says which it is."""


class Rejected(Result, frozen=True, kw_only=True):
    """A metapod transaction that was rejected, with the reasons."""

    transaction: str
    type: str
    reasons: list[str]


class NothingToRefresh(RefreshResult, frozen=True, kw_only=True, tag="nothing to refresh"):
    """The newest good transaction is active or proposed already, or something is waited for."""

    reason: str
    rejected: list[Rejected]


class Due(RefreshResult, frozen=True, kw_only=True, tag="due"):
    """What a refresh would do; the result of `--dry-run`."""

    transaction: str
    databases: list[str]
    next: str
    """What it would do next, and why."""
    rejected: list[Rejected]


class Move(Result, frozen=True, kw_only=True):
    """Old and new last t of one instance's cache."""

    active_t: int | None
    """None if the instance has no cache yet."""
    new_t: int


class RefreshedDatabase(Result, frozen=True, kw_only=True):
    """The new caches and contracts of one database."""

    database: str
    instances: dict[str, Move]
    """By instance name, such as `feed-s0`."""
    datoms: int
    """Number of datoms in the new cached logs of all its instances."""
    files: int
    size_bytes: int
    contracts: int
    contracts_passed: int
    differing_rows: dict[str, int]
    """Reason → rows that differ from yesterday's."""


class PullRequestLink(Result, frozen=True, kw_only=True):
    """The pull request in which the proposed map can be read and merged."""

    number: int
    url: str


class Refreshed(RefreshResult, frozen=True, kw_only=True, tag="refreshed"):
    """A finished refresh and its evidence."""

    transaction: str
    """The nightly run that it builds on."""
    itaipu_version: str
    """The candidate's short sha."""
    branch: str
    approved: bool
    databases: list[RefreshedDatabase]
    left_out: dict[str, str]
    """Database that has a fault of its own → why, and what to do; its active cache stays."""
    report: str
    """URL of the report's page."""
    pull_request: PullRequestLink


def render(result: RefreshResult) -> Iterator[str]:
    """The outcome, then every rejected transaction."""
    if isinstance(result, NothingToRefresh):
        yield f"Nothing to refresh: {result.reason}."
    elif isinstance(result, Due):
        yield sentence_of(result.next)
    elif isinstance(result, Refreshed):
        yield from render_refreshed(result)
    if isinstance(result, NothingToRefresh | Due):
        for rejected in result.rejected:
            yield f"Passed over {rejected.type} {rejected.transaction}: {'; '.join(rejected.reasons)}"


def render_refreshed(result: Refreshed) -> Iterator[str]:
    """A table of the databases, then the verdict and where the evidence is."""
    headings = ("database", "old t -> new t", "datoms", "files", "bytes", "contracts")
    yield from table(headings, [_row(found) for found in result.databases])
    reasons: Counter[str] = Counter()
    for found in result.databases:
        reasons.update(found.differing_rows)
    by_reason = ", ".join(f"{rows:,} {reason}" for reason, rows in reasons.most_common())
    yield ""
    yield f"Verdict:       {'approved' if result.approved else 'refused'}"
    yield f"Differences:   {reasons.total():,} rows differ from yesterday's: {by_reason or 'none'}"
    yield f"Report:        {result.report}"
    yield f"Pull request:  #{result.pull_request.number} {result.pull_request.url}"
    for database, why in result.left_out.items():
        yield f"Left out:      {database}, whose active cache stays: {why}"


def _row(found: RefreshedDatabase) -> tuple[object, ...]:
    moves = ", ".join(
        f"{name.rpartition('-')[2]} {move.active_t or 'none'} -> {move.new_t}" for name, move in found.instances.items()
    )
    passed = f"{found.contracts_passed} of {found.contracts} passed"
    return found.database, moves, found.datoms, found.files, found.size_bytes, passed
