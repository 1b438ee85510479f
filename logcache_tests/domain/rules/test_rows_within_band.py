"""rows_within_band: rows and differing rows against what the last refreshes of the contract had."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.figures import ContractFigures, PrototypeFigures, TableFigures
from logcache_assets.domain.rules.results import RuleResult
from logcache_assets.domain.rules.rows_within_band import MOST_REFRESHES, ROWS_WITHIN_BAND
from logcache_assets.domain.rules.settings_file import rule_entry
from logcache_assets.domain.rules.strictness import Allowance, RuleEntry, Strictness
from logcache_tests.domain.contract_samples import ACCOUNTS, allowance, contract_figures, unsound

ROWS = st.integers(min_value=0, max_value=10**12)


def refresh(rows: int, *, changed: int = 0, added: int = 0, missing: int = 0) -> ContractFigures:
    """A refresh that left so many rows, some changed or added since the day before, and some more missing."""
    tables = [TableFigures(rows=n, null_keys=0, duplicate_keys=0, columns={}) for n in (rows, rows - added + missing)]
    part = PrototypeFigures(rows=rows, yesterday_rows=tables[1].rows, added=added, changed=changed, missing=missing)
    return ContractFigures(today=tables[0], yesterday=tables[1], prototypes={"s0": part}, explained=True)


def judge(
    today: ContractFigures, *history: ContractFigures, entry: RuleEntry | None = None, allow: tuple[Allowance, ...] = ()
) -> RuleResult:
    """What the rule says of accounts; without the 100 rows by which every band is wider, unless an entry is given."""
    strictness = Strictness(entries=(entry or rule_entry(band_rows=0),), allow=allow)
    return ROWS_WITHIN_BAND.judge(ACCOUNTS, today, strictness, history)


GROWING = (refresh(1000), refresh(1010), refresh(1040))
SHRINKING = (refresh(1000), refresh(990), refresh(960))


@pytest.mark.parametrize(
    ("refreshes", "sentence"),
    [
        pytest.param(0, "no earlier refreshes to compare with", id="none"),
        pytest.param(1, "1 of the 3 earlier refreshes that make a band", id="one"),
        pytest.param(2, "2 of the 3 earlier refreshes that make a band", id="two"),
    ],
)
def test_without_enough_history_it_passes_silently(refreshes: int, sentence: str) -> None:
    """Whatever the table looks like, and whatever the severity: the first refreshes have nothing to be held against."""
    result = judge(refresh(10**9), *GROWING[:refreshes], entry=rule_entry(band_severity="block"))

    assert (result.passed, result.excused, result.sentence) == (True, (), sentence)
    assert result.figures == {"earlier_refreshes": refreshes, "share_differing": 0.0}


@pytest.mark.parametrize(
    ("history", "rows", "passed"),
    [
        pytest.param(GROWING, 1040, True, id="as many as last time"),
        pytest.param(GROWING, 1130, True, id="three times the largest growth"),
        pytest.param(GROWING, 1131, False, id="one row more"),
        pytest.param(GROWING, 1039, False, id="fewer, where rows were never lost"),
        pytest.param(SHRINKING, 870, True, id="three times the largest loss"),
        pytest.param(SHRINKING, 869, False, id="one row less"),
        pytest.param(SHRINKING, 960, True, id="as many as last time, where it always shrank"),
        pytest.param(SHRINKING, 961, False, id="more, where it never grew"),
        pytest.param((refresh(5), refresh(5), refresh(5)), 0, False, id="none any more"),
        pytest.param((refresh(50), refresh(30), refresh(10)), 0, True, id="none, where the band ends below zero"),
    ],
)
def test_rows_may_change_as_much_as_before(history: tuple[ContractFigures, ...], rows: int, *, passed: bool) -> None:
    """Three times what any refresh added or lost, from the last refresh's rows."""
    result = judge(refresh(rows), *history)

    assert result.passed is passed
    assert not result.blocks


@pytest.mark.parametrize(
    ("today", "passed"),
    [
        pytest.param(refresh(1000, changed=60), True, id="three times the largest share"),
        pytest.param(refresh(1000, changed=61), False, id="one row more"),
        pytest.param(refresh(1000), True, id="no row"),
        pytest.param(refresh(1000, changed=50, added=10), True, id="changed and added rows count alike"),
        pytest.param(refresh(1000, changed=50, added=11), False, id="one added row more"),
    ],
)
def test_as_many_rows_may_differ_as_before(today: ContractFigures, *, passed: bool) -> None:
    """Three times the largest share of rows that differed from the day before."""
    history = (refresh(1000, changed=10), refresh(1000, changed=20), refresh(1000, changed=5))

    assert judge(today, *history).passed is passed


def test_the_numbers_are_told() -> None:
    """What the band is, and what was found instead; a reader needs no other page."""
    history = (refresh(1000, changed=10), refresh(1010, changed=20), refresh(1040, changed=5))

    result = judge(refresh(1200, changed=240), *history)

    assert result.expected == (
        "1,040 to 1,130 rows, of which at most 72 differ: 3 times as much change as in the last 3 refreshes, give or "
        "take 0 rows"
    )
    assert result.actual == (
        "1,200 rows, +160 since the last refresh; between the 3 refreshes before it was +10 to +30",
        "240 of 1,200 rows differ from yesterday's, 20.00%; in the 3 refreshes before at most 1.98% did",
    )
    assert result.figures == {
        "earlier_refreshes": 3,
        "share_differing": 0.2,
        "rows_added_since_refresh": 160,
        "band_least_rows": 1040,
        "band_most_rows": 1130,
        "band_most_differing": 72,
    }


def test_a_table_within_the_band_says_so() -> None:
    """With its counts."""
    assert judge(refresh(1050, changed=3), *[refresh(n, changed=3) for n in (1000, 1010, 1040)]).sentence == (
        "1,050 rows, 3 not as yesterday: within the band"
    )


@pytest.mark.parametrize(
    ("entry", "rows", "passed"),
    [
        pytest.param(rule_entry(), 1230, True, id="a hundred rows above the band, by default"),
        pytest.param(rule_entry(), 1231, False, id="one row more"),
        pytest.param(rule_entry(), 940, True, id="a hundred rows below it"),
        pytest.param(rule_entry(band_rows=5), 1135, True, id="five rows above it"),
        pytest.param(rule_entry(band_rows=0, band_factor=1), 1070, True, id="no factor"),
        pytest.param(rule_entry(band_rows=0, band_factor=1), 1071, False, id="one row more than without a factor"),
        pytest.param(rule_entry(contract="contract-x/*", band_factor=1), 1230, True, id="another contract's factor"),
    ],
)
def test_the_settings_say_how_wide_the_band_is(entry: RuleEntry, rows: int, *, passed: bool) -> None:
    """A factor, and rows by which small tables may move."""
    assert judge(refresh(rows), *GROWING, entry=entry).passed is passed


def test_it_warns_unless_the_settings_say_otherwise() -> None:
    """A usual number of rows is no proof, and an unusual one no fault."""
    warned = judge(refresh(9000), *GROWING)
    blocked = judge(refresh(9000), *GROWING, entry=rule_entry(band_severity="block", severity="warn"))

    assert (warned.passed, warned.severity) == (False, "warn")
    assert (blocked.passed, blocked.severity) == (False, "block")


@pytest.mark.parametrize(
    ("rows", "finding", "excused"),
    [
        pytest.param(9000, "band", True, id="an unusual number"),
        pytest.param(0, "empty", True, id="no rows, of a contract that may be empty"),
        pytest.param(9000, "empty", False, id="rows, of a contract that may be empty"),
        pytest.param(9000, "unexplained", False, id="another finding"),
    ],
)
def test_an_allowance_excuses_it_and_is_named(rows: int, finding: str, *, excused: bool) -> None:
    """As with every rule, somebody answers for it until a date."""
    today = refresh(rows) if rows else refresh(0, missing=1040)

    result = judge(today, *GROWING, entry=rule_entry(band_severity="block"), allow=(allowance(finding),))

    assert result.passed is excused
    assert all(excuse.allowance == allowance(finding) for excuse in result.excused)
    assert bool(result.excused) is excused


def test_old_refreshes_are_forgotten() -> None:
    """A jump of long ago does not widen the band for ever."""
    jump, since = (refresh(10), refresh(5000)), [refresh(5000 + n) for n in range(MOST_REFRESHES)]

    assert not judge(refresh(6000), *jump, *since).passed
    assert judge(refresh(6000), *jump, *since[1:-1]).passed


def test_tables_whose_keys_are_unsound_are_counted_only() -> None:
    """How many rows differ is not known of them; sound_table blocks them anyway."""
    today = unsound(contract_figures())

    alone = judge(today, *[contract_figures()] * 3)
    among = judge(refresh(1000, changed=1000), refresh(1000), refresh(1000), unsound(refresh(1000)))

    assert alone.passed
    assert "share_differing" not in alone.figures
    assert among.passed
    assert "band_most_differing" not in among.figures


def test_a_contracts_first_day_is_no_measure_of_differences() -> None:
    """Yesterday had no row, so that every row was new: such a refresh would make any share usual."""
    first = refresh(1000, added=1000)

    result = judge(refresh(1000, changed=900), first, refresh(1000), refresh(1000), refresh(1000))

    assert not result.passed


@given(history=st.lists(ROWS, min_size=3, max_size=12))
def test_a_table_that_stays_as_it_is_is_within_every_band(history: list[int]) -> None:
    """Nothing new can be unusual."""
    assert judge(refresh(history[-1]), *map(refresh, history)).passed


@given(history=st.lists(ROWS, min_size=3, max_size=10), again=st.integers(min_value=0, max_value=8))
def test_what_happened_before_may_happen_again(history: list[int], again: int) -> None:
    """Any growth or loss of the last refreshes is within the band."""
    before = again % (len(history) - 1)
    rows = history[-1] + history[before + 1] - history[before]

    assert judge(refresh(max(rows, 0)), *map(refresh, history)).passed
