"""Reads a contract table from the Parquet files of a folder, piece by piece, whoever wrote them.

Itaipu's files may use other types for the same values (units of timestamps, scales of decimals); the common type in
which two tables are compared is decided here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.storage.parquet import (
    ROW_GROUP_ROWS,
    ParquetError,
    collect_parquet,
    collect_schema,
    count_file,
    list_parquet,
    scan_parquet,
)
from logcache_assets.engine.storage.schemas import column_types
from logcache_assets.ports import ObjectStore

PIECE_ROWS = 2 * ROW_GROUP_ROWS
"""Most rows of a piece, which is read at once: polars decodes ahead as far as a piece goes, on each day. Whole row
groups of our own files, as one that is cut is decoded twice."""


DIGITS = 38
"""Precision of the widest decimal."""

DECIMAL_TEXT = pl.Binary()
"""The common type of decimals that together have more digits than one decimal holds: their shortest text."""


NANOSECONDS = pl.Int128()
"""The common type of timestamps in several units: 64 bits hold all of Datomic's instants in milliseconds alone."""

_NANOSECONDS_OF = {"ms": 1_000_000, "us": 1_000, "ns": 1}


WIDEST: tuple[tuple[Callable[[pl.DataType], bool], pl.DataType], ...] = (
    (lambda dtype: isinstance(dtype, pl.String | pl.Categorical | pl.Enum), pl.String()),
    (lambda dtype: dtype.is_integer() and dtype not in {pl.UInt64(), pl.Int128(), pl.UInt128()}, pl.Int64()),
    (lambda dtype: dtype.is_float(), pl.Float64()),
)
"""(whether a type is of this kind, the type that holds all of the kind); texts may be stored as a dictionary."""


class TableError(EngineError):
    """A contract's files do not form the table that its definition declares."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A range of rows of a file."""

    uri: str
    first: int
    """Its first row in the file."""
    rows: int
    begin: int
    """Its first row in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The files of one contract; all have the same columns."""

    folder_uri: str
    pieces: tuple[Piece, ...]
    schema: pl.Schema
    store: ObjectStore

    @property
    def rows(self) -> int:
        """The number of rows in all files."""
        return sum(piece.rows for piece in self.pieces)

    def scan(self, piece: Piece) -> pl.LazyFrame:
        """A lazy scan of a piece; read it with `collect_parquet`."""
        return scan_parquet([piece.uri], self.store).slice(piece.first, piece.rows)

    def read(self, piece: Piece, columns: Sequence[str]) -> pl.DataFrame:
        """The rows of a piece, with the given columns; raises ParquetError."""
        return collect_parquet(self.scan(piece).select(columns), piece.uri)


def open_table(folder_uri: str, store: ObjectStore, *, key: Sequence[str] = ()) -> Table:
    """Open the Parquet files of a folder as a table; reads only their footers.

    Raises:
        TableError: there are no files, or a column of the key is missing or has a type that cannot be a key.
        ParquetError: a file is unreadable, or its columns differ from those of the first.
    """
    uris = list_parquet(folder_uri, store)
    if not uris:
        raise TableError(f"no Parquet file lies in {folder_uri}; compute the contract, or correct the folder")
    schema = collect_schema(uris[0], store)
    for uri in uris[1:]:
        if collect_schema(uri, store) != schema:
            raise ParquetError(
                f"{uri} has columns other than {uris[0]} beside it: the folder holds two datasets; write it again from "
                "its source"
            )
    if missing := [name for name in key if name not in schema]:
        raise TableError(
            f"{folder_uri} has no column {missing[0]}, which is part of the contract's key, but {len(schema)} others; "
            "use the definition that it was computed with, or compute it again"
        )
    for name in key:
        _require_key_type(name, schema[name], folder_uri)
    pieces, begin = list[Piece](), 0
    for uri in uris:
        rows = count_file(uri, store)
        pieces += _pieces(uri, rows, begin=begin)
        begin += rows
    return Table(folder_uri=folder_uri, pieces=tuple(pieces), schema=schema, store=store)


def _require_key_type(name: str, dtype: pl.DataType, folder_uri: str) -> None:
    wanted = {"prototype": pl.String(), "db__t": pl.Int64()}.get(name)
    if dtype.is_nested() or (wanted is not None and common_type(dtype, wanted) is None):
        raise TableError(
            f"{folder_uri} has {name} as {column_types(pl.Schema({name: dtype}))[name]}, by which no row can be found; "
            "compute the contract again"
        )


def empty_table(like: Table) -> Table:
    """A table without rows and with the columns of another."""
    return replace(like, pieces=())


def _pieces(uri: str, rows: int, *, begin: int) -> Iterator[Piece]:
    return (Piece(uri, n, min(PIECE_ROWS, rows - n), begin + n) for n in range(0, rows, PIECE_ROWS))


def common_type(*types: pl.DataType) -> pl.DataType | None:
    """The type in which equal values of these types are equal, and others differ; None if there is none."""
    if all(isinstance(dtype, pl.List) for dtype in types):
        inner = common_type(*(dtype.inner for dtype in types))  # type: ignore[attr-defined]
        return None if inner is None else pl.List(inner)
    if all(isinstance(dtype, pl.Decimal) for dtype in types):
        return _common_decimal(*types)  # type: ignore[arg-type]
    if all(isinstance(dtype, pl.Datetime) for dtype in types):
        units = {dtype.time_unit for dtype in types}  # type: ignore[attr-defined]
        return NANOSECONDS if len(units) > 1 else pl.Datetime(units.pop(), "UTC")
    wide = (found for holds, found in WIDEST if all(holds(dtype) for dtype in types))
    return next(wide, types[0] if len(set(types)) == 1 else None)


def _common_decimal(*types: pl.Decimal) -> pl.DataType:
    scale = max(dtype.scale for dtype in types)
    digits = max((dtype.precision or DIGITS) - dtype.scale for dtype in types)
    return pl.Decimal(DIGITS, scale) if digits + scale <= DIGITS else DECIMAL_TEXT


def cast_to(column: pl.Expr, dtype: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    """Convert a column to a common type; a timestamp without a zone is UTC, as Spark writes it."""
    if dtype == wanted:
        return column
    match dtype, wanted:
        case pl.List(), pl.List():
            return column.list.eval(cast_to(pl.element(), dtype.inner, wanted.inner))  # type: ignore[arg-type] # instances in a real frame
        case pl.Datetime(), pl.Int128():
            return column.to_physical().cast(NANOSECONDS) * _NANOSECONDS_OF[dtype.time_unit]
        case pl.Datetime(), pl.Datetime() if dtype.time_zone is None:
            return column.dt.replace_time_zone("UTC").cast(wanted)
        case pl.Decimal(), pl.Binary():
            return _shortest_text(column, dtype.scale).cast(DECIMAL_TEXT)
    return key_text(column, dtype) if wanted == pl.String() else column.cast(wanted)


def _shortest_text(column: pl.Expr, scale: int) -> pl.Expr:
    """A decimal as text, without trailing zeros."""
    text = column.cast(pl.String)
    return text.str.strip_chars_end("0").str.strip_chars_end(".") if scale else text


def key_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A key's value as text that is the same in every type that holds it; row tokens are made from it."""
    match dtype:
        case pl.Decimal():
            return _shortest_text(column, dtype.scale)
        case pl.Datetime():
            return key_text(cast_to(column, dtype, NANOSECONDS), NANOSECONDS)
        case pl.Int128():
            return (column // _NANOSECONDS_OF["us"]).cast(pl.String)
        case pl.Binary():
            return column.bin.encode("hex")
    return column.cast(pl.String)
