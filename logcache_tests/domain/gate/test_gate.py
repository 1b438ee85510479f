"""The gate requires a verdict on exactly this candidate, and that no run is computing contracts."""

from datetime import timedelta

import pytest

from logcache_assets.domain.gate import (
    MERGING,
    REQUIREMENTS,
    GateState,
    Requirement,
    find_gate_problems,
    find_merge_problems,
)
from logcache_assets.domain.problems import CODES
from logcache_tests.domain.gate.samples import ABSENT, BROKEN, MOVED, OPEN, REFUSED, bound_to, gate
from logcache_tests.domain.samples import NOW, changed, verdict

EACH = tuple({requirement.name: requirement for requirement in (*REQUIREMENTS, *MERGING)}.values())
"""Every requirement of a proposal or of a merge."""
EACH_REQUIREMENT = pytest.mark.parametrize("requirement", EACH, ids=lambda requirement: requirement.name)


def test_the_gate_opens_when_everything_is_as_validated() -> None:
    """It finds no problem."""
    assert list(find_gate_problems(OPEN)) == []


@pytest.mark.parametrize(
    ("state", "parts"),
    [
        pytest.param(
            BROKEN["verdict_approved"],
            ("the verdict is not approved: contract-feed/accounts: all gone; ", "refresh again"),
            id="a refused verdict",
        ),
        pytest.param(
            gate(verdict=changed(REFUSED, reasons=REFUSED.reasons * 5)),
            ("not approved: ", "; and 2 more; "),
            id="a refused verdict with many reasons",
        ),
        pytest.param(
            BROKEN["verdict_of_candidate"],
            ("the verdict is of commit deadbeef, not of the candidate 33a485bc and its test run (C29); materialize",),
            id="a verdict of another commit",
        ),
        pytest.param(
            gate(verdict=bound_to(map_sha256="03" * 32)),
            ("the verdict is of", "(C29); materialize"),
            id="of another map",
        ),
        pytest.param(
            gate(verdict=bound_to(yesterday_transaction="x")),
            ("the verdict is of", "(C29); materialize"),
            id="of another night",
        ),
        pytest.param(
            gate(verdict=bound_to(test_transaction="x")),
            ("the verdict is of", "and its test run (C29); materialize"),
            id="of another test run",
        ),
        pytest.param(
            gate(test_transaction="x"),
            ("the verdict is of", "and its test run (C29); materialize"),
            id="of a test run that was repeated since",
        ),
        pytest.param(
            gate(test_transaction=None),
            ("no test run of the candidate 33a485bc is stored (C29); materialize itaipu_test_run",),
            id="without a test run",
        ),
        pytest.param(
            gate(verdict=changed(verdict(), binding=None)),
            ("the verdict is of no candidate", "(C29); materialize"),
            id="of no candidate",
        ),
        pytest.param(
            BROKEN["allowances_hold"], ("the allowance expired on 2018-05-01; renew it",), id="an expired allowance"
        ),
        pytest.param(
            gate(rules_problems=None), ("validation.yaml was not read at 33a485bc (C29); run",), id="rules not read"
        ),
        pytest.param(
            BROKEN["branch_unmoved"],
            ("is no longer the validated commit 33a485bc, it is at deadbeef (C29); find out", "refresh again"),
            id="the branch moved",
        ),
        pytest.param(
            gate(branch_sha=None), ("is no longer the validated commit 33a485bc, it is gone (C29);",), id="branch gone"
        ),
        pytest.param(
            gate(branch_map_sha256="03" * 32),
            ("is no longer the validated commit 33a485bc, it has another map (C29);",),
            id="another map on it",
        ),
        pytest.param(
            gate(branch_map_sha256=None),
            ("is no longer the validated commit 33a485bc, it has no map (C29);",),
            id="no map on it",
        ),
        pytest.param(
            BROKEN["base_unmoved"],
            ("the base branch moved from 7f00aa11 to deadbeef", "(C26); refresh again"),
            id="the base moved",
        ),
        pytest.param(gate(base_sha=None), ("from 7f00aa11 to nothing", "(C26); refresh again"), id="the base is gone"),
        pytest.param(
            BROKEN["map_sound"],
            ("feed-s0: s3://permanent/part-0.parquet is gone (C13); find out who removed it",),
            id="a damaged copy",
        ),
        pytest.param(
            gate(map_problems=None),
            ("the map on log-cache/2018-05-24-1c7be4a9-feed could not be inspected (C14); check",),
            id="a map that nobody inspected",
        ),
        pytest.param(
            BROKEN["clock_agrees"],
            ("the clock here is ahead, or nothing has happened for 37 days: ", "(C11); set the clock of this machine"),
            id="a clock that is ahead",
        ),
        pytest.param(
            gate(witnesses=None), ("the clock here was compared with nothing (C11); run",), id="a clock by itself"
        ),
        pytest.param(
            BROKEN["inside_publish_window"],
            (
                "it is 00:00 UTC, outside the publish window 13:00-23:00 UTC",
                "(C11); wait until it opens, when the sensor",
            ),
            id="outside the window",
        ),
        pytest.param(
            BROKEN["no_contract_running"],
            (
                "contracts are still being computed: contract-feed/accounts of DAILY transaction t-1; and 1 more (C11)",
                "; try again when that run is done",
            ),
            id="contracts being computed",
        ),
        pytest.param(
            gate(running_contracts=None),
            ("metapod was not asked which contracts are still being computed (C11); run",),
            id="metapod was not asked",
        ),
    ],
)
def test_the_gate_refuses_for_exactly_one_reason(state: GateState, parts: tuple[str, ...]) -> None:
    """Each thing that differs from what was validated is one problem: what was due, what was found, what to do."""
    (problem,) = find_gate_problems(state)

    assert all(part in str(problem) for part in parts)


@EACH_REQUIREMENT
def test_a_requirement_is_met_or_refuses_by_itself(requirement: Requirement) -> None:
    """It finds nothing at the open gate, and what breaks it is refused by no other requirement."""
    refusing = [each.name for each in EACH if list(each.find_problems(BROKEN[requirement.name]))]

    assert list(requirement.find_problems(OPEN)) == []
    assert refusing == [requirement.name]


@EACH_REQUIREMENT
def test_what_is_absent_counts_as_wrong(requirement: Requirement) -> None:
    """The gate fails closed: a state that was not examined is refused."""
    problems = list(requirement.find_problems(ABSENT[requirement.name]))

    assert [problem.code for problem in problems] == [requirement.code]
    assert all(problem.remedy for problem in problems)


def test_an_absent_verdict_is_not_approved() -> None:
    """A missing verdict also belongs to no candidate."""
    absent, unbound = map(str, find_gate_problems(gate(verdict=None)))

    assert absent == (
        "the verdict is not approved: none is stored for the candidate 33a485bc (C29); materialize validation_report"
    )
    assert unbound.startswith("the verdict is of no candidate, not of the candidate 33a485bc and its test run (C29); ")


@EACH_REQUIREMENT
def test_a_requirement_says_what_it_is(requirement: Requirement) -> None:
    """Its name is unique, its code is one of the failure table, and its sentence ends with a full stop."""
    assert [each.name for each in EACH].count(requirement.name) == 1
    assert requirement.code in CODES
    assert requirement.sentence.endswith(".")


def test_the_gate_tells_every_reason() -> None:
    """All problems are reported at once."""
    state = gate(
        verdict=REFUSED, base_sha=None, branch_sha=None, running_contracts=("x",), now=NOW + timedelta(hours=10)
    )

    assert len(list(find_gate_problems(state))) == 5


def test_a_merge_is_judged_as_a_proposal_is() -> None:
    """By the same requirements, but only a changed entry of the refresh counts as a base that moved (C26)."""
    beside, same_entry = gate(base_sha="f" * 40), gate(base_sha="f" * 40, moved_entries=(MOVED,))

    assert {each.name for each in REQUIREMENTS} ^ {each.name for each in MERGING} == {"base_unmoved", "entries_unmoved"}
    assert list(find_merge_problems(OPEN)) == list(find_merge_problems(beside)) == []
    assert list(find_merge_problems(same_entry)) == [MOVED]


@pytest.mark.parametrize("name", ["inside_publish_window", "no_contract_running", "clock_agrees"])
def test_what_passes_by_itself_is_no_lasting_reason(name: str) -> None:
    """It forbids a merge now, and is no reason to give up the candidate."""
    state = BROKEN[name]

    assert len(list(find_merge_problems(state))) == 1
    assert list(find_merge_problems(state, lasting=True)) == []


@pytest.mark.parametrize("name", ["verdict_approved", "branch_unmoved", "map_sound", "entries_unmoved"])
def test_what_stays_wrong_is_a_lasting_reason(name: str) -> None:
    """Waiting does not remedy it."""
    assert len(list(find_merge_problems(BROKEN[name], lasting=True))) == 1
