"""Verdicts are bound to what was checked, refuse anything missing, and give the common cause first."""

from collections.abc import Callable

import pytest

from logcache_assets.domain.documents import Binding, ContractInventory, ContractOutcome, Verdict
from logcache_assets.domain.figures import Change, ContractFigures, Fault
from logcache_assets.domain.rules import MANDATORY_RULES, judge_contract
from logcache_assets.domain.rules.results import RuleName, RuleResult, judge_unusable
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS
from logcache_assets.domain.verdict import decide_alone, decide_verdict, find_likely_causes
from logcache_tests.domain.contract_samples import ACCOUNTS, contract_figures, faulty, pattern, rule_result, told
from logcache_tests.domain.samples import (
    BINDING,
    NOW,
    REQUIRED,
    TEST_RUN,
    candidate,
    changed,
    inventory,
    outcome,
    verdict,
)

OTHER_SHA = "deadbeef" + "0" * 32


def decide(found: ContractInventory) -> Verdict:
    """The verdict over the candidate."""
    return decide_verdict(candidate(), found, required=REQUIRED, now=NOW)


def accounts_with(*results: RuleResult) -> ContractInventory:
    """The inventory, with other results of accounts."""
    transactions, accounts = inventory().outcomes
    return changed(inventory(), outcomes=(transactions, changed(accounts, results=results)))


def bound_to(**fields: str) -> Binding:
    """The candidate's binding with some fields changed."""
    return changed(BINDING, **fields)


def test_a_candidate_whose_contracts_all_passed_is_approved() -> None:
    """The verdict names what it is bound to, databases, spans, instant, contracts, allowances and rules."""
    assert decide(inventory()) == verdict()


RECOMPUTE = "materialize itaipu_test_run and everything after it again"
STRANGE = (
    "the contracts were computed at commit {} from night {}, the candidate is 33a485bc from 1c7be4a9 (C29); "
    + RECOMPUTE
)
NO_CANDIDATE = f"the contracts belong to no candidate (C29); {RECOMPUTE}"
PASSED = tuple(rule_result(rule) for rule in MANDATORY_RULES)


@pytest.mark.parametrize(
    ("found", "reasons"),
    [
        pytest.param(
            changed(inventory(), outcomes=inventory().outcomes[:1]),
            tuple(f"{ACCOUNTS}: {rule}: the check did not run (C29)" for rule in MANDATORY_RULES),
            id="a contract is missing",
        ),
        pytest.param(
            accounts_with(*(result for result in PASSED if result.rule != "nothing_missed")),
            (f"{ACCOUNTS}: nothing_missed: the check did not run (C29)",),
            id="a rule is",
        ),
        pytest.param(
            accounts_with(rule_result("sound_table", passed=False), *PASSED[1:]),
            (f"{ACCOUNTS}: sound_table: all gone",),
            id="a rule failed",
        ),
        pytest.param(
            accounts_with(*judge_unusable("it is aborted in the test run", rules=MANDATORY_RULES)),
            (f"{ACCOUNTS}: it is aborted in the test run",),
            id="a contract has no table",
        ),
        pytest.param(
            changed(inventory(), binding=bound_to(candidate_sha=OTHER_SHA)),
            (STRANGE.format("deadbeef", "1c7be4a9"),),
            id="another commit",
        ),
        pytest.param(
            changed(inventory(), binding=bound_to(yesterday_transaction=TEST_RUN)),
            (STRANGE.format("33a485bc", "49ae32bb"),),
            id="another night",
        ),
        pytest.param(changed(inventory(), binding=None), (NO_CANDIDATE,), id="no candidate"),
    ],
)
def test_a_candidate_is_refused_with_the_reason(found: ContractInventory, reasons: tuple[str, ...]) -> None:
    """Not approved, and the reason is written down beside everything else."""
    decided = decide(found)

    assert told(decided.reasons) == reasons
    assert decided == changed(
        verdict(), approved=False, reasons=decided.reasons, binding=found.binding, contracts=found.outcomes
    )


def test_contracts_of_another_map_are_refused() -> None:
    """Commit and night may be the same."""
    decided = decide(changed(inventory(), binding=bound_to(map_sha256="03" * 32)))

    assert not decided.approved
    assert len(decided.reasons) == 1


def test_what_is_strange_comes_before_what_failed() -> None:
    """A verdict over the wrong contracts says so first."""
    found = changed(accounts_with(), binding=None)

    assert told(decide(found).reasons)[:2] == (
        NO_CANDIDATE,
        f"{ACCOUNTS}: sound_table: the check did not run (C29)",
    )


def test_the_definitions_decide_what_is_mandatory() -> None:
    """A contract that the definitions declare must be in the inventory, and pass what is required of it."""
    more: dict[str, tuple[RuleName, ...]] = {
        ACCOUNTS: (*MANDATORY_RULES, "same_t_same_table"),
        "contract-feed/merchants": ("sound_table",),
    }

    decided = decide_verdict(candidate(), inventory(), required=REQUIRED | more, now=NOW)

    assert not decided.approved
    assert told(decided.reasons) == (
        f"{ACCOUNTS}: same_t_same_table: the check did not run (C29)",
        "contract-feed/merchants: sound_table: the check did not run (C29)",
    )


def test_a_verdict_over_nothing_is_a_refusal() -> None:
    """No mandatory contract, no approval."""
    decided = decide_verdict(candidate(), changed(inventory(), outcomes=()), required={}, now=NOW)

    assert (decided.approved, told(decided.reasons)) == (
        False,
        ("no contract was to be checked (C29); check which databases and definitions were given",),
    )


def test_what_only_warns_does_not_refuse() -> None:
    """It is approved, and the warning is in the verdict."""
    warning = changed(rule_result("sound_table", passed=False), severity="warn")

    decided = decide(accounts_with(warning, *PASSED[1:]))

    assert decided.approved
    assert told(decided.warnings) == (f"{ACCOUNTS}: sound_table: all gone",)


def test_a_verdict_outside_a_refresh_is_bound_to_nothing() -> None:
    """The gate refuses it for that; otherwise it is the same verdict."""
    alone = decide_alone(("feed",), inventory(), required=REQUIRED, now=NOW)

    assert alone == changed(verdict(), binding=None)


def with_fault(
    dataset: str, fault: Fault, rows: int, *, prototype: str = "s0", change: Change = "row added"
) -> ContractOutcome:
    """A contract that is refused for some rows, all in one pattern."""
    patterns = (pattern(rows, reason=fault, change=change, prototype=prototype), pattern(900))
    return refused(dataset, changed(faulty(fault, rows=rows), patterns=patterns))


def refused(dataset: str, found: ContractFigures) -> ContractOutcome:
    """A contract with what the rules say of its figures."""
    return changed(
        outcome(dataset, found), results=judge_contract(dataset, found, DEFAULT_STRICTNESS, required=MANDATORY_RULES)
    )


def test_a_common_cause_is_told_once_for_all_contracts() -> None:
    """One sentence per database and fault, before the reasons of the contracts."""
    found = changed(
        inventory(),
        outcomes=(
            with_fault("contract-feed/transactions", "unexplained", 3),
            with_fault("contract-customers/people", "missed", 1),
            with_fault(ACCOUNTS, "unexplained", 5),
            outcome("contract-feed/cards", contract_figures()),
        ),
    )

    decided = decide_alone(("customers", "feed"), found, required={ACCOUNTS: ("differences_explained",)}, now=NOW)

    cause, *own = told(decided.reasons)
    assert cause == "contract-feed/transactions and 1 more: all 8 unexplained rows are on feed-s0 (row added)"
    assert own[0] == (
        f"{ACCOUNTS}: differences_explained: all 5 unexplained rows are on s0 (row added); 5 whole rows unexplained"
    )
    assert len(own) == 3


def test_a_common_cause_is_of_one_database_and_one_fault() -> None:
    """The prototypes are named as instances, unless they are all; the largest pattern first."""
    outcomes = (
        with_fault("contract-feed/transactions", "unexplained", 3, prototype="s1", change="row missing"),
        with_fault("contract-feed/transactions", "missed", 1),
        with_fault("contract-customers/people", "missed", 1),
        with_fault("contract-customers/addresses", "missed", 2, prototype="global"),
        with_fault(ACCOUNTS, "unexplained", 5),
    )

    assert told(find_likely_causes(outcomes)) == (
        (
            "contract-feed/transactions and 1 more: "
            "all 8 unexplained rows are on all prototypes of feed (mostly row added)"
        ),
        "contract-customers/people and 1 more: all 3 missed rows are on customers-global, customers-s0 (row added)",
    )


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda found: changed(found, figures=None), id="a contract without a table"),
        pytest.param(
            lambda found: changed(found, figures=changed(found.figures, explained=False)), id="a contract without a log"
        ),
        pytest.param(lambda found: changed(found, results=PASSED), id="a contract whose fault does not block"),
        pytest.param(
            lambda found: changed(found, results=(rule_result("nothing_missed", passed=False),)),
            id="a contract that another rule blocks",
        ),
    ],
)
def test_one_contract_alone_has_no_common_cause(spoil: Callable[[ContractOutcome], ContractOutcome]) -> None:
    """Its own refusal says it."""
    outcomes = with_fault("contract-feed/transactions", "unexplained", 3), with_fault(ACCOUNTS, "unexplained", 5)

    assert len(list(find_likely_causes(outcomes))) == 1
    assert list(find_likely_causes((outcomes[0], spoil(outcomes[1])))) == []


def test_faults_without_a_pattern_have_no_common_cause() -> None:
    """Only so many patterns are kept of a contract: those of a rarer fault may not be among them."""
    cut = changed(faulty("missed", rows=3), patterns=(pattern(900, reason="unexplained"),))

    assert list(find_likely_causes([refused(name, cut) for name in REQUIRED])) == []


def test_an_excused_fault_is_no_likely_cause() -> None:
    """Faults that do not block are left out of the likely cause."""
    excused = [changed(with_fault(name, "unexplained", 3), results=PASSED) for name in REQUIRED]
    gone = changed(
        outcome("contract-feed/cards", contract_figures()),
        results=judge_unusable("it is aborted", rules=MANDATORY_RULES),
    )
    required = {**REQUIRED, "contract-feed/cards": MANDATORY_RULES}

    decided = decide_alone(("feed",), changed(inventory(), outcomes=(*excused, gone)), required=required, now=NOW)

    assert told(decided.reasons) == ("contract-feed/cards: it is aborted",)
