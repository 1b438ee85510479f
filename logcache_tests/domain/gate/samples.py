"""A gate that is open, until a test changes one thing that it compares; and one state that breaks each requirement."""

from dataclasses import replace
from datetime import timedelta

from logcache_assets.domain.clocks import Witness
from logcache_assets.domain.documents import Binding, Verdict
from logcache_assets.domain.gate import GateState
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.publish_window import PublishWindow
from logcache_tests.domain.contract_samples import reason
from logcache_tests.domain.samples import BASE_SHA, BINDING, NOW, SHA, TEST_RUN, candidate, changed, verdict

OTHER_SHA = "deadbeef" + "0" * 32

OPEN = GateState(
    candidate=candidate(),
    verdict=verdict(),
    test_transaction=TEST_RUN,
    branch_sha=SHA,
    branch_map_sha256="02" * 32,
    base_sha=BASE_SHA,
    running_contracts=(),
    map_problems=(),
    moved_entries=(),
    rules_problems=(),
    witnesses=(Witness(system="metapod", shows="a commit", at=NOW - timedelta(days=1)),),
    now=NOW,
    window=PublishWindow(start_hour=13, end_hour=23),
)
"""Everything is as it was validated."""


def gate(**fields: object) -> GateState:
    """The open gate with some fields changed."""
    return replace(OPEN, **fields)  # type: ignore[arg-type]


def bound_to(**fields: str) -> Verdict:
    """The approval, bound to something else in some fields."""
    binding: Binding = changed(BINDING, **fields)
    return changed(verdict(), binding=binding)


REFUSED = changed(verdict(), approved=False, reasons=(reason("all gone"),))
DAMAGED = Problem(
    code="C13",
    subjects=("feed-s0",),
    found=("s3://permanent/part-0.parquet is gone",),
    remedy="find out who removed it",
)
EXPIRED = Problem(found=("validation.yaml at 33a485bc: line 2: the allowance expired on 2018-05-01; renew it",))

MOVED = Problem(code="C26", subjects=("feed-s0",), found=("its entry on main was changed",), remedy="refresh again")
LONG_AGO = Witness(system="metapod", shows="a commit", at=NOW - timedelta(days=37))

BROKEN = {
    "verdict_approved": gate(verdict=REFUSED),
    "verdict_of_candidate": gate(verdict=bound_to(candidate_sha=OTHER_SHA)),
    "allowances_hold": gate(rules_problems=(EXPIRED,)),
    "branch_unmoved": gate(branch_sha=OTHER_SHA),
    "base_unmoved": gate(base_sha=OTHER_SHA),
    "entries_unmoved": gate(moved_entries=(MOVED,)),
    "map_sound": gate(map_problems=(DAMAGED,)),
    "clock_agrees": gate(witnesses=(LONG_AGO,)),
    "inside_publish_window": gate(now=NOW + timedelta(hours=10)),
    "no_contract_running": gate(running_contracts=("contract-feed/accounts of DAILY transaction t-1", "x")),
}
"""Requirement → a state that it alone refuses."""

ABSENT = {
    "verdict_approved": gate(verdict=None),
    "verdict_of_candidate": gate(test_transaction=None),
    "allowances_hold": gate(rules_problems=None),
    "branch_unmoved": gate(branch_sha=None),
    "base_unmoved": gate(base_sha=None),
    "entries_unmoved": gate(moved_entries=None),
    "map_sound": gate(map_problems=None),
    "clock_agrees": gate(witnesses=None),
    "inside_publish_window": gate(window=PublishWindow(start_hour=0, end_hour=0)),
    "no_contract_running": gate(running_contracts=None),
}
"""Requirement → a state in which what it compares is absent."""
