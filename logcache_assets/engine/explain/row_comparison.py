"""The settings by which the rows of one contract are compared and explained."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from logcache_assets.engine.compare.digests import ComparedColumns
from logcache_assets.engine.explain.causes import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class RowComparison:
    """How the rows of one contract are compared and explained."""

    columns: ComparedColumns
    row_columns: frozenset[str]
    """Columns whose attributes decide which rows there are (causes.row_columns)."""
    has_t: bool
    """Whether rows have a column `db__t`, as histories do."""
    scopes: Mapping[str, Scope]
    """Prototype → its causes; without an entry the log is unknown, and every difference is unexplained."""
    tolerances: Mapping[str, float]
    """Floating point column → absolute tolerance."""
    unchecked: frozenset[str] = frozenset()
    """Columns of personal data whose hashes cannot be computed without the deployment's key: of a recorded cell
    only the shape is verified, and whether it changed."""
    token_key: bytes
    looked_at: tuple[str, ...] | None = None
    """The cells of which some row is not the same on both days or not what the log says; None for all cells. Flags
    are computed of these alone, because few columns of a wide table change."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that have flags."""
        return self.columns.cells if self.looked_at is None else self.looked_at


def any_cell(prefix: str, comparison: RowComparison) -> pl.Expr:
    """Whether a flag of joined_columns, given by its prefix, is set for any cell of a row."""
    return pl.any_horizontal(pl.lit(False), *(pl.col(prefix + name) for name in comparison.cells))
