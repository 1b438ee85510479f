"""The rules of a contract: figures in, a result out; what gave no result refuses."""

import pytest

from logcache_assets.domain.validation import (
    ColumnFigures,
    ComparisonFigures,
    RuleName,
    RuleResult,
    TableFigures,
    Thresholds,
    find_refusals,
    judge_contract,
    judge_sound_table,
    judge_unusable,
    judge_values_found,
)
from logcache_tests.domain.samples import changed, rule_result

COLUMNS = {"transaction__id": "string", "prototype": "string", "transaction__fee": "decimal128(38, 9)"}
TABLE = TableFigures(rows=100, null_keys=0, duplicate_keys=0, columns=COLUMNS)
LIMITS = Thresholds(keys_found=0.95, values_equal=0.5)


def figures(
    *,
    today: TableFigures = TABLE,
    yesterday: TableFigures = TABLE,
    keys_found: int | None = 100,
    equal: int = 100,
    compared: int = 100,
) -> ComparisonFigures:
    """Two equal days, except for what is given."""
    return ComparisonFigures(
        today=today,
        yesterday=yesterday,
        keys_found=keys_found,
        keys_added=None if keys_found is None else today.rows - keys_found,
        columns={"transaction__fee": ColumnFigures(compared=compared, equal=equal)},
    )


def table(**fields: object) -> TableFigures:
    """The sound table with some figures changed."""
    return changed(TABLE, **fields)


@pytest.mark.parametrize(
    ("today", "yesterday"),
    [
        pytest.param(TABLE, TABLE, id="equal days"),
        pytest.param(table(rows=120), TABLE, id="more rows"),
        pytest.param(table(rows=1), TABLE, id="fewer rows, which another rule judges"),
        pytest.param(table(rows=0), table(rows=0), id="empty as yesterday"),
        pytest.param(TABLE, table(rows=0), id="empty yesterday"),
        pytest.param(
            table(columns=COLUMNS | {"transaction__fee": "bool"}),
            table(columns=COLUMNS | {"transaction__fee": "string"}, null_columns=("transaction__fee",)),
            id="a string column of nulls gets the type of its new attribute",
        ),
    ],
)
def test_a_sound_table_passes(today: TableFigures, yesterday: TableFigures) -> None:
    """Schema unchanged, key sound, rows where yesterday had rows."""
    result = judge_sound_table(figures(today=today, yesterday=yesterday))

    assert result.passed
    assert result.actual == f"{today.rows} rows, all sound"
    assert (result.figures["rows"], result.figures["yesterday_rows"]) == (today.rows, yesterday.rows)


@pytest.mark.parametrize(
    ("today", "yesterday", "actual"),
    [
        pytest.param(
            table(rows=0), TABLE, "it is empty, yesterday it had 100 rows", id="empty where yesterday was not"
        ),
        pytest.param(table(null_keys=2), TABLE, "2 rows have a null key", id="a null key"),
        pytest.param(table(null_keys=2), table(null_keys=2), "2 rows have a null key", id="a null key as yesterday"),
        pytest.param(table(duplicate_keys=1), TABLE, "1 rows repeat a key, yesterday 0 did", id="a duplicate key"),
        pytest.param(
            table(duplicate_keys=4),
            table(duplicate_keys=3),
            "4 rows repeat a key, yesterday 3 did",
            id="one more of them",
        ),
        pytest.param(
            table(duplicate_keys=3),
            table(duplicate_keys=3),
            "3 rows repeat a key, yesterday 3 did",
            id="as many as yesterday",
        ),
        pytest.param(
            table(columns={k: v for k, v in COLUMNS.items() if k != "transaction__fee"}),
            TABLE,
            "column transaction__fee is gone",
            id="a column gone",
        ),
        pytest.param(
            table(columns=COLUMNS | {"b": "bool", "a": "bool"}),
            TABLE,
            "column a is added; column b is added",
            id="columns added, named in order",
        ),
        pytest.param(
            table(columns=COLUMNS | {"transaction__fee": "double"}),
            TABLE,
            "column transaction__fee was decimal128(38, 9) and is double",
            id="another type",
        ),
        pytest.param(
            table(columns=COLUMNS | {"transaction__fee": "double"}),
            table(null_columns=("transaction__fee",)),
            "column transaction__fee was decimal128(38, 9) and is double",
            id="another type of a column of nulls that had a type",
        ),
        pytest.param(
            table(columns=COLUMNS | {"prototype": "int64"}),
            table(null_columns=("transaction__fee",)),
            "column prototype was string and is int64",
            id="another type of a string column with values",
        ),
        pytest.param(
            table(columns=COLUMNS | {"transaction__fee": "string"}, null_columns=("transaction__fee",)),
            TABLE,
            "column transaction__fee was decimal128(38, 9) and is string",
            id="an attribute that lost its type",
        ),
        pytest.param(
            table(rows=0, null_keys=1, columns={}),
            table(columns={"a": "bool"}),
            "column a is gone; it is empty, yesterday it had 100 rows; 1 rows have a null key",
            id="every problem at once",
        ),
    ],
)
def test_an_unsound_table_fails_with_its_problem(today: TableFigures, yesterday: TableFigures, actual: str) -> None:
    """In counts and column names, beside what was expected."""
    result = judge_sound_table(figures(today=today, yesterday=yesterday))

    assert not result.passed
    assert result.actual == actual
    assert result.expected


@pytest.mark.parametrize(
    ("found", "passed"),
    [
        pytest.param(figures(), True, id="everything found"),
        pytest.param(figures(keys_found=95), True, id="just enough keys"),
        pytest.param(figures(keys_found=94), False, id="one key too few"),
        pytest.param(figures(equal=50), True, id="just enough values"),
        pytest.param(figures(equal=49), False, id="one value too few"),
        pytest.param(figures(keys_found=None), False, id="keys that could not be compared"),
        pytest.param(figures(yesterday=table(rows=0), keys_found=0, compared=0, equal=0), True, id="nothing yesterday"),
        pytest.param(figures(keys_found=0, compared=0, equal=0), False, id="no key found"),
    ],
)
def test_yesterdays_values_must_be_found(*, found: ComparisonFigures, passed: bool) -> None:
    """At least the threshold's share of keys, and over these of values; exactly the threshold is enough."""
    assert judge_values_found(found, LIMITS).passed is passed


@pytest.mark.parametrize(
    ("found", "actual"),
    [
        pytest.param(
            figures(keys_found=90, compared=90, equal=9),
            "only 90.00% of yesterday's 100 keys are there; only 10.00% of the values are equal",
            id="both too few",
        ),
        pytest.param(
            figures(keys_found=None), "the tables could not be compared: their keys are not sound", id="not comparable"
        ),
        pytest.param(
            figures(equal=60),
            "100.00% of yesterday's 100 keys, 60.00% of their values are equal; fewest in transaction__fee, 60.00%",
            id="passed, with the column that differs most",
        ),
        pytest.param(
            figures(),
            "100.00% of yesterday's 100 keys, 100.00% of their values are equal",
            id="passed, nothing differs",
        ),
    ],
)
def test_the_result_says_what_was_found(found: ComparisonFigures, actual: str) -> None:
    """In shares, whether it passed or not."""
    result = judge_values_found(found, LIMITS)

    assert result.actual == actual
    assert result.expected == "at least 95% of yesterday's keys, and over these at least 50% equal values"


def test_one_renamed_column_may_differ_widely() -> None:
    """The threshold is over all cells: an ident that was renamed renames all of one column's history by right."""
    found = changed(
        figures(),
        columns={
            "status": ColumnFigures(compared=100, equal=0),
            "amount": ColumnFigures(compared=100, equal=100),
            "fee": ColumnFigures(compared=100, equal=100),
        },
    )

    result = judge_values_found(found, LIMITS)

    assert result.passed
    assert result.actual.endswith("fewest in status, 0.00%")
    assert (result.figures["share_equal/status"], result.figures["share_equal/fee"]) == (0.0, 1.0)


def test_a_contract_gets_every_mandatory_rule() -> None:
    """Whether its table can be judged or not."""
    judged = judge_contract(figures(), LIMITS)
    unusable = judge_unusable("contract-feed/transactions is aborted in the test run")

    assert [result.rule for result in judged] == ["sound_table", "values_found_yesterday"]
    assert [result.rule for result in unusable] == ["sound_table", "values_found_yesterday"]
    assert not any(result.passed for result in unusable)
    assert {result.actual for result in unusable} == {"contract-feed/transactions is aborted in the test run"}


PASSED = (rule_result("sound_table"), rule_result("values_found_yesterday"))


def failed(rule: RuleName) -> tuple[RuleResult, ...]:
    """Both results, one of them failed."""
    return tuple(rule_result(result.rule, passed=result.rule != rule) for result in PASSED)


@pytest.mark.parametrize(
    ("results", "refusals"),
    [
        pytest.param({"c": PASSED}, (), id="every rule passed"),
        pytest.param({"c": failed("sound_table")}, ("c: sound_table failed: all gone",), id="a rule failed"),
        pytest.param(
            {"c": PASSED[:1]}, ("c: the check values_found_yesterday did not run (C29)",), id="a rule that never ran"
        ),
        pytest.param(
            {"c": ()},
            ("c: the check sound_table did not run (C29)", "c: the check values_found_yesterday did not run (C29)"),
            id="no rule ran",
        ),
        pytest.param(
            {"other": PASSED},
            ("c: the check sound_table did not run (C29)", "c: the check values_found_yesterday did not run (C29)"),
            id="the contract is missing",
        ),
        pytest.param({"c": PASSED, "other": failed("sound_table")}, (), id="a contract that nobody asked for"),
    ],
)
def test_what_did_not_pass_is_refused(results: dict[str, tuple[RuleResult, ...]], refusals: tuple[str, ...]) -> None:
    """Absence is failure: only a result that passed lets a mandatory contract through."""
    assert find_refusals(results, mandatory_contracts=["c"]) == refusals


def test_checking_nothing_is_refused() -> None:
    """Without a mandatory contract there is no proof of anything (C29)."""
    assert find_refusals({"c": PASSED}, mandatory_contracts=[]) == ("no contract was to be checked (C29)",)
