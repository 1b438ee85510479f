"""The state that the gate judges, gathered at one moment."""

from dataclasses import dataclass
from datetime import datetime

from logcache_assets.domain.clocks import Witness
from logcache_assets.domain.documents import Candidate, Verdict
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.publish_window import PublishWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class GateState:
    """The candidate, and the current state of everything that the gate compares with it.

    None means absent or not examined and is always refused; an empty tuple means examined, and nothing found.
    """

    candidate: Candidate
    verdict: Verdict | None
    test_transaction: str | None
    """metapod transaction of the newest test run at the candidate."""
    branch_sha: str | None
    """Commit of the candidate's branch."""
    branch_map_sha256: str | None
    """Digest of the map on the candidate's branch."""
    base_sha: str | None
    """Commit of the base branch."""
    running_contracts: tuple[str, ...] | None
    """Contracts of open transactions that are still being computed."""
    map_problems: tuple[Problem, ...] | None
    """Problems found when the candidate's map was inspected."""
    moved_entries: tuple[Problem, ...] | None
    """Entries of this refresh that changed on the base branch since the candidate was built."""
    rules_problems: tuple[Problem, ...] | None
    """Problems in the file of rules at the candidate's commit, such as an allowance that has expired."""
    witnesses: tuple[Witness, ...] | None
    """The newest instant that each outside system shows."""
    now: datetime
    window: PublishWindow
