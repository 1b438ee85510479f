"""values_found_yesterday, the runbook's own check: shares of keys and values, and when low ones only warn."""

import pytest

from logcache_assets.domain.figures import FAULTS, CellFigures, ContractFigures, PrototypeFigures, Reason
from logcache_assets.domain.rules.settings_file import rule_entry
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS, RuleEntry, Strictness
from logcache_assets.domain.rules.values_found_yesterday import VALUES_FOUND_YESTERDAY
from logcache_tests.domain.contract_samples import ACCOUNTS, allowance, contract_figures, unsound
from logcache_tests.domain.samples import changed


def of_yesterday(rows: int) -> ContractFigures:
    """The sound days, with so many rows yesterday."""
    found = contract_figures()
    return changed(found, yesterday=changed(found.yesterday, rows=rows))


def found_again(
    *,
    missing: int = 0,
    status: int = 0,
    amount: int = 0,
    because: Reason | None = None,
    explained: bool = False,
) -> ContractFigures:
    """100 rows of yesterday, of which these are missing, and cells of the rest that differ."""
    both = 100 - missing
    s0 = PrototypeFigures(
        rows=both,
        yesterday_rows=100,
        missing=missing,
        changed=max(status, amount),
        reasons={because: missing + max(status, amount)} if because else {},
        faulty_rows={fault: missing for fault in FAULTS if fault == because},
        columns={
            "account__status": CellFigures(equal=both - status, changed=status),
            "account__amount": CellFigures(equal=both - amount, changed=amount),
        },
    )
    return changed(of_yesterday(100), prototypes={"s0": s0}, explained=explained)


@pytest.mark.parametrize(
    ("found", "passed"),
    [
        pytest.param(found_again(), True, id="everything found"),
        pytest.param(found_again(missing=5), True, id="just enough keys"),
        pytest.param(found_again(missing=6), False, id="one key too few"),
        pytest.param(found_again(status=50, amount=50), True, id="just enough values"),
        pytest.param(found_again(status=51, amount=50), False, id="one value too few"),
        pytest.param(found_again(status=100), True, id="a renamed ident, which renames all of one column"),
        pytest.param(found_again(missing=100), False, id="no key found"),
        pytest.param(
            changed(of_yesterday(0), prototypes={"s0": PrototypeFigures(rows=9, yesterday_rows=0, added=9)}),
            True,
            id="nothing yesterday",
        ),
    ],
)
def test_yesterdays_values_must_be_found(*, found: ContractFigures, passed: bool) -> None:
    """At least the threshold's share of keys, and over these of all values; exactly the threshold is enough."""
    result = VALUES_FOUND_YESTERDAY.judge(ACCOUNTS, found, DEFAULT_STRICTNESS)

    assert (result.passed, result.blocks) == (passed, not passed)


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        pytest.param("changed", 0.25, id="another value"),
        pytest.param("to_null", 0.25, id="a value that became null"),
        pytest.param("from_null", 0.25, id="a null that became a value"),
    ],
)
def test_a_value_is_equal_or_it_is_not(kind: str, share: float) -> None:
    """Whatever became of a cell, it is one of those compared."""
    cells = changed(CellFigures(equal=25), **{kind: 75})
    found = changed(
        contract_figures(), prototypes={"s0": PrototypeFigures(rows=100, yesterday_rows=100, columns={"fee": cells})}
    )

    assert VALUES_FOUND_YESTERDAY.judge(ACCOUNTS, found, DEFAULT_STRICTNESS).figures["share_equal"] == share


@pytest.mark.parametrize(
    ("found", "actual"),
    [
        pytest.param(
            found_again(missing=10, status=81, amount=81),
            "only 90.00% of yesterday's 100 keys are there; only 10.00% of the values are equal",
            id="both too few",
        ),
        pytest.param(
            unsound(contract_figures()),
            "rows could not be compared: today's table has a repeated key in 3 rows",
            id="not comparable, whatever the log says",
        ),
        pytest.param(
            found_again(missing=4, status=24, amount=12),
            "96.00% of yesterday's 100 keys, 81.25% of their values are equal; fewest in account__status, 75.00%",
            id="passed, with the column that differs most",
        ),
        pytest.param(
            found_again(), "100.00% of yesterday's 100 keys, 100.00% of their values are equal", id="nothing differs"
        ),
    ],
)
def test_the_result_says_what_was_found(found: ContractFigures, actual: str) -> None:
    """In shares, whether it passed or not."""
    result = VALUES_FOUND_YESTERDAY.judge(ACCOUNTS, found, DEFAULT_STRICTNESS)

    assert result.sentence == actual
    assert result.expected == "at least 95% of yesterday's keys, and over these at least 50% equal values"
    assert result.blocks is actual.startswith(("only", "rows could"))


def test_the_share_of_every_column_is_kept() -> None:
    """Under names that stay the same over refreshes."""
    assert VALUES_FOUND_YESTERDAY.judge(
        ACCOUNTS, found_again(missing=20, status=20, amount=80), DEFAULT_STRICTNESS
    ).figures == {
        "share_keys_found": 0.8,
        "share_equal": 0.375,
        "share_equal/account__status": 0.75,
        "share_equal/account__amount": 0.0,
    }


@pytest.mark.parametrize(
    ("entry", "passed"),
    [
        pytest.param(rule_entry(keys_found=0.9, values_equal=0.1), True, id="both lowered"),
        pytest.param(rule_entry(keys_found=0.9), False, id="only the keys"),
        pytest.param(rule_entry(values_equal=0.1), False, id="only the values"),
        pytest.param(rule_entry(keys_found=0.91, values_equal=0.1), False, id="not low enough"),
        pytest.param(rule_entry(contract="contract-x/*", keys_found=0, values_equal=0), False, id="another contract"),
        pytest.param(rule_entry(severity="warn", unexplained=1, missed=1), False, id="what is for differences"),
    ],
)
def test_the_shares_of_a_contract_are_its_own(*, entry: RuleEntry, passed: bool) -> None:
    """A rule lowers them; severity does not make them a warning."""
    found = found_again(missing=10, status=81, amount=81)

    assert VALUES_FOUND_YESTERDAY.judge(ACCOUNTS, found, Strictness(entries=(entry,))).blocks is not passed


@pytest.mark.parametrize(
    ("found", "blocks"),
    [
        pytest.param(found_again(missing=10, because="excised", explained=True), False, id="excised"),
        pytest.param(found_again(status=99, amount=99, because="renamed-ident", explained=True), False, id="renamed"),
        pytest.param(found_again(missing=10, because="unexplained", explained=True), True, id="unexplained"),
        pytest.param(found_again(missing=10, because="missed", explained=True), True, id="missed"),
        pytest.param(found_again(missing=10), True, id="without a log, by no reason"),
    ],
)
def test_low_shares_that_the_log_explains_are_only_a_warning(*, found: ContractFigures, blocks: bool) -> None:
    """The log is the better witness; a single fault, or no log, and they block."""
    assert VALUES_FOUND_YESTERDAY.judge(ACCOUNTS, found, DEFAULT_STRICTNESS).blocks is blocks


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(Strictness(allow=(allowance("unexplained"),)), id="allowed"),
        pytest.param(Strictness(entries=(rule_entry(unexplained=0.1),)), id="within a threshold"),
        pytest.param(Strictness(entries=(rule_entry(severity="warn"),)), id="only a warning"),
    ],
)
def test_low_shares_by_what_does_not_block_do_not_block(rules: Strictness) -> None:
    """Who has excused the differences need not excuse their sum."""
    found = found_again(missing=10, because="unexplained", explained=True)

    assert not VALUES_FOUND_YESTERDAY.judge(ACCOUNTS, found, rules).blocks


def test_a_low_share_that_is_explained_is_still_told() -> None:
    """Not as passed, but as a warning, in the same words."""
    result = VALUES_FOUND_YESTERDAY.judge(
        ACCOUNTS, found_again(missing=10, because="excised", explained=True), DEFAULT_STRICTNESS
    )

    assert (result.passed, result.severity) == (False, "warn")
    assert result.sentence == "only 90.00% of yesterday's 100 keys are there"


def test_a_threshold_is_shown_as_it_is() -> None:
    """Rounding up would promise what is not asked."""
    rules = Strictness(entries=(rule_entry(keys_found=0.999, values_equal=0.625),))

    result = VALUES_FOUND_YESTERDAY.judge(ACCOUNTS, found_again(), rules)

    assert "99.9%" in result.expected
    assert "62.5%" in result.expected
