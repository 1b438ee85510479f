"""Digests: two 64-bit hashes per row, of its key and of the whole row, by which most rows prove equal at once.

Only rows that differ are then read whole and compared cell by cell (explanation.py). The hash of several columns is the
sum of their hashes, each with its own seed; two different rows have equal digests with a chance of 1 in 2^64. Hashes
never leave a comparison, so they need not be stable.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from logcache_assets.engine.compare.contract_files import Piece, Table, cast_to, common_type
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.own_texts import with_own_texts
from logcache_assets.engine.storage.parquet import collect_batches, collect_parquet, scan_parquet
from logcache_assets.engine.storage.shards import K, Shard, in_bucket, put_shards, read_shards

YESTERDAY, TODAY = 0, 1
KEY_SEED, ROW_SEED = 1, 1 << 32
"""The seed of the first column; each further column has the next one."""
R, ROW, RECORDED = "\x00r", "\x00row", "\x00recorded"
"""The hash of a whole row, its number, and whether it must be read, under names that no table has."""
DIGESTS = pl.DataFrame(schema={K: pl.UInt64(), R: pl.UInt64(), ROW: pl.Int64(), RECORDED: pl.Boolean()})
EQUALS = pl.DataFrame(schema={name: DIGESTS.schema[name] for name in (K, ROW, RECORDED)})
KEYS = pl.DataFrame(schema={K: DIGESTS.schema[K]})
NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedColumns:
    """The columns in which rows of two days and of the log are compared, and their types."""

    key: tuple[str, ...]
    """Primary key, prototype, and `db__t` of histories."""
    types: Mapping[str, pl.DataType]
    """Column → the type it is compared in; columns without a common type are in `retyped`."""
    retyped: Mapping[str, pl.DataType] = field(default_factory=dict)
    """Column whose types of both days have no common type → today's type; only its nulls are equal on both days."""
    foreign: frozenset[str] = frozenset()
    """Columns whose type cannot hold the log's values, so that the log says nothing of them."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The compared columns outside the key."""
        return tuple(name for name in (*self.types, *self.retyped) if name not in self.key)

    def only_key(self) -> "ComparedColumns":
        """The columns of the key alone."""
        return ComparedColumns(key=self.key, types={name: self.types[name] for name in self.key})

    def is_cell(self, name: str) -> bool:
        """Whether a column is compared and outside the key."""
        return (name in self.types or name in self.retyped) and name not in self.key

    def columns_of(self, schema: pl.Schema) -> list[str]:
        """The compared columns that a table has."""
        return [name for name in (*self.types, *self.retyped) if name in schema]

    def no_rows(self) -> pl.DataFrame:
        """A frame without rows, with the compared columns in common types."""
        wanted = {**self.types, **self.retyped}
        empty = {dtype: pl.Series([], dtype=dtype) for dtype in set(wanted.values())}
        return pl.DataFrame([empty[dtype].alias(name) for name, dtype in wanted.items()])

    def to_common(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows in common types, with nulls for columns that the frame lacks.

        A retyped column whose type is not today's becomes True where it has a value.
        """
        return frame.select(self.expressions(frame.schema))

    def expressions(self, schema: pl.Schema) -> list[pl.Expr]:
        """The expressions that `to_common` selects from rows of a schema."""
        return [
            self._to_type(name, schema.get(name), wanted) for name, wanted in {**self.types, **self.retyped}.items()
        ]

    def _to_type(self, name: str, found: pl.DataType | None, wanted: pl.DataType) -> pl.Expr:
        if found is None:
            return pl.lit(None, wanted).alias(name)
        if name in self.retyped and common_type(found, wanted) is None:
            return pl.when(pl.col(name).is_not_null()).then(pl.lit(True)).alias(name)
        return cast_to(pl.col(name), found, wanted)

    def recorded_to_common(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Recorded rows in common types; foreign columns become null."""
        return self.to_common(frame.drop(name for name in self.foreign if name in frame.columns))

    def comparable_cell(self, name: str, column: str, dtype: pl.DataType) -> pl.Expr:
        """`column`, of type `dtype`, in the form in which cells of the compared column `name` are equal."""
        wanted = self.types.get(name)
        if wanted is None or name in self.foreign:
            return pl.col(column)
        return exact(cast_to(pl.col(column), dtype, wanted), wanted).alias(column)

    def row_hash(self, schema: pl.Schema, side: int) -> pl.Expr:
        """The hash R of whole rows; the values of a retyped column hash differently on each day (`side`)."""
        common = dict(zip((*self.types, *self.retyped), self.expressions(schema), strict=True))
        exacts = [exact(common[name], dtype) for name, dtype in self.types.items() if name not in self.key]
        given = [common[name].is_not_null().cast(pl.UInt8) * (side + 1) for name in self.retyped]
        return (self.key_hash(schema) + _sum_of_hashes([*exacts, *given], ROW_SEED)).alias(R)

    def key_hash(self, schema: pl.Schema) -> pl.Expr:
        """The hash K of the keys of rows of a schema."""
        columns = [self._to_type(name, schema.get(name), self.types[name]) for name in self.key]
        return _sum_of_hashes(columns, KEY_SEED).alias(K)


def _sum_of_hashes(columns: Sequence[pl.Expr], seed: int) -> pl.Expr:
    hashes = (column.hash(seed + number) for number, column in enumerate(columns))
    return pl.sum_horizontal(pl.lit(0, pl.UInt64), *hashes)


def key_hash(rows: pl.DataFrame, columns: ComparedColumns) -> pl.Series:
    """The hash K of each row's key."""
    return rows.select(columns.key_hash(rows.schema)).to_series()


def content_hash(
    rows: pl.DataFrame, columns: ComparedColumns, unchecked: frozenset[str], *, on_both_days: bool
) -> pl.Series:
    """The hash of what the log can tell of each row's cells; of unchecked ones, only whether, or how many, they are.

    With `on_both_days`, of retyped ones only whether they are, which is all that yesterday's rows tell.
    """
    parts = [pl.lit(0)]
    for name in (cell for cell in columns.cells if cell not in columns.foreign):
        dtype = columns.types.get(name) or columns.retyped[name]
        if on_both_days and name in columns.retyped:
            parts.append(pl.col(name).is_null())
        elif name in unchecked:
            parts.append(pl.col(name).list.len() if isinstance(dtype, pl.List) else pl.col(name).is_null())
        else:
            parts.append(exact(pl.col(name), dtype))
    return rows.with_columns(_sum_of_hashes(parts, ROW_SEED).alias(R))[R]


def exact(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column in a form in which equal means the same value: floats by their bits, with all NaN alike."""
    if isinstance(dtype, pl.List) and dtype.inner.is_float():
        return column.list.eval(exact(pl.element(), dtype.inner))  # type: ignore[arg-type] # an instance in a real frame
    if not dtype.is_float():
        return column
    one_nan = pl.when(column.is_nan()).then(pl.lit(NAN, dtype)).otherwise(column)
    return one_nan.cast(pl.Float64).reinterpret(dtype=pl.Int64)


def add_counts(total: dict[str, int], more: Mapping[str, int]) -> None:
    """Add the counts of `more` to `total`, by name."""
    for name, count in more.items():
        total[name] = total.get(name, 0) + count


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """The rows of one bucket to read, as (yesterday's, today's)."""

    rows: tuple[pl.Series, pl.Series]
    """Numbers of the rows that differ between the days, or that the log says something of."""
    repeated: tuple[pl.Series, pl.Series]
    """Numbers of the rows whose hash K occurs more than once in the table."""


@dataclass(frozen=True, slots=True)
class DaysDigests:
    """One day's digests in one bucket."""

    equal: tuple[Shard, ...]
    """Columns of EQUALS: rows that equal a row of the other day."""
    others: tuple[Shard, ...]
    """Columns of DIGESTS: all other rows."""


@dataclass(frozen=True, slots=True)
class DifferTask:
    """Compares the digests of one bucket."""

    yesterday: DaysDigests
    today: DaysDigests
    touched: pl.Series
    """Hashes K of the keys of which the log says something; their rows are read in any case."""

    def run(self) -> Differing:
        """Find the rows to read."""
        days = (self.yesterday, self.today)
        equal = [read_shards(day.equal, EQUALS) for day in days]
        others = [read_shards(day.others, DIGESTS) for day in days]
        alone = _find_unique(pl.concat([rows[R] for rows in others]))
        repeated = _find_all_repeated(equal, others)
        named = pl.concat([self.touched, *repeated]).unique().implode()
        by_key = pl.col(K).is_in(named) | pl.col(RECORDED)
        one, other = (
            pl.concat([e.filter(by_key)[ROW], o.filter(by_key | pl.col(R).is_in(alone.implode()))[ROW]])
            for e, o in zip(equal, others, strict=True)
        )
        again = [
            pl.concat([rows.filter(pl.col(K).is_in(k.implode()))[ROW] for rows in own])
            for own, k in zip(zip(equal, others, strict=True), repeated, strict=True)
        ]
        return Differing(rows=(one, other), repeated=(again[0], again[1]))


def _find_all_repeated(equal: Sequence[pl.DataFrame], others: Sequence[pl.DataFrame]) -> list[pl.Series]:
    """Of each day, the values of K that occur more than once.

    The equal rows of both days have the same set of K, so if one day has none twice, another one with as many rows
    has none either.
    """
    one, other = (pl.concat([rows[K] for rows in own]) for own in zip(equal, others, strict=True))
    found = _find_repeated(one)
    if len(equal[0]) != len(equal[1]) or equal[0][K].is_in(found.implode()).any():
        return [found, _find_repeated(other)]
    rest = others[1][K]
    both = equal[1][K].filter(equal[1][K].is_in(rest.implode()))
    return [found, pl.concat([_find_repeated(rest), both]).unique()]


def _find_unique(hashes: pl.Series) -> pl.Series:
    """The values that occur once in a series; sorting integers is faster than hashing them again."""
    ordered = hashes.sort()
    after, before = (ordered.ne_missing(ordered.shift(n)) for n in (1, -1))
    return ordered.filter(after & before)


def _find_repeated(keys: pl.Series) -> pl.Series:
    """The values that occur more than once."""
    ordered = keys.sort()
    return ordered.filter(ordered.eq(ordered.shift(1))).unique()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractTask:
    """Reads rows of a table, with all compared columns."""

    table: Table
    pieces: tuple[Piece, ...]
    columns: ComparedColumns
    rows: pl.Series | None
    """Numbers of the rows to read, all of one file; None reads all rows of the pieces."""
    buckets: int
    folder: Folder | None
    side: int

    def run(self) -> "Extracted":
        """The rows in common types with K, by bucket."""
        if self.rows is not None:
            return Extracted(self.side, tuple(self._shards(self._read_rows(self.rows), 0)))
        found = (self._shards(self._read_piece(piece), number) for number, piece in enumerate(self.pieces))
        return Extracted(self.side, tuple(shard for shards in found for shard in shards))

    def _shards(self, rows: pl.DataFrame, number: int) -> Iterable[Shard]:
        folder = self.folder.at(str(number)) if self.folder else None
        common = self.columns.to_common(rows)
        return put_shards(common.with_columns(key_hash(common, self.columns)), buckets=self.buckets, folder=folder)

    def _read_piece(self, piece: Piece) -> pl.DataFrame:
        names = self.columns.columns_of(self.table.schema)
        return collect_parquet(self.table.scan(piece).select(names), piece.uri)

    def _read_rows(self, rows: pl.Series) -> pl.DataFrame:
        first = self.pieces[0]
        numbers = (rows - (first.begin - first.first)).cast(pl.get_index_type())
        scan = scan_parquet([first.uri], self.table.store, row_index=ROW)
        names = self.columns.columns_of(self.table.schema)
        wanted = scan.filter(pl.col(ROW).is_in(numbers.implode())).select(names)
        found = (with_own_texts(batch) for batch in collect_batches(wanted, first.uri, rows=None))
        return pl.concat([self.table.schema.to_frame().select(names), *found])


@dataclass(frozen=True, slots=True)
class Extracted:
    """Rows of a table, by bucket."""

    side: int
    shards: tuple[Shard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRows:
    """The whole rows of one day that are to be explained."""

    kept: tuple[Shard, ...]
    """Rows with ROW and K, as reading.Digested.kept; of these, only the wanted ones."""
    wanted: pl.Series
    read: tuple[Shard, ...]
    """The other wanted rows, read again: the compared columns in common types, and K."""

    def in_bucket(self, bucket: Bucket) -> "DayRows":
        """Those of one bucket."""
        return DayRows(kept=in_bucket(self.kept, bucket), wanted=self.wanted, read=in_bucket(self.read, bucket))

    def rows(self, empty: pl.DataFrame) -> pl.DataFrame:
        """The rows; `empty` has their columns, if there are none."""
        wanted = pl.col(ROW).is_in(self.wanted.implode())
        kept = (shard.read().filter(wanted).drop(ROW) for shard in self.kept)
        found = [*kept, *(shard.read() for shard in self.read)]
        return pl.concat(found) if found else empty
