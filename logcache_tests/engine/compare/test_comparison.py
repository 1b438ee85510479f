"""Figures of two days of a contract, against counts by hand or row by row in plain Python."""

import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.figures import CellFigures, ContractFigures
from logcache_assets.engine.compare.compare_tables import compare_tables
from logcache_assets.engine.compare.comparison import MANY_ROWS, Comparison
from logcache_assets.engine.compare.contract_files import Piece, Table
from logcache_assets.engine.compare.planning import BUCKET_ROWS
from logcache_assets.engine.compare.reading import KEPT_BYTES
from logcache_assets.engine.drivers.driver import Driver, Folder, LocalDriver, Task
from logcache_tests.engine.days import put_table
from logcache_tests.engine.elsewhere import ElsewhereDriver
from logcache_tests.engine.world import driver_in, open_store

KEY = ("id", "prototype")
R = TypeVar("R")


def rows(prototype: str | Sequence[str] = "s0", /, **columns: Sequence[object] | pl.Series) -> pl.DataFrame:
    """A frame of rows, with the ids a, b, c, … unless they are given."""
    count = len(next(iter(columns.values())))
    ids = columns.pop("id", [chr(ord("a") + n) for n in range(count)])
    where = [prototype] * count if isinstance(prototype, str) else prototype
    return pl.DataFrame({"id": ids, "prototype": where, **columns})


def compared(
    yesterday: Table,
    today: Table,
    driver: Driver,
    *,
    tolerances: Mapping[str, float] | None = None,
    bucket_rows: int = BUCKET_ROWS,
    many_rows: int = MANY_ROWS,
    kept_bytes: int = KEPT_BYTES,
) -> ContractFigures:
    """The figures of two tables whose log is unknown."""
    comparison = Comparison(
        yesterday=yesterday,
        today=today,
        key=KEY,
        row_columns=frozenset({"id"}),
        token_key=b"k",
        tolerances=tolerances or {},
        bucket_rows=bucket_rows,
        many_rows=many_rows,
        kept_bytes=kept_bytes,
    )
    return compare_tables(comparison, driver, driver.scratch.at("comparison")).figures


@dataclass(frozen=True, slots=True)
class Days:
    """Compares two frames, each written as a table."""

    store: FolderObjectStore

    def __call__(self, yesterday: pl.DataFrame, today: pl.DataFrame, **tolerances: float) -> ContractFigures:
        """Compare, and return the figures."""
        one, other = (put_table(self.store, frame) for frame in (yesterday, today))
        return compared(one, other, driver_in(self.store), tolerances=tolerances)


@pytest.fixture
def figures_of(store: FolderObjectStore) -> Days:
    """A comparison of frames, each written as one file."""
    return Days(store)


def test_keys_and_cells_are_counted_over_both_days(figures_of: Days) -> None:
    """Of three keys yesterday one is gone and one is new; of the two common ones, one amount changed."""
    yesterday = rows(id=["a", "b", "c"], amount=[1, 2, 3])
    today = rows(id=["b", "c", "d"], amount=[2, 4, 9])

    found = figures_of(yesterday, today)

    assert (found.found, found.missing, found.added, found.changed) == (2, 1, 1, 1)
    assert found.columns == {"amount": CellFigures(equal=1, changed=1, unexplained=1)}
    assert (found.today.rows, found.yesterday.rows) == (3, 3)


def test_without_a_log_every_difference_is_unexplained(figures_of: Days) -> None:
    """One row each is gone, new and changed; the fourth is unchanged."""
    found = figures_of(
        rows(id=["a", "b", "c"], amount=[1, 2, 3]),
        rows(id=["a", "b", "d"], amount=[1, 9, 4]),
    )

    assert found.reasons == {"unexplained": 3}
    assert {(p.change, p.columns, p.rows) for p in found.patterns} == {
        ("row missing", (), 1),
        ("row added", (), 1),
        ("value changed", ("amount",), 1),
    }
    assert not found.explained


def test_a_pattern_names_its_columns_in_the_order_of_the_table(figures_of: Days) -> None:
    """Columns of one type are compared together, and named apart."""
    found = figures_of(rows(z=[1], text=["x"], a=[1], d=[1.0]), rows(z=[2], text=["y"], a=[2], d=[2.0]))

    assert [pattern.columns for pattern in found.patterns] == [("z", "text", "a", "d")]


@pytest.mark.parametrize(
    ("ids", "null_keys", "duplicate_keys"),
    [
        pytest.param(["a", "a", "c"], 0, 1, id="one key twice"),
        pytest.param(["a", "a", "a"], 0, 2, id="one key three times"),
        pytest.param(["a", "b", None], 1, 0, id="a null"),
        pytest.param(["a", "a", None], 1, 1, id="both"),
        pytest.param(["a", None, None], 2, 1, id="two nulls"),
    ],
)
@pytest.mark.parametrize("spoilt_day", ["yesterday", "today"])
def test_unsound_keys_are_counted_and_never_joined(
    ids: list[str | None], null_keys: int, duplicate_keys: int, spoilt_day: str, figures_of: Days
) -> None:
    """A duplicate key would multiply rows, so only the tables' figures are given."""
    sound, unsound = rows(amount=[1, 2, 3]), rows(id=ids, amount=[1, 2, 3])

    found = figures_of(unsound, sound) if spoilt_day == "yesterday" else figures_of(sound, unsound)

    spoilt = found.yesterday if spoilt_day == "yesterday" else found.today
    assert (spoilt.null_keys, spoilt.duplicate_keys) == (null_keys, duplicate_keys)
    assert found.prototypes is None
    assert found.patterns == ()


def test_a_null_prototype_is_a_null_in_the_key(figures_of: Days) -> None:
    """A null in any column of the key counts."""
    nowhere = rows(amount=[1]).with_columns(prototype=pl.lit(None, pl.String))

    found = figures_of(rows(amount=[1]), nowhere)

    assert found.today.null_keys == 1


def test_the_same_key_on_two_prototypes_is_two_rows(figures_of: Days) -> None:
    """The prototype is part of the key, and figures are counted by it."""
    yesterday = rows(["s0", "s1"], id=["a", "a"], amount=[1, 1])
    today = rows(["s1", "s0"], id=["a", "a"], amount=[1, 2])

    found = figures_of(yesterday, today)

    assert (found.today.duplicate_keys, found.missing, found.added) == (0, 0, 0)
    assert {p: f.changed for p, f in (found.prototypes or {}).items()} == {"s0": 1, "s1": 0}


def test_a_retyped_key_is_compared_as_text(figures_of: Days) -> None:
    """Keys written as texts still match those written as numbers."""
    found = figures_of(rows(id=[1, 2], amount=[1, 2]), rows(id=["1", "2"], amount=[1, 3]))

    assert (found.missing, found.added, found.changed) == (0, 0, 1)


def test_a_column_that_today_lacks_is_left_to_the_schema(figures_of: Days) -> None:
    """Its cells are not compared; only the column lists show that it is missing."""
    found = figures_of(rows(amount=[1, 2], fee=[3, 4]), rows(amount=[1, 2]))

    assert found.reasons == {}
    assert found.columns.keys() == {"amount"}
    assert found.yesterday.columns.keys() - found.today.columns.keys() == {"fee"}


def test_the_order_of_rows_and_columns_does_not_matter(figures_of: Days) -> None:
    """Only keys and values are compared."""
    yesterday = rows(amount=[1, 2, 3], fee=[4, 5, 6])

    found = figures_of(yesterday, yesterday.reverse().select("fee", "prototype", "amount", "id"))

    assert found.reasons == {}
    assert found.columns == {"fee": CellFigures(equal=3), "amount": CellFigures(equal=3)}


AMOUNTS = [Decimal("1.5"), Decimal("-0.10"), Decimal(100), Decimal("0.000000001")]


@pytest.mark.parametrize("many", [False, True], ids=["one", "lists"])
def test_decimals_are_compared_by_value_whatever_their_scale(figures_of: Days, *, many: bool) -> None:
    """No decimal may hold both types, but a difference in the last digit is still found."""
    yesterdays = [*AMOUNTS, Decimal("12345678901234567890123456789.5"), Decimal("7.000000001")]
    todays = [*AMOUNTS, Decimal("2.5"), Decimal("7.000000001000000001")]
    wide, fine = (pl.Series(v, dtype=t) for v, t in ((yesterdays, pl.Decimal(38, 9)), (todays, pl.Decimal(38, 18))))
    if many:
        wide, fine = (series.reshape((-1, 1)).arr.to_list() for series in (wide, fine))

    found = figures_of(rows(amount=wide), rows(amount=fine))

    assert found.columns == {"amount": CellFigures(equal=4, changed=2, unexplained=2)}


def test_empty_tables_are_equal(figures_of: Days) -> None:
    """Two empty tables have no prototypes and no differences."""
    nothing = rows(amount=[1]).clear()

    found = figures_of(nothing, nothing)

    assert (found.prototypes, found.reasons, found.today.rows) == ({}, {}, 0)


def test_a_table_that_is_empty_today_lacks_every_row(figures_of: Days) -> None:
    """If today is empty all rows are missing; if yesterday was, all are new."""
    some = rows(amount=[1, 2])

    lost, came = figures_of(some, some.clear()), figures_of(some.clear(), some)

    assert (lost.missing, lost.added, lost.today.rows) == (2, 0, 0)
    assert (came.missing, came.added, came.yesterday.rows) == (0, 2, 0)


@pytest.mark.parametrize("grows", [True, False], ids=["today has many more", "yesterday had"])
@pytest.mark.parametrize("many_rows", [0, 3, MANY_ROWS], ids=["all rows read", "all of one day's", "looked up"])
def test_one_day_that_differs_in_many_rows_leaves_the_others_alone(
    many_rows: int, store: FolderObjectStore, *, grows: bool
) -> None:
    """Whether rows are looked up or all read is decided for both days at once, so no row looks missing."""
    few = put_table(store, rows(id=["a", "b", "c"], amount=[1, 2, 3]))
    many = put_table(store, rows(id=list("abcdefgh"), amount=[1, 2, 9, *range(5)]))

    found = compared(*((few, many) if grows else (many, few)), driver_in(store), many_rows=many_rows)

    assert (found.added, found.missing, found.changed) == ((5, 0, 1) if grows else (0, 5, 1))
    assert found.reasons == {"unexplained": 6}


def test_patterns_that_are_left_out_are_counted(figures_of: Days) -> None:
    """The 40 largest patterns are kept; here prototype p<n> has n + 1 rows, for n from 0 to 49."""
    prototypes = [f"p{n}" for n in range(50) for _ in range(n + 1)]
    ids = [f"{n}" for n in range(len(prototypes))]
    yesterday = rows(prototypes, id=ids, amount=[1] * len(ids))

    found = figures_of(yesterday, yesterday.with_columns(amount=pl.lit(2, pl.Int64)))

    assert [pattern.rows for pattern in found.patterns] == list(range(50, 10, -1))
    assert found.more_patterns == 10
    assert found.reasons == {"unexplained": len(ids)}


def test_values_exchanged_between_columns_of_one_type_differ(figures_of: Days) -> None:
    """A row's hash is a sum over its columns, so each column must be hashed with its own seed."""
    yesterday = rows(id=[str(n) for n in range(100)], debit=list(range(100)), credit=list(range(100, 200)))
    today = yesterday.rename({"debit": "credit", "credit": "debit"})

    found = figures_of(yesterday, today)

    assert found.changed == 100


def test_values_exchanged_between_rows_differ(figures_of: Days) -> None:
    """The table has the same keys and the same values as before, in other rows."""
    found = figures_of(rows(amount=[1, 2, 3]), rows(amount=[1, 3, 2]))

    assert found.columns == {"amount": CellFigures(equal=1, changed=2, unexplained=2)}


def in_pieces(table: Table, size: int) -> tuple[Piece, ...]:
    """The table in pieces of at most so many rows."""
    return tuple(
        Piece(piece.uri, piece.first + n, min(size, piece.rows - n), piece.begin + n)
        for piece in table.pieces
        for n in range(0, piece.rows, size)
    )


def cut_small(table: Table, size: int) -> Table:
    """The table, read a few rows at a time."""
    return replace(table, pieces=in_pieces(table, size))


NUMBERS, TEXTS = st.sampled_from([None, 0, 1, -1, 2**62]), st.sampled_from([None, "", "a", "ab", "ü"])
SMALL_LISTS = st.none() | st.lists(st.sampled_from([0, 1, None]), max_size=2)
COLUMNS: Mapping[str, tuple[st.SearchStrategy[Any], pl.DataType]] = {
    "one": (NUMBERS, pl.Int64()),
    "other": (NUMBERS, pl.Int64()),
    "text": (TEXTS, pl.String()),
    "score": (st.sampled_from([None, 0.0, -0.0, 1.5, math.nan]), pl.Float64()),
    "flag": (st.sampled_from([None, True, False]), pl.Boolean()),
    "list": (SMALL_LISTS, pl.List(pl.Int64())),
    "words": (st.none() | st.lists(TEXTS, max_size=2), pl.List(pl.String())),
}
CELLS = tuple(COLUMNS)
SCHEMA = {"id": pl.String(), "prototype": pl.String(), **{name: dtype for name, (_, dtype) in COLUMNS.items()}}
Rows = dict[tuple[str, str], tuple[Any, ...]]
CELL_ROWS = st.tuples(*(strategy for strategy, _ in COLUMNS.values()))
KEYS = st.tuples(st.sampled_from("abcdef"), st.sampled_from(["s0", "s1"]))


@st.composite
def two_days(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Key → row of two days; many rows are equal or nearly so."""
    yesterday = draw(st.dictionaries(KEYS, CELL_ROWS, max_size=8))
    today = {key: row for key, row in yesterday.items() if draw(st.integers(0, 5))}
    for key in [key for key in today if draw(st.booleans())]:
        place, row = draw(st.integers(0, len(CELLS) - 1)), list(today[key])
        row[place] = draw(COLUMNS[CELLS[place]][0])
        today[key] = tuple(row)
    return yesterday, {**today, **draw(st.dictionaries(KEYS, CELL_ROWS, max_size=2))}


def naive(yesterday: Rows, today: Rows) -> tuple[int, int, int, dict[str, CellFigures]]:
    """Missing, added and changed rows, and cells by column; `repr` tells -0.0 from 0.0 and treats all NaN alike."""
    both = [(yesterday[key], today[key]) for key in yesterday.keys() & today.keys()]
    columns = {name: naive_cells([(one[n], other[n]) for one, other in both]) for n, name in enumerate(CELLS)}
    changed = sum(repr(one) != repr(other) for one, other in both)
    return len(yesterday.keys() - today.keys()), len(today.keys() - yesterday.keys()), changed, columns


def naive_cells(pairs: Sequence[tuple[object, object]]) -> CellFigures:
    """The figures of one column; every difference is unexplained."""
    other = [(a, b) for a, b in pairs if repr(a) != repr(b)]
    return CellFigures(
        equal=len(pairs) - len(other),
        changed=sum(a is not None and b is not None for a, b in other),
        to_null=sum(b is None for _, b in other),
        from_null=sum(a is None for a, _ in other),
        unexplained=len(other),
    )


def files(content: Rows, parts: int) -> Iterator[pl.DataFrame]:
    """Distribute the rows over several files."""
    dealt = [(*key, *cells) for key, cells in content.items()]
    return (pl.DataFrame(dealt[n::parts], SCHEMA, orient="row") for n in range(parts))


@given(
    days=two_days(),
    parts=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    piece_rows=st.integers(1, 3),
    bucket_rows=st.sampled_from([1, 3, BUCKET_ROWS]),
    kept_bytes=st.sampled_from([0, 100, KEPT_BYTES]),
    elsewhere=st.booleans(),
)
@settings(max_examples=40)
def test_digests_count_what_a_comparison_of_every_row_counts(
    *,
    days: tuple[Rows, Rows],
    parts: tuple[int, int],
    piece_rows: int,
    bucket_rows: int,
    kept_bytes: int,
    elsewhere: bool,
) -> None:
    """The figures do not depend on files, pieces, buckets, driver, or how many rows are kept."""
    yesterday, today = days
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        tables = [put_table(store, *files(rows, n)) for rows, n in zip(days, parts, strict=True)]
        one, other = (cut_small(table, piece_rows) for table in tables)
        own = driver_in(store)
        driver = ElsewhereDriver(own.scratch) if elsewhere else own

        found = compared(one, other, driver, bucket_rows=bucket_rows, kept_bytes=kept_bytes)

    assert (found.missing, found.added, found.changed, found.columns or NO_CELLS) == naive(yesterday, today)
    assert (found.yesterday.rows, found.today.rows) == (len(yesterday), len(today))


NO_CELLS = dict.fromkeys(CELLS, CellFigures())
"""Figures of tables without rows."""


@pytest.mark.parametrize("bucket_rows", [1, BUCKET_ROWS], ids=["several buckets", "one bucket"])
def test_duplicates_are_found_wherever_they_lie(bucket_rows: int, store: FolderObjectStore) -> None:
    """Duplicates are counted across pieces and files."""
    twice = put_table(store, rows(id=["a", "b", "a"], amount=[1, 2, 1]), rows(id=["b", "c"], amount=[3, 4]))
    sound = put_table(store, rows(amount=[1, 2, 3]))

    found = compared(cut_small(sound, 1), cut_small(twice, 1), driver_in(store), bucket_rows=bucket_rows)

    assert (found.today.duplicate_keys, found.yesterday.duplicate_keys) == (2, 0)


class CountingDriver(LocalDriver):
    """Counts the tasks that it runs, by kind."""

    def __init__(self, scratch: Folder) -> None:
        super().__init__(scratch)
        self.ran = Counter[str]()

    @override
    def run(self, tasks: Sequence[Task[R]]) -> Iterator[R]:
        self.ran.update(type(task).__name__ for task in tasks)
        yield from super().run(tasks)


def test_digests_are_compared_once_where_no_key_repeats(store: FolderObjectStore) -> None:
    """Only rows that the log gives to repeated keys need another look at all digests."""
    yesterday, today = (put_table(store, rows(amount=[1, 2, n])) for n in (3, 4))
    driver = CountingDriver(driver_in(store).scratch)

    compared(yesterday, today, driver)

    assert driver.ran["DifferTask"] == 1
