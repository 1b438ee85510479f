"""same_t_same_table: yesterday recomputed from the candidate's caches is exactly yesterday."""

import pytest

from logcache_assets.domain.figures import SameT
from logcache_assets.domain.rules.results import RuleResult
from logcache_assets.domain.rules.same_t_same_table import SAME_T_SAME_TABLE
from logcache_assets.domain.rules.settings_file import rule_entry
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS, Allowance, RuleEntry, Strictness
from logcache_tests.domain.contract_samples import ACCOUNTS, allowance, contract_figures
from logcache_tests.domain.samples import changed


def judge(found: SameT | None, rules: Strictness = DEFAULT_STRICTNESS) -> RuleResult:
    """What the rule says of accounts."""
    return SAME_T_SAME_TABLE.judge(ACCOUNTS, changed(contract_figures(), same_t=found), rules)


def recomputed(differing: int, *columns: str) -> SameT:
    """1,240 rows, of which these differ."""
    return SameT(prototypes=("s0", "s1"), rows=1240, differing=differing, columns=columns)


def test_why_it_was_not_recomputed_is_told() -> None:
    """A missing check is a refusal, and its cause is what a reader wants (C29)."""
    figures = changed(contract_figures(), same_t=None, same_t_failure="the cached log is gone")

    result = SAME_T_SAME_TABLE.judge(ACCOUNTS, figures, DEFAULT_STRICTNESS)

    assert (result.blocks, result.sentence) == (True, "it was not recomputed: the cached log is gone (C29)")


@pytest.mark.parametrize(
    ("found", "actual", "numbers"),
    [
        pytest.param(recomputed(0), "1,240 rows recomputed, all equal", (1240, 0), id="all equal"),
        pytest.param(
            SameT(prototypes=(), rows=0, differing=0), "0 rows recomputed, all equal", (0, 0), id="no row yesterday"
        ),
        pytest.param(None, "it was not recomputed (C29)", (0, 0), id="not recomputed"),
        pytest.param(
            recomputed(3),
            "3 of 1,240 rows differ from yesterday's: the caches are not sound",
            (1240, 3),
            id="rows missing or added",
        ),
        pytest.param(
            recomputed(1240, "fee", "amount"),
            "1,240 of 1,240 rows differ from yesterday's, in fee, amount: the caches are not sound",
            (1240, 1240),
            id="values",
        ),
        pytest.param(
            recomputed(7, "fee", "amount", "kind", "status"),
            "7 of 1,240 rows differ from yesterday's, in fee, amount, kind: the caches are not sound",
            (1240, 7),
            id="values of many columns, of which three are named",
        ),
    ],
)
def test_the_caches_must_give_yesterday_again(found: SameT | None, actual: str, numbers: tuple[int, int]) -> None:
    """To the last row; a check that was asked for and did not run blocks (C29)."""
    result = judge(found)

    assert result.sentence == actual
    assert result.blocks is not actual.endswith("all equal")
    assert result.passed is actual.endswith("all equal")
    assert tuple(result.figures.values()) == numbers
    assert list(result.figures) == ["same_t_rows", "same_t_differing"]
    assert result.expected == "recomputed at yesterday's t from the candidate's caches, exactly yesterday's rows"


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(rule_entry(severity="warn"), id="a severity"),
        pytest.param(rule_entry(unexplained=1.0, missed=1.0, keys_found=0.0, values_equal=0.0), id="every threshold"),
    ],
)
def test_no_setting_makes_a_broken_cache_good(entry: RuleEntry) -> None:
    """The same log at the same t has one table."""
    assert judge(recomputed(1), Strictness(entries=(entry,))).blocks


def test_an_allowance_excuses_a_difference_and_is_named() -> None:
    """Somebody answers for it until a date."""
    allowed = allowance("same-t")

    result = judge(recomputed(3, "fee"), Strictness(allow=(allowed,)))

    assert result.passed
    assert [excuse.allowance for excuse in result.excused] == [allowed]
    assert str(result.excused[0]) == (
        "3 of 1,240 rows differ from yesterday's, in fee: the caches are not sound "
        "(allowed by team-cards until 2018-12-31: two states are written late)"
    )


@pytest.mark.parametrize(
    ("found", "allowed"),
    [
        pytest.param(None, allowance("same-t"), id="a contract that was not recomputed"),
        pytest.param(recomputed(3), allowance("same-t", contract="contract-feed/cards"), id="another contract"),
        pytest.param(recomputed(3), allowance("unexplained"), id="another finding"),
    ],
)
def test_an_allowance_excuses_nothing_else(found: SameT | None, allowed: Allowance) -> None:
    """Neither another contract nor a check that did not run."""
    result = judge(found, Strictness(allow=(allowed,)))

    assert result.blocks
    assert result.excused == ()


def test_an_allowance_without_a_difference_is_not_named() -> None:
    """So that it shows as unused."""
    assert judge(recomputed(0), Strictness(allow=(allowance("same-t"),))).excused == ()


def test_what_was_excused_is_not_said_to_be_equal() -> None:
    """A reviewer who reads `actual` alone is not deceived."""
    assert "all equal" not in judge(recomputed(3), Strictness(allow=(allowance("same-t"),))).sentence
