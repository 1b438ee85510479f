"""Decides, before any row is read, in which types, buckets and tasks two tables are compared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

import polars as pl

from logcache_assets.engine.compare.contract_files import PIECE_ROWS, Piece, Table, common_type
from logcache_assets.engine.compare.digests import ComparedColumns
from logcache_assets.engine.storage.buckets import choose_buckets

BUCKET_ROWS = 8_000_000
"""Target rows of one day per bucket; their digests take a few hundred megabytes."""

PairedPieces = tuple[tuple[Piece, ...], tuple[Piece, ...]]
"""Some pieces of yesterday's table, and some of today's."""

PIECES_AT_ONCE = 16
"""Pieces of a table per task."""


def plan_columns(
    key: Sequence[str],
    *,
    yesterday: pl.Schema,
    today: pl.Schema,
    expected: Mapping[str, pl.DataType] | None = None,
) -> ComparedColumns:
    """Today's columns, each with the type that both days and the log have in common.

    A column that yesterday's table lacks counts as null there.
    """
    types, retyped, foreign = dict[str, pl.DataType](), dict[str, pl.DataType](), set[str]()
    wanted = today.keys() if expected is None else {*expected, *key}
    for name, dtype in today.items():
        if name not in wanted:
            continue
        common, fits = _agree(yesterday.get(name, dtype), dtype, (expected or {}).get(name, dtype))
        if common is not None:
            types[name] = common
        elif name in key:
            types[name] = pl.String()
        else:
            retyped[name] = dtype
        if not fits:
            foreign.add(name)
    return ComparedColumns(key=tuple(key), types=types, retyped=retyped, foreign=frozenset(foreign - set(key)))


@cache
def _agree(yesterday: pl.DataType, today: pl.DataType, due: pl.DataType) -> tuple[pl.DataType | None, bool]:
    """The type that a column is compared in, if there is one, and whether today's type can hold the log's values."""
    common = common_type(yesterday, today, due) or common_type(yesterday, today)
    return common, common_type(today, due) is not None


def choose_comparison_buckets(yesterday: Table, today: Table, *, bucket_rows: int = BUCKET_ROWS) -> int:
    """The number of buckets for the rows of two tables."""
    return choose_buckets(max(yesterday.rows, today.rows), bucket_datoms=bucket_rows)


def group_pieces(pieces: Sequence[Piece]) -> list[tuple[Piece, ...]]:
    """Split the pieces of a table into those of each task."""
    return [tuple(pieces[n : n + PIECES_AT_ONCE]) for n in range(0, len(pieces), PIECES_AT_ONCE)]


def pair_pieces(yesterday: Sequence[Piece], today: Sequence[Piece]) -> list[PairedPieces]:
    """Split the pieces of both tables into those of each task, at about the same share of their rows.

    Tables that are sorted by key then have the same keys in the same task, but for some at its ends.
    """
    rows = max(sum(piece.rows for piece in pieces) for pieces in (yesterday, today))
    count = max(1, -(-rows // (PIECES_AT_ONCE * PIECE_ROWS)))
    groups = ([tuple(own) for own in split_by_share(pieces, count)] for pieces in (yesterday, today))
    return list(zip(*groups, strict=True))


def split_by_share(pieces: Sequence[Piece], count: int) -> Iterator[list[Piece]]:
    """Cut a table into parts of equally many rows."""
    rows = sum(piece.rows for piece in pieces)
    for number in range(count):
        begin, end = rows * number // count, rows * (number + 1) // count
        yield [_part(p, begin, end) for p in pieces if max(begin, p.begin) < min(end, p.begin + p.rows)]


def _part(piece: Piece, begin: int, end: int) -> Piece:
    """The rows of a piece that are in [begin, end) of the table."""
    first, last = max(begin, piece.begin), min(end, piece.begin + piece.rows)
    return replace(piece, first=piece.first + first - piece.begin, rows=last - first, begin=first)
