"""Results become refusals, warnings and a list of used allowances."""

import pytest

from logcache_assets.domain.problems import Problem
from logcache_assets.domain.rules import MANDATORY_RULES
from logcache_assets.domain.rules.results import (
    AppliedAllowance,
    Excuse,
    RuleName,
    RuleResult,
    applied_allowances,
    judge_unusable,
)
from logcache_assets.domain.rules.settings_file import rule_entry
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS, Strictness
from logcache_assets.domain.same_t_selection import NO_SAME_T, SameTSelection
from logcache_assets.domain.verdict_reasons import find_idle_settings, find_refusals, find_warnings
from logcache_tests.domain.contract_samples import FEED, allowance, rule_result, told
from logcache_tests.domain.samples import changed

PASSED = tuple(rule_result(rule) for rule in MANDATORY_RULES)
WITH_SAME_T: tuple[RuleName, ...] = (*MANDATORY_RULES, "same_t_same_table")
THRESHOLD = Excuse(what="fee: 1 of 100 cells missed", threshold=0.015)
ALLOWED = Excuse(what="2 whole rows unexplained", allowance=allowance("unexplained", contract="a"))


def failed(*rules: RuleName, actual: str = "all gone") -> tuple[RuleResult, ...]:
    """All mandatory results, these of them failed."""
    return tuple(
        changed(result, passed=False, actual=(actual,)) if result.rule in rules else result for result in PASSED
    )


def warned(*rules: RuleName, actual: str = "few") -> tuple[RuleResult, ...]:
    """All mandatory results, these of them only warnings."""
    return tuple(
        changed(result, passed=False, severity="warn", actual=(actual,)) if result.rule in rules else result
        for result in PASSED
    )


def excused(*excuses: Excuse) -> tuple[RuleResult, ...]:
    """All mandatory results, the first of them passed by these excuses."""
    return (changed(PASSED[0], excused=excuses), *PASSED[1:])


@pytest.mark.parametrize(
    ("results", "refusals"),
    [
        pytest.param({"a": PASSED}, (), id="every rule passed"),
        pytest.param({"a": warned("nothing_missed", "sound_table")}, (), id="rules that only warn"),
        pytest.param({"a": excused(THRESHOLD, ALLOWED)}, (), id="excused"),
        pytest.param({"a": failed("sound_table")}, ("a: sound_table: all gone",), id="a rule failed"),
        pytest.param(
            {"a": failed("nothing_missed", "sound_table")},
            ("a: sound_table: all gone", "a: nothing_missed: all gone"),
            id="two rules failed, in the order of the rules",
        ),
        pytest.param(
            {"a": PASSED[:2] + PASSED[3:]},
            ("a: differences_explained: the check did not run (C29)",),
            id="a rule that never ran",
        ),
        pytest.param(
            {"a": ()}, tuple(f"a: {rule}: the check did not run (C29)" for rule in MANDATORY_RULES), id="no rule ran"
        ),
        pytest.param(
            {"z": PASSED},
            tuple(f"a: {rule}: the check did not run (C29)" for rule in MANDATORY_RULES),
            id="the contract is missing",
        ),
        pytest.param(
            {"a": (*failed("sound_table"), PASSED[0])},
            ("a: sound_table: the check has 2 results, of which one at most is its own (C29)",),
            id="a rule with two results, the last of them good",
        ),
        pytest.param(
            {"a": PASSED, "z": warned("sound_table")}, (), id="a contract that nobody asked for, with a warning"
        ),
        pytest.param(
            {"a": PASSED, "z": failed("sound_table")},
            ("z: sound_table: all gone",),
            id="a contract beside that blocks, which nobody asked for",
        ),
        pytest.param(
            {"a": (*PASSED, changed(rule_result("same_t_same_table", passed=False)))},
            ("a: same_t_same_table: all gone",),
            id="a rule that nobody asked for, and that blocks",
        ),
        pytest.param(
            {"a": judge_unusable("it is aborted in the test run", rules=MANDATORY_RULES)},
            ("a: it is aborted in the test run",),
            id="no table, which is one reason for all rules",
        ),
    ],
)
def test_what_did_not_pass_is_refused(results: dict[str, tuple[RuleResult, ...]], refusals: tuple[str, ...]) -> None:
    """Absence is failure: only a result that does not block lets a contract through."""
    assert told(find_refusals(results, required={"a": MANDATORY_RULES})) == refusals


def test_a_problem_keeps_its_parts() -> None:
    """Reports read its fields instead of parsing its sentence."""
    (found,) = find_refusals(
        {"a": failed("sound_table", actual="x; y: z"), "b": failed("sound_table", actual="x; y: z")},
        required={"a": MANDATORY_RULES, "b": MANDATORY_RULES},
    )

    assert found == Problem(subjects=("a", "b"), rule="sound_table", found=("x; y: z",))


def test_each_contract_must_pass_the_rules_that_are_asked_of_it() -> None:
    """The same t of one contract alone: its check that did not run is a refusal (C29)."""
    refusals = find_refusals({"a": PASSED, "b": PASSED}, required={"a": WITH_SAME_T, "b": MANDATORY_RULES})

    assert told(refusals) == ("a: same_t_same_table: the check did not run (C29)",)


def test_checking_nothing_is_refused() -> None:
    """Without a contract there is no proof of anything (C29)."""
    assert told(find_refusals({"a": PASSED}, required={})) == (
        "no contract was to be checked (C29); check which databases and definitions were given",
    )


def test_contracts_that_fail_alike_share_a_sentence() -> None:
    """A dead prototype is one line, not a hundred; the order is that of the contracts."""
    results = {
        "a": failed("sound_table"),
        "b": failed("sound_table", actual="it is empty"),
        "c": failed("sound_table"),
        "d": failed("sound_table"),
        "e": PASSED,
    }

    assert told(find_refusals(results, required=dict.fromkeys(results, MANDATORY_RULES))) == (
        "a and 2 more: sound_table: all gone",
        "b: sound_table: it is empty",
    )


@pytest.mark.parametrize(
    ("results", "warnings"),
    [
        pytest.param({"a": PASSED}, (), id="nothing to tell"),
        pytest.param({"a": failed("sound_table")}, (), id="what blocks, which is a refusal"),
        pytest.param({"a": ()}, (), id="no rule ran, which is a refusal"),
        pytest.param({"a": warned("nothing_missed")}, ("a: nothing_missed: few",), id="a rule that only warns"),
        pytest.param(
            {"a": excused(THRESHOLD, ALLOWED)},
            (
                f"a: sound_table: {THRESHOLD}",
                f"a: sound_table: {ALLOWED}",
            ),
            id="what a threshold and an allowance excused",
        ),
        pytest.param(
            {"a": (changed(failed("sound_table")[0], excused=(THRESHOLD,)),)},
            ("a: sound_table: fee: 1 of 100 cells missed (within the threshold of 1.5000%)",),
            id="what was excused of a rule that blocks for something else",
        ),
        pytest.param(
            {"a": warned("nothing_missed"), "b": PASSED, "c": warned("nothing_missed")},
            ("a and 1 more: nothing_missed: few",),
            id="two contracts alike",
        ),
    ],
)
def test_what_should_be_read_is_a_warning(
    results: dict[str, tuple[RuleResult, ...]], warnings: tuple[str, ...]
) -> None:
    """Findings that did not block are warnings."""
    assert told(find_warnings(results)) == warnings


def test_an_allowance_is_used_if_it_excused_something() -> None:
    """In any contract and by any rule; all are listed in the order of the file."""
    allow = (
        allowance("unexplained", contract="a"),
        allowance("missed", contract="a"),
        allowance("unexplained", contract="b"),
        allowance("unexplained", contract="a", column="fee"),
    )
    results = {"a": excused(THRESHOLD), "b": (*PASSED[:3], changed(PASSED[3], excused=(THRESHOLD, ALLOWED)))}

    applied = applied_allowances(Strictness(allow=allow), results)

    assert applied == tuple(AppliedAllowance(allowance=a, used=n == 0) for n, a in enumerate(allow))


def test_without_allowances_none_is_applied() -> None:
    """A finding excused by a threshold uses no allowance."""
    assert applied_allowances(Strictness(), {"a": excused(THRESHOLD)}) == ()


@pytest.mark.parametrize(
    ("rules", "same_t", "sentences"),
    [
        pytest.param(DEFAULT_STRICTNESS, SameTSelection(), (), id="the defaults"),
        pytest.param(DEFAULT_STRICTNESS, NO_SAME_T, (), id="nothing recomputed on purpose"),
        pytest.param(
            Strictness(entries=(rule_entry(contract="contract-feed/*"),)), SameTSelection(), (), id="what is there"
        ),
        pytest.param(
            Strictness(entries=(rule_entry(contract="contract-fed/*"),)),
            SameTSelection(),
            ("validation.yaml: rules[0] does nothing: no contract is 'contract-fed/*'; correct the name or remove it",),
            id="a misspelt rule",
        ),
        pytest.param(
            DEFAULT_STRICTNESS,
            SameTSelection(contracts="feed/*"),
            ("same t, same table: no contract is 'feed/*', so none is recomputed; correct the pattern",),
            id="a pattern of no contract",
        ),
        pytest.param(
            DEFAULT_STRICTNESS,
            SameTSelection(prototypes=("s0", "s7", "s6")),
            (
                "same t, same table: no database is on 's6'; correct the prototype",
                "same t, same table: no database is on 's7'; correct the prototype",
            ),
            id="prototypes that nobody has",
        ),
    ],
)
def test_settings_that_concern_nothing_are_told(
    rules: Strictness, same_t: SameTSelection, sentences: tuple[str, ...]
) -> None:
    """A misspelt name would silently switch something off."""
    assert told(find_idle_settings(rules, same_t, [FEED])) == sentences
