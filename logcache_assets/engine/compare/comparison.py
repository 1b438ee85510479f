"""Two days of one contract, and how they are compared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from logcache_assets.engine.compare.contract_files import Table
from logcache_assets.engine.compare.digests import ComparedColumns
from logcache_assets.engine.compare.planning import BUCKET_ROWS, choose_comparison_buckets, plan_columns
from logcache_assets.engine.compare.reading import KEPT_BYTES
from logcache_assets.engine.explain.causes import Scope
from logcache_assets.engine.explain.row_comparison import RowComparison
from logcache_assets.engine.storage.shards import Shard

MANY_ROWS = 2_000_000
"""If more rows than this differ on either day, all rows are read instead of looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two days of one contract, and how to compare them."""

    yesterday: Table
    today: Table
    key: tuple[str, ...]
    row_columns: frozenset[str]
    token_key: bytes
    recorded: tuple[Shard, ...] = ()
    """The recorded rows (expectation.py), in as many buckets as the comparison has."""
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    record_shared: Callable[[pl.DataFrame], tuple[Shard, ...]] | None = None
    """Records all rows of keys that several entities may have; None where the log is unknown."""
    as_multisets: bool = False
    """Whether any key may repeat, because both tables show one t and the log has its say elsewhere."""
    tolerances: Mapping[str, float] = field(default_factory=dict)
    unchecked: frozenset[str] = frozenset()
    expected: Mapping[str, pl.DataType] | None = None
    """Column → the type that definition and log give; other columns are judged by the schema check alone. None compares
    all of today's columns."""
    bucket_rows: int = BUCKET_ROWS
    """About how many rows of one day are compared at once; memory grows with it."""
    many_rows: int = MANY_ROWS
    """Up to this many differing rows of a day are looked up; beyond that, all rows are read."""
    kept_bytes: int = KEPT_BYTES
    """Most bytes of differing rows of a day that a task keeps while it reads; others are read again."""

    @property
    def buckets(self) -> int:
        """The number of buckets for the rows of both days."""
        return choose_comparison_buckets(self.yesterday, self.today, bucket_rows=self.bucket_rows)

    @property
    def columns(self) -> ComparedColumns:
        """The columns to compare."""
        return plan_columns(self.key, yesterday=self.yesterday.schema, today=self.today.schema, expected=self.expected)

    @property
    def row_comparison(self) -> RowComparison:
        """How single rows are compared and explained."""
        return RowComparison(
            columns=self.columns,
            row_columns=self.row_columns,
            has_t="db__t" in self.key,
            scopes=self.scopes,
            tolerances=self.tolerances,
            unchecked=self.unchecked,
            token_key=self.token_key,
        )
