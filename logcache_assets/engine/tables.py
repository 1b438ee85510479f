"""A contract table as its files lie in a folder: opened, described and read piece by piece, whoever wrote it.

Itaipu's files differ in types that hold the same values (units of timestamps, scales of decimals); the common type in
which two tables are compared is decided here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from logcache_assets.engine.layout import EngineError, column_types
from logcache_assets.engine.parquet import (
    ParquetError,
    collect_parquet,
    collect_schema,
    count_file,
    list_parquet,
    scan_parquet,
)
from logcache_assets.ports import ObjectStore

PIECE_ROWS = 1_000_000
"""About how many rows are read at once."""


DIGITS = 38
"""Of the widest decimal."""

DECIMAL_TEXT = pl.Binary()
"""The common type of decimals whose digits before and behind the point no decimal holds: their shortest text."""


class TableError(EngineError):
    """A contract's files are not the table that its definition declares."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some neighbouring rows of a file."""

    uri: str
    first: int
    """Its first row in the file."""
    rows: int
    begin: int
    """Its first row in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The files of one contract, their columns proven to be the same."""

    place: str
    """The folder, for errors."""
    pieces: tuple[Piece, ...]
    schema: pl.Schema
    store: ObjectStore

    @property
    def rows(self) -> int:
        """Of all files."""
        return sum(piece.rows for piece in self.pieces)

    def scan(self, piece: Piece) -> pl.LazyFrame:
        """The rows of a piece, to be read with `collect_parquet`."""
        return scan_parquet([piece.uri], self.store).slice(piece.first, piece.rows)

    def read(self, piece: Piece, columns: Sequence[str]) -> pl.DataFrame:
        """Rows with some of the columns."""
        return collect_parquet(self.scan(piece).select(columns), piece.uri)


def open_table(folder_uri: str, store: ObjectStore, *, key: Sequence[str] = ()) -> Table:
    """Read the footers of a folder's Parquet files.

    Raises:
        TableError: there are none, or a column of the key is missing.
        ParquetError: one is unreadable, or has other columns than the first.
    """
    uris = list_parquet(folder_uri, store)
    if not uris:
        raise TableError(f"no Parquet file lies in {folder_uri}; compute the contract, or correct the folder")
    schema = collect_schema(uris[0], store)
    for uri in uris[1:]:
        if (other := collect_schema(uri, store)) != schema:
            raise ParquetError(
                f"{uri} has columns {column_types(other)}, but {uris[0]} beside it has "
                f"{column_types(schema)}: the folder holds two datasets; write it again from its source"
            )
    if missing := [name for name in key if name not in schema]:
        raise TableError(
            f"{folder_uri} has no column {missing[0]}, which is part of the contract's key; its columns are "
            f"{', '.join(schema)}. Take the definition with which it was computed, or compute it again"
        )
    pieces, begin = list[Piece](), 0
    for uri in uris:
        rows = count_file(uri, store)
        pieces += _pieces(uri, rows, begin=begin)
        begin += rows
    return Table(place=folder_uri, pieces=tuple(pieces), schema=schema, store=store)


def empty_table(like: Table) -> Table:
    """A table without rows that has another's columns."""
    return replace(like, pieces=())


def _pieces(uri: str, rows: int, *, begin: int) -> Iterator[Piece]:
    return (Piece(uri, n, min(PIECE_ROWS, rows - n), begin + n) for n in range(0, rows, PIECE_ROWS))


def common_type(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """The type that holds every value of both, so that equal means the same value; None if there is none."""
    if one == other:
        return one
    match one, other:
        case pl.List(), pl.List():
            inner = common_type(one.inner, other.inner)  # type: ignore[arg-type] # instances in a real frame
            return None if inner is None else pl.List(inner)
        case pl.Decimal(), pl.Decimal():
            scale = max(one.scale, other.scale)
            digits = max((dtype.precision or DIGITS) - dtype.scale for dtype in (one, other))
            return pl.Decimal(DIGITS, scale) if digits + scale <= DIGITS else DECIMAL_TEXT
        case pl.Datetime(), pl.Datetime():
            # Nanoseconds do not reach the years that Datomic's instants may have.
            return pl.Datetime("us", "UTC") if one.time_unit != other.time_unit else pl.Datetime(one.time_unit, "UTC")
    if one.is_integer() and other.is_integer() and pl.UInt64() not in {one, other}:
        return pl.Int64()
    return pl.Float64() if one.is_float() and other.is_float() else None


def cast_to(column: pl.Expr, dtype: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    """A column in the common type; a timestamp without a zone is UTC, as Spark writes it."""
    if dtype == wanted:
        return column
    match dtype, wanted:
        case pl.List(), pl.List():
            return column.list.eval(cast_to(pl.element(), dtype.inner, wanted.inner))  # type: ignore[arg-type] # as above
        case pl.Datetime(), pl.Datetime() if dtype.time_zone is None:
            return column.dt.replace_time_zone("UTC").cast(wanted)
        case pl.Decimal(), pl.Decimal():
            # What the log says may have more digits than both days hold: null is then not what they show.
            return column.cast(wanted, strict=False)
        case pl.Decimal(), pl.Binary():
            text = column.cast(pl.String)
            shortest = text.str.strip_chars_end("0").str.strip_chars_end(".") if dtype.scale else text
            return shortest.cast(DECIMAL_TEXT)
    return column.cast(wanted)


def fits(dtype: pl.DataType, wanted: pl.DataType) -> bool:
    """Whether a common type holds the values of another table's column too."""
    if isinstance(dtype, pl.List) and isinstance(wanted, pl.List):
        return fits(dtype.inner, wanted.inner)  # type: ignore[arg-type] # as above
    return (isinstance(dtype, pl.Decimal) and wanted == DECIMAL_TEXT) or common_type(dtype, wanted) is not None
