"""What differences_explained and nothing_missed share: faults by whole row and by cell, and their likely cause.

Accounts have 240 rows of yesterday and 10 new ones, so 250 keys; 240 cells of each column are compared.
"""

import pytest

from logcache_assets.domain.figures import FAULTS, CellFigures, ContractFigures, Fault, PrototypeFigures
from logcache_assets.domain.rules.settings_file import rule_entry
from logcache_tests.domain.contract_samples import allowance, contract_figures, faulty, judge_fault, pattern, unsound
from logcache_tests.domain.samples import changed

EACH_FAULT = pytest.mark.parametrize("fault", [pytest.param(fault, id=fault) for fault in FAULTS])
UNSOUND = unsound(contract_figures())


@pytest.mark.parametrize(
    ("found", "explained", "missed"),
    [
        pytest.param(
            contract_figures(),
            "30 rows not as yesterday, all explained",
            "every change in the newer segments shows",
            id="every difference has a reason",
        ),
        pytest.param(
            changed(contract_figures(), prototypes={"s0": PrototypeFigures(rows=240, yesterday_rows=240)}),
            "no row differs",
            "every change in the newer segments shows",
            id="no difference",
        ),
    ],
)
def test_days_without_a_fault_pass(found: ContractFigures, explained: str, missed: str) -> None:
    """And say what was found."""
    results = judge_fault("unexplained", found), judge_fault("missed", found)

    assert all(result.passed for result in results)
    assert tuple(result.sentence for result in results) == (explained, missed)
    assert tuple(result.expected for result in results) == (
        "a cause in the log, or in the definition, for every row that differs from yesterday's",
        "every change in the newer segments shows in today's table",
    )


@EACH_FAULT
@pytest.mark.parametrize(
    ("rows", "cells", "actual"),
    [
        pytest.param(1, {}, "1 whole row {}", id="a single row"),
        pytest.param(0, {"account__status": 1}, "account__status: 1 of 240 cells {}", id="a single cell"),
        pytest.param(
            3,
            {"account__amount": 5, "account__status": 12},
            "3 whole rows {}; account__status: 12 of 240 cells {}; account__amount: 5 of 240 cells {}",
            id="rows and columns, in the table's order",
        ),
    ],
)
def test_a_single_fault_blocks(fault: Fault, rows: int, cells: dict[str, int], actual: str) -> None:
    """Without rules nothing is forgiven; rows and cells are counted, each column by itself."""
    result = judge_fault(fault, faulty(fault, rows=rows, **cells))

    assert result.blocks
    assert result.sentence == actual.replace("{}", fault)
    assert result.excused == ()


@EACH_FAULT
def test_one_faults_rule_passes_over_the_other(fault: Fault) -> None:
    """Each has its own name, so that it can be allowed by itself."""
    (other,) = set(FAULTS) - {fault}

    assert judge_fault(fault, faulty(other, rows=3, account__status=12)).passed


@EACH_FAULT
def test_faults_are_added_up_over_prototypes(fault: Fault) -> None:
    """A share is of the contract, not of a prototype."""
    part = PrototypeFigures(
        rows=50,
        yesterday_rows=50,
        reasons={fault: 3},
        faulty_rows={fault: 1},
        columns={"fee": changed(CellFigures(equal=50), **{fault: 2})},
    )
    found = changed(contract_figures(), prototypes={"s0": part, "s1": part})

    assert judge_fault(fault, found).sentence == f"2 whole rows {fault}; fee: 4 of 100 cells {fault}"


@EACH_FAULT
@pytest.mark.parametrize(
    ("entries", "blocking", "warning"),
    [
        pytest.param([{"severity": "warn"}], "", "rows, status, amount", id="the contract and so its columns"),
        pytest.param(
            [{"severity": "warn", "column": "account__status"}], "rows, amount", "status", id="one column alone"
        ),
        pytest.param([{"severity": "warn", "column": "*"}], "rows", "status, amount", id="every column, never rows"),
        pytest.param(
            [{"severity": "warn"}, {"severity": "block", "column": "account__amount"}],
            "amount",
            "rows, status",
            id="all but one column",
        ),
        pytest.param(
            [{"severity": "warn", "contract": "contract-feed/cards"}], "rows, status, amount", "", id="another contract"
        ),
    ],
)
def test_severity_is_of_a_contract_and_of_each_column(
    fault: Fault, entries: list[dict[str, str]], blocking: str, warning: str
) -> None:
    """What warns is told, and alone it lets the contract through."""
    texts = {
        "rows": f"2 whole rows {fault}",
        "status": f"account__status: 12 of 240 cells {fault}",
        "amount": f"account__amount: 6 of 240 cells {fault}",
    }
    severe = [rule_entry(**entry) for entry in entries]

    result = judge_fault(fault, faulty(fault, rows=2, account__status=12, account__amount=6), *severe)

    assert (result.passed, result.blocks) == (False, bool(blocking))
    told = [name for name in (*blocking.split(", "), *warning.split(", ")) if name]
    assert result.sentence == "; ".join(texts[name] for name in told)


@EACH_FAULT
def test_tables_that_cannot_be_compared_block(fault: Fault) -> None:
    """Whatever is allowed: nothing was looked at."""
    lenient = rule_entry(severity="warn", unexplained=1.0, missed=1.0)

    result = judge_fault(fault, UNSOUND, lenient, allow=(allowance(fault),))

    assert result.blocks
    assert result.sentence == "rows could not be compared: today's table has a repeated key in 3 rows"


@EACH_FAULT
def test_it_is_told_whose_keys_are_not_sound(fault: Fault) -> None:
    """Yesterday's table may be at fault too, or alone."""
    yesterday = changed(contract_figures().yesterday, null_keys=1, duplicate_keys=2)

    alone = judge_fault(fault, changed(contract_figures(), yesterday=yesterday, prototypes=None))
    both = judge_fault(fault, changed(UNSOUND, yesterday=yesterday))

    own = "yesterday's table has a null key in 1 row and yesterday's table has a repeated key in 2 rows"
    assert alone.sentence == f"rows could not be compared: {own}"
    assert both.sentence == f"rows could not be compared: {own} and today's table has a repeated key in 3 rows"


@EACH_FAULT
@pytest.mark.parametrize(("rows", "hashed", "asked"), [(20, True, True), (20, False, False), (2, True, False)])
def test_another_key_is_thought_of_where_most_rows_are_wrong(
    fault: Fault, rows: int, *, hashed: bool, asked: bool
) -> None:
    """In hashed columns alone; a few wrong cells among many right ones have another cause."""
    status = ("account__status",)
    found = changed(
        faulty(fault, account__status=rows),
        patterns=(pattern(rows, reason=fault, columns=status),),
        hashed=status if hashed else (),
    )
    s0, s1 = (found.prototypes or {}).values()
    right = changed(s0, reasons={fault: rows, "new-transaction": 10})

    result = judge_fault(fault, changed(found, prototypes={"s0": right, "s1": s1}))

    assert ("LOGCACHE_PII_KEY" in result.sentence) is asked


@EACH_FAULT
@pytest.mark.parametrize(("rows", "asked"), [(1, False), (4, False), (5, True)])
def test_a_few_wrong_hashes_are_wrong_by_themselves(fault: Fault, rows: int, *, asked: bool) -> None:
    """Also where the log touched no other row; another key would have made more of them."""
    status = ("account__status",)
    found = changed(
        faulty(fault, account__status=rows),
        patterns=(pattern(rows, reason=fault, columns=status),),
        hashed=status,
    )
    s0, s1 = (found.prototypes or {}).values()

    result = judge_fault(fault, changed(found, prototypes={"s0": changed(s0, reasons={fault: rows}), "s1": s1}))

    assert ("LOGCACHE_PII_KEY" in result.sentence) is asked


@EACH_FAULT
def test_the_likely_cause_comes_first(fault: Fault) -> None:
    """What the rows of this fault have in common; patterns of anything else are no cause of it."""
    (other,) = set(FAULTS) - {fault}
    status = ("account__status",)
    patterns = (
        pattern(9, reason=other, columns=status),
        pattern(12, reason=fault, columns=status, first_t=4840, last_t=4899, segments=("a.avro",), segment_count=1),
        pattern(2, reason=fault, change="row added", first_t=4850, last_t=4850, segments=("a.avro",), segment_count=1),
        pattern(20),
    )
    found = changed(faulty(fault, rows=2, account__status=12), patterns=patterns)

    assert judge_fault(fault, found).sentence == (
        f"all 14 {fault} rows are on s0 (mostly value changed in account__status), in t 4,840-4,899: one segment, "
        "a.avro; "
        f"2 whole rows {fault}; account__status: 12 of 240 cells {fault}"
    )
    assert judge_fault(fault, found, rule_entry(severity="warn")).sentence == (
        f"2 whole rows {fault}; account__status: 12 of 240 cells {fault}"
    )


def test_without_a_log_that_is_the_cause() -> None:
    """Not a pattern of the rows; and nobody can tell what is missing (C29)."""
    found = changed(faulty("unexplained", rows=2), explained=False, patterns=(pattern(2, reason="unexplained"),))

    assert judge_fault("unexplained", found).sentence == (
        "no log was given, so no difference can be explained; 2 whole rows unexplained"
    )
    assert judge_fault("missed", found).blocks
    assert judge_fault("missed", found).sentence == (
        "no log was given, so nothing tells what today's table must show (C29)"
    )


@EACH_FAULT
def test_the_likely_cause_of_whole_rows_may_name_columns(fault: Fault) -> None:
    """A row that was added with wrong values, or is missing, counts as a row and never as cells."""
    found = changed(
        faulty(fault, rows=2), patterns=(pattern(2, reason=fault, change="row added", columns=("account__status",)),)
    )

    assert judge_fault(fault, found).sentence == (
        f"all 2 {fault} rows are on s0 (row added with wrong account__status); 2 whole rows {fault}"
    )


@EACH_FAULT
def test_the_likely_cause_is_of_what_blocks(fault: Fault) -> None:
    """Cells that are excused, or only warn, say nothing about the rows that block, and are not counted with them."""
    patterns = (
        pattern(7, reason=fault, columns=("account__status",)),
        pattern(5, reason=fault, change="row added"),
    )
    found = changed(faulty(fault, rows=5, account__status=7), patterns=patterns)
    cause = f"all 5 {fault} rows are on s0 (row added); 5 whole rows {fault}"

    allowed = judge_fault(fault, found, allow=(allowance(fault, column="account__status"),))
    warned = judge_fault(fault, found, rule_entry(column="account__status", severity="warn"))

    assert allowed.sentence == cause
    assert warned.sentence == f"{cause}; account__status: 7 of 240 cells {fault}"


@EACH_FAULT
def test_the_likely_cause_names_the_columns_that_block(fault: Fault) -> None:
    """Not those that are excused."""
    patterns = (
        pattern(12, reason=fault, columns=("account__status",)),
        pattern(5, reason=fault, columns=("account__amount",)),
    )
    found = changed(faulty(fault, account__status=12, account__amount=5), patterns=patterns)

    result = judge_fault(fault, found, allow=(allowance(fault, column="account__status"),))

    assert "in account__amount)" in result.sentence
    assert "in account__status)" not in result.sentence
