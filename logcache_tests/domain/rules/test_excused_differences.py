"""What a threshold or an allowance excuses of unexplained and missed differences, and that it is told.

Accounts have 240 rows of yesterday and 10 new ones, so 250 keys; 240 cells of each column are compared.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.figures import FAULTS, CellFigures, ContractFigures, Fault, PrototypeFigures
from logcache_assets.domain.rules import MANDATORY_RULES, judge_contract
from logcache_assets.domain.rules.settings_file import rule_entry
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS, Allowance, RuleEntry, Strictness
from logcache_tests.domain.contract_samples import ACCOUNTS, allowance, contract_figures, faulty, judge_fault
from logcache_tests.domain.samples import changed

EACH_FAULT = pytest.mark.parametrize("fault", [pytest.param(fault, id=fault) for fault in FAULTS])


@EACH_FAULT
@pytest.mark.parametrize(
    ("entry", "excused"),
    [
        pytest.param(
            {"share": 0.05},
            [
                "2 whole rows {} (within the threshold of 5.0000%)",
                "account__status: 12 of 240 cells {} (within the threshold of 5.0000%)",
            ],
            id="rows and cells, exactly at the threshold",
        ),
        pytest.param(
            {"share": 0.049}, ["2 whole rows {} (within the threshold of 4.9000%)"], id="rows alone, of all 250 keys"
        ),
        pytest.param({"share": 0.008}, ["2 whole rows {} (within the threshold of 0.8000%)"], id="exactly the rows"),
        pytest.param({"share": 0.0079}, [], id="less than the rows"),
        pytest.param(
            {"share": 0.05, "column": "account__status"},
            ["account__status: 12 of 240 cells {} (within the threshold of 5.0000%)"],
            id="the column alone",
        ),
        pytest.param({"share": 1.0, "column": "account__amount"}, [], id="another column"),
        pytest.param({"share": 1.0, "contract": "contract-feed/cards"}, [], id="another contract"),
    ],
)
def test_a_threshold_excuses_and_is_told(fault: Fault, entry: dict[str, object], excused: list[str]) -> None:
    """Rows by their share of all keys, cells by their share of what was compared."""
    share = entry["share"]
    threshold = rule_entry(**{fault: share}, **{k: v for k, v in entry.items() if k != "share"})  # type: ignore[arg-type]

    result = judge_fault(fault, faulty(fault, rows=2, account__status=12), threshold)

    assert [str(excuse) for excuse in result.excused] == [text.replace("{}", fault) for text in excused]
    assert result.passed is (len(excused) == 2)


@EACH_FAULT
def test_the_threshold_of_one_fault_is_not_that_of_the_other(fault: Fault) -> None:
    """Who lets differences pass has not let changes be missed."""
    threshold = rule_entry(unexplained=1.0) if fault == "missed" else rule_entry(missed=1.0)

    assert judge_fault(fault, faulty(fault, rows=2), threshold).blocks


@EACH_FAULT
@pytest.mark.parametrize(
    ("column", "excused"),
    [
        pytest.param(None, ["2 whole rows {}", "account__status: 12 of 240 cells {}"], id="the contract"),
        pytest.param("account__status", ["account__status: 12 of 240 cells {}"], id="a column"),
        pytest.param("account__amount", [], id="another column"),
    ],
)
def test_an_allowance_excuses_and_is_named(fault: Fault, column: str | None, excused: list[str]) -> None:
    """Whatever the share; each excuse names the allowance, which is how it counts as used."""
    allowed = allowance(fault, column=column)

    result = judge_fault(fault, faulty(fault, rows=2, account__status=12), allow=(allowed,))

    assert result.passed is (len(excused) == 2)
    assert [str(excuse) for excuse in result.excused] == [
        f"{text.replace('{}', fault)} (allowed by team-cards until 2018-12-31: two states are written late)"
        for text in excused
    ]
    assert {excuse.allowance for excuse in result.excused} <= {allowed}


@EACH_FAULT
def test_an_allowance_is_of_one_contract_and_one_finding(fault: Fault) -> None:
    """It never reaches further."""
    (other,) = set(FAULTS) - {fault}
    cards = "contract-feed/cards"
    allow = (allowance(fault, contract=cards), allowance(other), allowance("schema"), allowance("same-t"))

    result = judge_fault(fault, faulty(fault, rows=2), allow=allow)

    assert result.blocks
    assert result.excused == ()


def emptied() -> ContractFigures:
    """Accounts that lost every row, against the log."""
    found = contract_figures()
    columns = {"account__status": CellFigures(), "account__amount": CellFigures()}
    part = PrototypeFigures(
        rows=0,
        yesterday_rows=240,
        missing=240,
        reasons={"unexplained": 240},
        faulty_rows={"unexplained": 240},
        columns=columns,
    )
    return changed(found, today=changed(found.today, rows=0), prototypes={"s0": part}, patterns=())


def test_a_contract_that_may_be_empty_passes_empty() -> None:
    """All that the rules find of it is excused by the one entry, and told."""
    results = judge_contract(ACCOUNTS, emptied(), Strictness(allow=(allowance("empty"),)), required=MANDATORY_RULES)

    assert [result.rule for result in results if not result.passed] == []
    assert [excuse.what for result in results for excuse in result.excused] == [
        "it is empty, yesterday it had 240 rows",
        "only 0.00% of yesterday's 240 keys are there",
        "240 whole rows unexplained",
    ]


def test_a_contract_that_may_be_empty_must_be_right_otherwise() -> None:
    """The entry says nothing of rows that are there."""
    allow = (allowance("empty"),)

    assert judge_fault("unexplained", faulty("unexplained", rows=2), allow=allow).blocks
    results = judge_contract(ACCOUNTS, emptied(), DEFAULT_STRICTNESS, required=MANDATORY_RULES)
    assert [result.rule for result in results if result.blocks] == list(MANDATORY_RULES[:3])


@EACH_FAULT
def test_an_allowance_that_excuses_nothing_is_not_named(fault: Fault) -> None:
    """So that it shows as unused, and is removed."""
    assert judge_fault(fault, contract_figures(), allow=(allowance(fault),)).excused == ()


ENTRIES = st.builds(
    rule_entry,
    column=st.sampled_from([None, "account__status", "account__*"]),
    severity=st.sampled_from(["block", "warn"]),
    unexplained=st.floats(min_value=0, max_value=1),
    missed=st.floats(min_value=0, max_value=1),
)
ALLOWED = st.builds(allowance, st.sampled_from(FAULTS), column=st.sampled_from([None, "account__amount"]))


@given(
    fault=st.sampled_from(FAULTS),
    rows=st.integers(min_value=0, max_value=10),
    status=st.integers(min_value=0, max_value=20),
    entries=st.lists(ENTRIES, max_size=3),
    allow=st.lists(ALLOWED, max_size=2),
)
def test_no_fault_passes_in_silence(
    fault: Fault, rows: int, status: int, entries: list[RuleEntry], allow: list[Allowance]
) -> None:
    """Under all rules: each count either keeps the rule from passing, or is told as excused, and never both."""
    result = judge_fault(fault, faulty(fault, rows=rows, account__status=status), *entries, allow=tuple(allow))

    noun = "row" if rows == 1 else "rows"
    faults = {f"{rows} whole {noun} {fault}": rows, f"account__status: {status} of 240 cells {fault}": status}
    excused = {excuse.what for excuse in result.excused}
    failed = {text for text in result.sentence.split("; ") if text.endswith(fault)}
    assert excused | failed == {text for text, count in faults.items() if count}
    assert not excused & failed
    assert result.passed is (not failed)


@EACH_FAULT
def test_what_was_excused_is_not_said_to_be_good(fault: Fault) -> None:
    """A reviewer who reads `actual` alone is not deceived."""
    result = judge_fault(fault, faulty(fault, rows=2), allow=(allowance(fault),))

    assert "all explained" not in result.sentence
    assert "every change in the newer segments shows" not in result.sentence
