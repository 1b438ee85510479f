"""Which rules a contract must pass, and that each of them is judged.

What each says: test_sound_table.py, test_values_found.py, test_explained.py, test_same_t.py. What is made of the
results: test_objections.py.
"""

import pytest

from logcache_assets.domain.definitions import contract_tables
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.domain.judges import judge_contract
from logcache_assets.domain.rules import NO_RULES
from logcache_assets.domain.validation import (
    MANDATORY_RULES,
    NO_SAME_T,
    RuleName,
    SameTSelection,
    judge_unusable,
    required_rules,
)
from logcache_tests.domain.contract_samples import ACCOUNTS, FEED, contract_figures, faulty
from logcache_tests.domain.samples import changed

TABLES = {table.dataset: table for table in contract_tables(FEED)}
WITH_SAME_T = (*MANDATORY_RULES, "same_t_same_table")


def test_four_rules_are_mandatory() -> None:
    """Of every contract, cheapest first."""
    assert MANDATORY_RULES == ("sound_table", "values_found_yesterday", "differences_explained", "nothing_missed")


@pytest.mark.parametrize(
    ("same_t", "rules"),
    [
        pytest.param(SameTSelection(), WITH_SAME_T, id="everything, by default"),
        pytest.param(SameTSelection(contracts="contract-feed/acc*"), WITH_SAME_T, id="a pattern of it"),
        pytest.param(SameTSelection(contracts=ACCOUNTS, prototypes=("s1",)), WITH_SAME_T, id="one prototype of it"),
        pytest.param(SameTSelection(contracts="contract-other/*"), MANDATORY_RULES, id="other contracts"),
        pytest.param(SameTSelection(contracts="Contract-feed/*"), MANDATORY_RULES, id="another case"),
        pytest.param(SameTSelection(contracts=""), MANDATORY_RULES, id="no contract"),
        pytest.param(SameTSelection(prototypes=()), MANDATORY_RULES, id="no prototype"),
        pytest.param(SameTSelection(prototypes=("s9",)), MANDATORY_RULES, id="none of its prototypes"),
        pytest.param(NO_SAME_T, MANDATORY_RULES, id="nothing at all"),
    ],
)
def test_the_same_t_is_required_where_it_was_asked_for(same_t: SameTSelection, rules: tuple[RuleName, ...]) -> None:
    """Of a contract whose name and some of whose prototypes are selected."""
    assert required_rules(TABLES[ACCOUNTS], FEED, same_t) == rules


def test_without_a_log_nobody_asks_what_was_missed() -> None:
    """Only outside a refresh; everything else is asked."""
    rules = required_rules(TABLES[ACCOUNTS], FEED, NO_SAME_T, log_given=False)

    assert rules == ("sound_table", "values_found_yesterday", "differences_explained")


def test_only_selected_contracts_of_a_database_are_recomputed() -> None:
    """The pattern is of the dataset, not of the database."""
    history = "contract-feed/account-status-history"

    assert required_rules(TABLES[history], FEED, SameTSelection(contracts=ACCOUNTS)) == MANDATORY_RULES
    assert required_rules(TABLES[history], FEED, SameTSelection(contracts="*-history")) == WITH_SAME_T


@pytest.mark.parametrize(
    ("chosen", "prototypes"),
    [
        pytest.param(None, ("s0", "s1", "s2"), id="all"),
        pytest.param(("s2", "s0", "s9"), ("s0", "s2"), id="some, in the definition's order"),
        pytest.param((), (), id="none"),
    ],
)
def test_a_selection_takes_the_prototypes_that_a_database_has(
    chosen: tuple[str, ...] | None, prototypes: tuple[str, ...]
) -> None:
    """Without repeating its definition."""
    assert SameTSelection(prototypes=chosen).of(FEED) == prototypes


@pytest.mark.parametrize(
    "required",
    [
        pytest.param(MANDATORY_RULES, id="the mandatory ones"),
        pytest.param(WITH_SAME_T, id="with the same t"),
        pytest.param(("nothing_missed",), id="a single one"),
    ],
)
def test_every_required_rule_gives_one_result(required: tuple[RuleName, ...]) -> None:
    """In this order; the sound days pass them all."""
    judged = judge_contract(ACCOUNTS, contract_figures(), NO_RULES, required=required)
    unusable = judge_unusable("it is aborted in the test run", rules=required)

    assert tuple(result.rule for result in judged) == required
    assert all(result.passed for result in judged)
    assert tuple(result.rule for result in unusable) == required


def test_each_rule_is_judged_by_its_own_judge() -> None:
    """A fault of one kind fails one rule."""
    sound = contract_figures()
    failing: dict[RuleName, ContractFigures] = {
        "sound_table": changed(sound, today=changed(sound.today, null_keys=1)),
        "values_found_yesterday": changed(sound, yesterday=changed(sound.yesterday, rows=1000), explained=False),
        "differences_explained": faulty("unexplained", rows=1),
        "nothing_missed": faulty("missed", rows=1),
        "same_t_same_table": changed(sound, same_t=None),
    }

    blocked = {
        rule: [r.rule for r in judge_contract(ACCOUNTS, found, NO_RULES, required=WITH_SAME_T) if r.blocks]
        for rule, found in failing.items()
    }

    # Too few values are a warning while a log explains them, and without a log nobody knows what was missed.
    assert blocked == {rule: [rule] for rule in WITH_SAME_T} | {
        "values_found_yesterday": ["values_found_yesterday", "nothing_missed"]
    }


def test_a_contract_without_a_table_fails_every_rule() -> None:
    """For the one reason why there is none; absence is failure."""
    results = judge_unusable("it is aborted in the test run: out of memory")

    assert tuple(result.rule for result in results) == MANDATORY_RULES
    assert all(result.blocks for result in results)
    assert {(result.expected, result.sentence) for result in results} == {
        ("a committed table", "it is aborted in the test run: out of memory")
    }
