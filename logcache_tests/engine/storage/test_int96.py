"""Timestamps of other writers are read as the instants that they are, or refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.compare.contract_files import open_table
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.storage.parquet import (
    ParquetError,
    collect_parquet,
    collect_schema,
    count_rows,
    read_parquet_files,
    scan_parquet,
)
from logcache_tests.engine.world import OWN_BUCKET

FOLDER = f"s3://{OWN_BUCKET}/table"
FIRST, SECOND = (f"{FOLDER}/part-{n}.parquet" for n in range(2))

YEARS = [datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(1, 1, 1), datetime(2020, 1, 1, 0, 0, 0, 123456), None]  # noqa: DTZ001 - Spark's have no zone


def put(store: FolderObjectStore, uri: str, table: pa.Table, *, int96: bool = True) -> None:
    """Write a file as Spark does by default, several row groups long."""
    buffer = BytesIO()
    pq.write_table(table, buffer, use_deprecated_int96_timestamps=int96, store_schema=False, row_group_size=2)
    store.write(uri, buffer.getvalue())


def table_of(name: str = "at", unit: str = "us") -> pa.Table:
    """Four rows, each with a number, an instant and a list of instants."""
    instants = pa.array(YEARS, pa.timestamp("us")).cast(unit_type(unit), safe=unit != "ns")
    lists = pa.array([[YEARS[0], None], [], None, [YEARS[1]]], pa.list_(pa.timestamp("us")))
    return pa.table({"n": pa.array(range(4), pa.int64()), name: instants, "list": lists})


def unit_type(unit: str) -> pa.DataType:
    """The timestamp of a unit."""
    return pa.timestamp(unit)


def test_int96_is_read_exactly_in_every_year(store: FolderObjectStore) -> None:
    """Polars alone reads the years 1 and 9999 as one and the same instant."""
    put(store, FIRST, table_of())

    frame = read_parquet_files([FIRST], store)

    assert frame["at"].to_list() == YEARS
    assert frame["list"].to_list() == [[YEARS[0], None], [], None, [YEARS[1]]]
    assert frame["n"].to_list() == [0, 1, 2, 3]
    assert collect_schema(FIRST, store) == frame.schema


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        pytest.param(lambda scan: scan.select("at", "n").slice(1, 2), [(YEARS[1], 1), (YEARS[2], 2)], id="a piece"),
        pytest.param(lambda scan: scan.select("n").head(3), [(0,), (1,), (2,)], id="the first rows"),
        pytest.param(lambda scan: scan.filter(pl.col("at") == YEARS[2]).select("n"), [(2,)], id="some rows"),
        pytest.param(lambda scan: scan.select(pl.len()), [(4,)], id="the number of rows"),
        pytest.param(lambda scan: scan.select(pl.col("at").is_null().sum()), [(1,)], id="a figure"),
    ],
)
@pytest.mark.parametrize("streaming", [True, False])
def test_questions_to_int96_files_have_the_usual_answers(
    ask: Callable[[pl.LazyFrame], pl.LazyFrame], expected: list[object], *, streaming: bool, store: FolderObjectStore
) -> None:
    """Columns, pieces, filters and counts are those of any other file."""
    put(store, FIRST, table_of())

    assert collect_parquet(ask(scan_parquet([FIRST], store)), FIRST, streaming=streaming).rows() == expected
    assert count_rows(FOLDER, store) == 4


def test_rows_are_numbered_through_int96_files(store: FolderObjectStore) -> None:
    """Rows that differ are found again by their number."""
    put(store, FIRST, table_of())
    put(store, SECOND, table_of())

    scan = scan_parquet([FIRST, SECOND], store, row_index="row").filter(pl.col("row").is_in([1, 6]))

    assert collect_parquet(scan, FOLDER).select("row", "at").rows() == [(1, YEARS[1]), (6, YEARS[2])]


def test_nanoseconds_of_int96_are_not_cut(store: FolderObjectStore) -> None:
    """Microseconds cannot hold them, so the file is refused by name and column."""
    instants = pa.array([1_577_836_800_000_000_001], pa.timestamp("ns"))
    put(store, FIRST, pa.table({"at": instants}))

    with pytest.raises(EngineError, match=f"{FIRST}.*column at has INT96 timestamps with nanoseconds"):
        read_parquet_files([FIRST], store)


def test_real_nanoseconds_are_read_as_they_are(store: FolderObjectStore) -> None:
    """Only INT96 is read otherwise."""
    instants = pa.array([1_577_836_800_000_000_001], pa.timestamp("ns"))
    put(store, FIRST, pa.table({"at": instants}), int96=False)

    frame = read_parquet_files([FIRST], store)

    assert frame.schema == {"at": pl.Datetime("ns")}
    assert frame["at"].to_physical().to_list() == [1_577_836_800_000_000_001]


def test_a_damaged_int96_file_is_refused(store: FolderObjectStore) -> None:
    """In the same sentence as any other damaged file, and without a panic."""
    put(store, FIRST, table_of())
    content = bytearray(store.read(FIRST))
    content[4:200] = bytes(196)
    store.write(FIRST, bytes(content))

    with pytest.raises(ParquetError, match=f"{FIRST} is not a readable Parquet file"):
        read_parquet_files([FIRST], store)


def test_a_contract_of_int96_files_is_a_table(store: FolderObjectStore) -> None:
    """Its pieces are read like those of our own files."""
    put(store, FIRST, table_of())
    put(store, SECOND, table_of())

    table = open_table(FOLDER, store)

    assert table.rows == 8
    assert table.schema["at"] == pl.Datetime("us")
    assert [row for piece in table.pieces for row in table.read(piece, ["at"])["at"].to_list()] == [*YEARS, *YEARS]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(pa.array([253402300799], pa.timestamp("s")), datetime(9999, 12, 31, 23, 59, 59), id="seconds"),  # noqa: DTZ001
        pytest.param(
            pa.array([253402300799999], pa.timestamp("ms", "America/Sao_Paulo")),
            datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
            id="a zone",
        ),
    ],
)
def test_other_units_and_zones_are_the_same_instants(
    values: pa.Array, expected: datetime, store: FolderObjectStore
) -> None:
    """Whatever the unit, the year 9999 stays the year 9999."""
    put(store, FIRST, pa.table({"at": values}), int96=False)

    (found,) = read_parquet_files([FIRST], store)["at"].to_physical().to_list()

    assert found == int((expected.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def test_a_decimal_that_no_column_holds_is_refused(store: FolderObjectStore) -> None:
    """By the name of the file, never cut."""
    put(store, FIRST, pa.table({"x": pa.array([1], pa.decimal256(60, 2))}), int96=False)

    with pytest.raises(ParquetError, match=FIRST):
        read_parquet_files([FIRST], store)
