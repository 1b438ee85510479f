"""Everything that the gate compares, gathered at one moment."""

from dataclasses import dataclass
from datetime import datetime

from logcache_assets.domain.documents import Candidate, Verdict
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.publish_window import PublishWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class GateState:
    """The candidate, and the world around it as it is now.

    None means absent or not looked at, and is always refused: an empty tuple says that somebody looked and found
    nothing.
    """

    candidate: Candidate
    verdict: Verdict | None
    test_transaction: str | None
    """metapod transaction of the newest test run at the candidate."""
    branch_sha: str | None
    """Where the candidate's branch is."""
    branch_map_sha256: str | None
    """Digest of the map on the candidate's branch."""
    base_sha: str | None
    """Where the base branch is."""
    running_contracts: tuple[str, ...] | None
    """Contracts of open transactions that are still being computed."""
    map_problems: tuple[Problem, ...] | None
    """Found when the candidate's map was inspected."""
    rules_problems: tuple[Problem, ...] | None
    """Found in the file of rules at the candidate's commit, such as an allowance that has expired."""
    now: datetime
    window: PublishWindow
