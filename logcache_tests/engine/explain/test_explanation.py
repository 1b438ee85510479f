"""The cell-by-cell part of a comparison: which cells are equal."""

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.figures import CellFigures
from logcache_tests.engine.compare.test_comparison import Days, rows

MS = pl.Datetime("ms", "UTC")
NEW_YEAR = datetime(2018, 1, 1, tzinfo=UTC)
YEAR_10000_MS = 253_402_300_800_000


@pytest.fixture
def figures_of(store: FolderObjectStore) -> Days:
    """A comparison of frames, each written as one file."""
    return Days(store)


SAME_VALUES = [
    pytest.param([None], [None], pl.Float64(), id="null and null"),
    pytest.param([math.nan], [-math.nan], pl.Float64(), id="NaN and another NaN"),
    pytest.param([[1, 2]], [[1, 2]], pl.List(pl.Int64()), id="equal lists"),
    pytest.param([[None]], [[None]], pl.List(pl.Int64()), id="lists of null"),
    pytest.param([[math.nan]], [[math.nan]], pl.List(pl.Float64()), id="lists of NaN"),
    pytest.param([Decimal("1.5")], [Decimal("1.500")], pl.Decimal(38, 9), id="decimals"),
]
OTHER_VALUES = [
    pytest.param([1.5], [math.nextafter(1.5, 2)], pl.Float64(), id="the last bit of a double"),
    pytest.param([0.0], [-0.0], pl.Float64(), id="0.0 and -0.0"),
    pytest.param([0.0], [math.nan], pl.Float64(), id="a number and NaN"),
    pytest.param([[1, 2]], [[2, 1]], pl.List(pl.Int64()), id="lists in another order"),
    pytest.param([["ab"]], [["a", "b"]], pl.List(pl.String()), id="a text cut in two"),
    pytest.param([["a", ""]], [["", "a"]], pl.List(pl.String()), id="an empty text elsewhere in a list"),
    pytest.param([[]], [[None]], pl.List(pl.Int64()), id="an empty list and one of null"),
    pytest.param([[1.5]], [[math.nextafter(1.5, 2)]], pl.List(pl.Float64()), id="the last bit of a double in a list"),
    pytest.param([b"\x00"], [b"\x01"], pl.Binary(), id="one bit of bytes"),
    pytest.param([b""], [b"\x00"], pl.Binary(), id="no bytes and a zero byte"),
    pytest.param(["é"], ["e\u0301"], pl.String(), id="letters that look alike"),
    pytest.param([2**62], [2**62 + 1], pl.Int64(), id="numbers beyond a double"),
    pytest.param([Decimal("0.000000001")], [Decimal(0)], pl.Decimal(38, 9), id="the last digit of a decimal"),
    pytest.param([NEW_YEAR], [NEW_YEAR + timedelta(milliseconds=1)], MS, id="a millisecond"),
    pytest.param([True], [False], pl.Boolean(), id="a boolean"),
]


@pytest.mark.parametrize(("before", "after", "dtype"), SAME_VALUES)
def test_a_value_equals_itself(before: list[object], after: list[object], dtype: pl.DataType, figures_of: Days) -> None:
    """Equal values of each type give no difference."""
    found = figures_of(rows(value=pl.Series(before, dtype=dtype)), rows(value=pl.Series(after, dtype=dtype)))

    assert found.columns == {"value": CellFigures(equal=1)}
    assert found.reasons == {}


@pytest.mark.parametrize(("before", "after", "dtype"), OTHER_VALUES)
def test_the_smallest_difference_of_a_value_counts(
    before: list[object], after: list[object], dtype: pl.DataType, figures_of: Days
) -> None:
    """The smallest change of each type gives a difference."""
    found = figures_of(rows(value=pl.Series(before, dtype=dtype)), rows(value=pl.Series(after, dtype=dtype)))

    assert found.columns == {"value": CellFigures(changed=1, unexplained=1)}
    assert found.reasons == {"unexplained": 1}


def test_the_sign_of_zero_counts_in_lists_too(figures_of: Days) -> None:
    """-0.0 and 0.0 differ inside lists too."""
    before, after = (pl.Series([[zero]], dtype=pl.List(pl.Float64())) for zero in (0.0, -0.0))

    found = figures_of(rows(value=before), rows(value=after))

    assert found.columns == {"value": CellFigures(changed=1, unexplained=1)}


def instants(*values: datetime, dtype: pl.DataType) -> pl.Series:
    """Timestamps of the given type."""
    return pl.Series(values, dtype=pl.Datetime("us", "UTC")).cast(dtype)


ACROSS_TYPES = [
    pytest.param(
        pl.Series(["1.50", "-0.1"]).cast(pl.Decimal(38, 9)),
        pl.Series(["1.5", "-0.2"]).cast(pl.Decimal(10, 2)),
        id="decimals of another scale",
    ),
    pytest.param(
        instants(NEW_YEAR, NEW_YEAR, dtype=MS),
        instants(NEW_YEAR, NEW_YEAR + timedelta(microseconds=1), dtype=pl.Datetime("us", "UTC")),
        id="timestamps of another unit",
    ),
    pytest.param(
        instants(NEW_YEAR, NEW_YEAR, dtype=MS),
        pl.Series([NEW_YEAR, NEW_YEAR + timedelta(hours=1)], dtype=pl.Datetime("us", "America/Sao_Paulo")),
        id="timestamps of another zone",
    ),
    pytest.param(
        instants(NEW_YEAR, NEW_YEAR, dtype=MS),
        pl.Series([NEW_YEAR, NEW_YEAR + timedelta(hours=3)]).dt.replace_time_zone(None).cast(pl.Datetime("ns")),
        id="timestamps without a zone, which are UTC",
    ),
    pytest.param(pl.Series([7, -7], dtype=pl.Int32), pl.Series([7, 7], dtype=pl.Int64), id="integers of another width"),
    pytest.param(
        pl.Series([0.5, 0.25], dtype=pl.Float32), pl.Series([0.5, 0.1], dtype=pl.Float64), id="floats of another width"
    ),
    pytest.param(
        pl.Series([[1], [2]], dtype=pl.List(pl.Int32)), pl.Series([[1], [3]], dtype=pl.List(pl.Int64)), id="lists"
    ),
]


@pytest.mark.parametrize(("before", "after"), ACROSS_TYPES)
def test_values_are_compared_across_types_that_hold_the_same(
    before: pl.Series, after: pl.Series, figures_of: Days
) -> None:
    """Of two values in other types, the first is equal and the second is not."""
    found = figures_of(rows(value=before), rows(value=after))

    assert found.columns == {"value": CellFigures(equal=1, changed=1, unexplained=1)}


def test_a_wall_clock_of_another_zone_is_the_same_instant(figures_of: Days) -> None:
    """Timestamps are compared as instants: midnight in UTC is 22:00 in São Paulo's summer."""
    local = datetime(2017, 12, 31, 22, tzinfo=timezone(timedelta(hours=-2)))

    found = figures_of(
        rows(value=pl.Series([NEW_YEAR], dtype=MS)),
        rows(value=pl.Series([local], dtype=pl.Datetime("us", "America/Sao_Paulo"))),
    )

    assert found.columns == {"value": CellFigures(equal=1)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            pl.Series([YEAR_10000_MS]).cast(MS),
            pl.Series([0]).cast(pl.Datetime("ns")),
            id="the year 10000 and nanoseconds",
        ),
        pytest.param(
            pl.Series([Decimal("1234567890" * 3)], dtype=pl.Decimal(38, 0)),
            pl.Series([Decimal(1)], dtype=pl.Decimal(38, 9)),
            id="a large integer and decimals",
        ),
    ],
)
def test_a_value_that_the_other_days_type_cannot_hold_is_another_value(
    before: pl.Series, after: pl.Series, figures_of: Days
) -> None:
    """The value is not cut to fit, and no error quotes it."""
    found = figures_of(rows(value=before), rows(value=after))

    assert found.columns == {"value": CellFigures(changed=1, unexplained=1)}


def test_values_that_come_and_go_are_counted_apart(figures_of: Days) -> None:
    """Cells that become null, stop being null, or change value are counted separately."""
    found = figures_of(rows(value=[None, 1, 1, None]), rows(value=[1, None, 2, None]))

    assert found.columns == {"value": CellFigures(equal=1, changed=1, to_null=1, from_null=1, unexplained=3)}
    assert {p.change for p in found.patterns} == {"null to value", "value to null", "value changed"}


def test_a_tolerance_is_of_one_column_and_absolute(figures_of: Days) -> None:
    """A difference within the tolerance is accepted in its column; a larger one, or a null, is not."""
    yesterday = rows(rate=[1.0, 1.0, 1.0], other=[1.0, 1.0, 1.0])
    today = rows(rate=[1.005, 1.006, None], other=[1.005, 1.0, 1.0])

    found = figures_of(yesterday, today, rate=0.005)

    assert found.columns == {
        "rate": CellFigures(equal=1, changed=1, to_null=1, unexplained=2),
        "other": CellFigures(equal=2, changed=1, unexplained=1),
    }


def test_a_retyped_column_equals_only_where_it_is_null(figures_of: Days) -> None:
    """Text and number have no common type, so even 1 and "1" differ; both types are shown."""
    found = figures_of(rows(amount=["1", None]), rows(amount=[1, None]))

    assert found.columns == {"amount": CellFigures(equal=1, changed=1, unexplained=1)}
    assert (found.yesterday.columns["amount"], found.today.columns["amount"]) == ("string", "int64")


def test_a_column_that_yesterday_lacks_was_null_then(figures_of: Days) -> None:
    """Values of the new column are differences, nulls are not."""
    found = figures_of(rows(amount=[1, 2]), rows(amount=[1, 2], fee=[None, 5]))

    assert found.columns["fee"] == CellFigures(equal=1, from_null=1, unexplained=1)
    assert found.columns["amount"] == CellFigures(equal=2)
