"""Digests: two 64-bit hashes for every row, of its key and of all of it, by which most rows prove equal at once.

Rows that differ, and only they, are then read whole and compared cell by cell (explanation.py). A hash of several
columns is the sum of theirs, each under a seed of its own; two rows that differ have equal digests once in 2^64 cases.
Hashes never leave a comparison, so they need not be stable.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from logcache_assets.engine.compare.contract_files import Piece, Table, cast_to, common_type
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.storage.parquet import collect_parquet, scan_parquet
from logcache_assets.engine.storage.shards import Shard, put_shards, read_shards

YESTERDAY, TODAY = 0, 1
KEY_SEED, ROW_SEED = 1, 1 << 32
"""Of the first column; each further one has the next seed."""
DIGESTS = pl.DataFrame(schema={"k": pl.UInt64(), "r": pl.UInt64(), "row": pl.Int64(), "recorded": pl.Boolean()})
KEYS = pl.DataFrame(schema={"k": pl.UInt64()})
NAN = float("nan")
ROW_NUMBER = "\x00row"
"""A column that no table has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedColumns:
    """How rows of two days, and what the log says of them, are compared."""

    key: tuple[str, ...]
    """Primary key, prototype, and `db__t` of histories."""
    types: Mapping[str, pl.DataType]
    """Column → common type; columns without one are in `retyped`."""
    retyped: Mapping[str, pl.DataType] = field(default_factory=dict)
    """Columns of both days that no type unites → today's type: only nulls in them are equal on both days."""
    foreign: frozenset[str] = frozenset()
    """Columns whose type cannot hold what the log says, so that it says nothing of them."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns outside the key."""
        return tuple(name for name in (*self.types, *self.retyped) if name not in self.key)

    def columns_of(self, schema: pl.Schema) -> list[str]:
        """Those that a table has."""
        return [name for name in (*self.types, *self.retyped) if name in schema]

    def common(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows in common types, with nulls for columns that the frame lacks.

        A retyped column of another type than today's tells only where it has values.
        """
        return frame.select(self.expressions(frame.schema))

    def expressions(self, schema: pl.Schema) -> list[pl.Expr]:
        """What `common` selects from rows of a schema."""
        return [self._common(name, schema.get(name), wanted) for name, wanted in {**self.types, **self.retyped}.items()]

    def _common(self, name: str, found: pl.DataType | None, wanted: pl.DataType) -> pl.Expr:
        if found is None:
            return pl.lit(None, wanted).alias(name)
        if name in self.retyped and common_type(found, wanted) is None:
            return pl.when(pl.col(name).is_not_null()).then(pl.lit(True)).alias(name)
        return cast_to(pl.col(name), found, wanted)

    def recorded(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What the log says, in common types."""
        return self.common(frame.drop(name for name in self.foreign if name in frame.columns))

    def cell(self, name: str, column: str, dtype: pl.DataType) -> pl.Expr:
        """A column as the cells of another one are compared."""
        wanted = self.types.get(name)
        if wanted is None or name in self.foreign:
            return pl.col(column)
        return exact(cast_to(pl.col(column), dtype, wanted), wanted).alias(column)

    def row_hash(self, schema: pl.Schema, side: int) -> pl.Expr:
        """The hash of whole rows of a table's schema; a value of a retyped column is never yesterday's."""
        common = dict(zip((*self.types, *self.retyped), self.expressions(schema), strict=True))
        exacts = [exact(common[name], dtype) for name, dtype in self.types.items() if name not in self.key]
        given = [common[name].is_not_null().cast(pl.UInt8) * (side + 1) for name in self.retyped]
        return (self.key_hash(schema) + _sum_of_hashes([*exacts, *given], ROW_SEED)).alias("r")

    def key_hash(self, schema: pl.Schema) -> pl.Expr:
        """The hash of the keys of rows of a schema."""
        columns = [self._common(name, schema.get(name), self.types[name]) for name in self.key]
        return _sum_of_hashes(columns, KEY_SEED).alias("k")


def _sum_of_hashes(columns: Sequence[pl.Expr], seed: int) -> pl.Expr:
    total = pl.lit(0, pl.UInt64)
    for number, column in enumerate(columns):
        total += column.hash(seed + number)
    return total


def key_hash(rows: pl.DataFrame, layout: ComparedColumns) -> pl.Series:
    """The hash `k` of every row's key."""
    return rows.select(layout.key_hash(rows.schema)).to_series()


def exact(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column so that equal means the same value: of floating point numbers the bits, all NaN alike."""
    if isinstance(dtype, pl.List) and dtype.inner.is_float():
        return column.list.eval(exact(pl.element(), dtype.inner))  # type: ignore[arg-type] # an instance in a real frame
    if not dtype.is_float():
        return column
    one_nan = pl.when(column.is_nan()).then(pl.lit(NAN, dtype)).otherwise(column)
    return one_nan.cast(pl.Float64).reinterpret(dtype=pl.Int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Digested:
    """The digests of some pieces of a table, and what was counted on the way."""

    side: int
    shards: tuple[Shard, ...]
    rows: Mapping[str, int]
    """By prototype."""
    null_keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestTask:
    """Reads some pieces of a table once."""

    table: Table
    pieces: tuple[Piece, ...]
    layout: ComparedColumns
    side: int
    """YESTERDAY or TODAY."""
    buckets: int
    recorded: frozenset[str]
    """Prototypes of which every row must be recorded: what the log does not say of them is looked at too."""
    folder: Folder | None

    def run(self) -> Digested:
        """The digests by bucket."""
        shards, rows, null_keys = list[Shard](), dict[str, int](), 0
        for number, piece in enumerate(self.pieces):
            found = self._digest(piece)
            add_counts(rows, {str(p): n for p, n in found["prototype"].value_counts().iter_rows()})
            null_keys += int(found["null_key"].sum())
            folder = self.folder.at(str(number)) if self.folder else None
            shards += put_shards(found.select(DIGESTS.columns), buckets=self.buckets, folder=folder)
        return Digested(side=self.side, shards=tuple(shards), rows=rows, null_keys=null_keys)

    def _is_recorded(self) -> pl.Expr:
        if not self.recorded:
            return pl.lit(False)
        return pl.col("prototype").cast(pl.String).is_in(sorted(self.recorded)).fill_null(value=False)

    def _digest(self, piece: Piece) -> pl.DataFrame:
        schema, layout = self.table.schema, self.layout
        wanted = self.table.scan(piece).select(
            layout.key_hash(schema),
            layout.row_hash(schema, self.side),
            pl.col("prototype").cast(pl.Categorical),
            recorded=self._is_recorded(),
            null_key=pl.any_horizontal(pl.col(layout.key).is_null()),
        )
        found = collect_parquet(wanted, piece.uri, streaming=True)
        return found.with_columns(row=pl.int_range(piece.begin, piece.begin + piece.rows, dtype=pl.Int64))


def add_counts(total: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts by name."""
    for name, count in more.items():
        total[name] = total.get(name, 0) + count


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """What the digests of one bucket tell, yesterday's and today's."""

    rows: tuple[pl.Series, pl.Series]
    """Numbers of the rows to look at: not the same on both days, or touched by the log."""
    repeated: tuple[pl.Series, pl.Series]
    """Numbers of the rows whose hash `k` the table has more than once."""


@dataclass(frozen=True, slots=True)
class DifferTask:
    """Compares the digests of one bucket."""

    yesterday: tuple[Shard, ...]
    today: tuple[Shard, ...]
    recorded: tuple[Shard, ...]
    """Rows with `k`, of keys to look at in any case."""

    def run(self) -> Differing:
        """Which rows to look at."""
        tables = [read_shards(shards, DIGESTS) for shards in (self.yesterday, self.today)]
        touched = pl.concat([read_shards((shard,), KEYS).select("k") for shard in self.recorded] or [KEYS])["k"]
        alone = _found_once(pl.concat([table["r"] for table in tables]))
        differs, named = pl.col("r").is_in(alone.implode()), pl.col("k").is_in(touched.unique().implode())
        wanted = differs | named | pl.col("recorded")
        one, other = (table.filter(wanted)["row"] for table in tables)
        return Differing(rows=(one, other), repeated=(_repeated(tables[0]), _repeated(tables[1])))


def _found_once(hashes: pl.Series) -> pl.Series:
    """The values that a series holds once; sorting integers is faster than hashing them again."""
    ordered = hashes.sort()
    after, before = (ordered.ne_missing(ordered.shift(n)) for n in (1, -1))
    return ordered.filter(after & before)


def _repeated(table: pl.DataFrame) -> pl.Series:
    """The numbers of the rows whose `k` is there more than once."""
    ordered = table["k"].sort()
    repeated = ordered.filter(ordered.eq(ordered.shift(1)))
    return (
        table.filter(pl.col("k").is_in(repeated.unique().implode()))["row"] if len(repeated) else table["row"].clear()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractTask:
    """Reads some rows of a table whole."""

    table: Table
    pieces: tuple[Piece, ...]
    layout: ComparedColumns
    rows: pl.Series | None
    """Their numbers, of one file; None for all rows of the pieces."""
    buckets: int
    folder: Folder | None
    side: int

    def run(self) -> "Extracted":
        """The rows in common types, with `k`."""
        if self.rows is not None:
            return Extracted(self.side, tuple(self._shards(self._chosen(self.rows), 0)))
        found = (self._shards(self._every(piece), number) for number, piece in enumerate(self.pieces))
        return Extracted(self.side, tuple(shard for shards in found for shard in shards))

    def _shards(self, rows: pl.DataFrame, number: int) -> Iterable[Shard]:
        folder = self.folder.at(str(number)) if self.folder else None
        common = self.layout.common(rows)
        return put_shards(common.with_columns(key_hash(common, self.layout)), buckets=self.buckets, folder=folder)

    def _every(self, piece: Piece) -> pl.DataFrame:
        names = self.layout.columns_of(self.table.schema)
        return collect_parquet(self.table.scan(piece).select(names), piece.uri)

    def _chosen(self, rows: pl.Series) -> pl.DataFrame:
        first = self.pieces[0]
        numbers = (rows - (first.begin - first.first)).cast(pl.get_index_type())
        scan = scan_parquet([first.uri], self.table.store, row_index=ROW_NUMBER)
        wanted = scan.filter(pl.col(ROW_NUMBER).is_in(numbers.implode())).select(
            self.layout.columns_of(self.table.schema)
        )
        return collect_parquet(wanted, first.uri, streaming=True)


@dataclass(frozen=True, slots=True)
class Extracted:
    """Some rows of a table."""

    side: int
    shards: tuple[Shard, ...]
