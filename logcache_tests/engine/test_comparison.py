"""Two days of a contract, compared into figures that were counted by hand."""

import math

import polars as pl
import pytest

from logcache_assets.domain.validation import ColumnFigures
from logcache_assets.engine.comparison import compare_tables, describe_table

KEY = ("id", "prototype")


def table(**columns: object) -> pl.DataFrame:
    """Columns with the key's first."""
    return pl.DataFrame(columns)


def test_keys_and_cells_are_counted_over_both_days() -> None:
    """Three keys yesterday, one gone, one new; of the two in both days one amount changed."""
    yesterday = table(id=["a", "b", "c"], prototype=["s0"] * 3, amount=[1, 2, 3])
    today = table(id=["b", "c", "d"], prototype=["s0"] * 3, amount=[2, 4, 9])

    found = compare_tables(today=today, yesterday=yesterday, key=KEY)

    assert (found.keys_found, found.keys_added) == (2, 1)
    assert found.columns == {"amount": ColumnFigures(compared=2, equal=1)}
    assert (found.today.rows, found.yesterday.rows) == (3, 3)


@pytest.mark.parametrize(
    ("before", "after", "dtype", "equal"),
    [
        pytest.param(None, None, pl.Float64(), 1, id="null equals null"),
        pytest.param(None, 1.5, pl.Float64(), 0, id="null differs from a value"),
        pytest.param(math.nan, math.nan, pl.Float64(), 1, id="NaN equals NaN"),
        pytest.param([1, 2], [1, 2], pl.List(pl.Int64()), 1, id="equal lists"),
        pytest.param([1, 2], [2, 1], pl.List(pl.Int64()), 0, id="lists in another order"),
        pytest.param([None], [None], pl.List(pl.Int64()), 1, id="lists of null"),
        pytest.param(b"\x00", b"\x01", pl.Binary(), 0, id="one bit of bytes"),
    ],
)
def test_cells_are_equal_as_a_reader_sees_them(before: object, after: object, dtype: pl.DataType, equal: int) -> None:
    """One row, one column, one verdict."""
    yesterday, today = (
        table(id=["a"], prototype=["s0"], value=pl.Series([cell], dtype=dtype)) for cell in (before, after)
    )

    found = compare_tables(today=today, yesterday=yesterday, key=KEY)

    assert found.columns["value"] == ColumnFigures(compared=1, equal=equal)


@pytest.mark.parametrize("spoilt", [["a", "a", None], ["a", "b", None], ["a", "a", "b"]])
def test_unsound_keys_are_counted_and_never_joined(spoilt: list[str | None]) -> None:
    """A duplicate key would multiply rows: the comparison stops at the tables."""
    sound = table(id=["a", "b", "c"], prototype=["s0"] * 3, amount=[1, 2, 3])
    unsound = table(id=spoilt, prototype=["s0"] * 3, amount=[1, 2, 3])

    found = compare_tables(today=unsound, yesterday=sound, key=KEY)

    assert found.keys_found is None
    assert found.columns == {}
    assert found.today.null_keys == spoilt.count(None)
    assert found.today.duplicate_keys == 3 - len(set(spoilt))


def test_the_same_key_on_two_prototypes_is_two_rows() -> None:
    """The prototype is part of the key."""
    frame = table(id=["a", "a"], prototype=["s0", "s1"], amount=[1, 1])

    assert describe_table(frame, KEY).duplicate_keys == 0


def test_a_table_without_its_key_column_has_only_null_keys() -> None:
    """It is an error of the table, told by its figures; the schema does not invent the column."""
    found = describe_table(table(prototype=["s0", "s0"], amount=[1, 2]), KEY)

    assert found.null_keys == 2
    assert "id" not in found.columns


def test_a_retyped_column_is_left_to_the_schema() -> None:
    """Its cells are not compared; both types are shown."""
    yesterday = table(id=["a"], prototype=["s0"], amount=["1"])
    today = table(id=["a"], prototype=["s0"], amount=[1])

    found = compare_tables(today=today, yesterday=yesterday, key=KEY)

    assert found.columns == {}
    assert (found.yesterday.columns["amount"], found.today.columns["amount"]) == ("string", "int64")


def test_columns_without_a_value_are_named() -> None:
    """They may change their type when the attribute appears."""
    frame = table(id=["a"], prototype=["s0"], label=pl.Series([None], dtype=pl.String))

    assert describe_table(frame, KEY).null_columns == ("label",)
