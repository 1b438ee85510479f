"""Which cells of a row its causes can change.

A cause reaches a column on some prototypes (causes.Scope). Columns that a cause reaches on the same prototypes share
one flag, so that what is computed grows with the columns, not with their pairs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from logcache_assets.engine.explain.causes import BITS, EXCISED
from logcache_assets.engine.explain.joined_columns import (
    CAUSELESS,
    DIFFERS,
    IN_ONE,
    IN_TODAY,
    TODAY_CELL,
    WHY_BITS,
    YESTERDAY_CELL,
)
from logcache_assets.engine.explain.row_comparison import RowComparison, any_cell

_REACHED = "\x00reached:"
"""Prefix: whether a row has a cause, on one of some prototypes."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What the causes of rows can change; rows have the columns that explanation.py gives them."""

    comparison: RowComparison
    names: Mapping[tuple[int, frozenset[str]], str]
    """(bit of a cause, prototypes) → the column of its flag."""
    found: Mapping[tuple[int, str], str]
    """(bit of a cause, column of the contract) → the column of the flag that tells whether the cause reaches it."""

    def flags(self) -> Iterator[pl.Expr]:
        """The flags, from a row's WHY_BITS and prototype."""
        for (bit, prototypes), name in self.names.items():
            yield (((pl.col(WHY_BITS) & bit) > 0) & pl.col("prototype").is_in(sorted(prototypes))).alias(name)

    def causeless(self) -> Iterator[pl.Expr]:
        """The flag CAUSELESS of every cell."""
        for name in self.comparison.cells:
            yield (pl.col(DIFFERS + name) & ~self._some_may_change(name)).alias(CAUSELESS + name)

    def can_change_some(self, bit: int) -> pl.Expr:
        """Whether this cause of a row can change something that differs in it."""
        cells = self._changed_cells(bit)
        whole_row = (pl.col(IN_ONE) & self._may_change(bit, name) for name in sorted(self.comparison.row_columns))
        return pl.any_horizontal(pl.lit(False), *whole_row, *cells)

    def can_change_all(self) -> pl.Expr:
        """Whether the causes of a row can change everything that differs in it: some change only certain columns."""
        whole_row = pl.any_horizontal(self._some_may_change(name) for name in sorted(self.comparison.row_columns))
        return (~pl.col(IN_ONE) | whole_row) & ~any_cell(CAUSELESS, self.comparison)

    def _changed_cells(self, bit: int) -> Iterator[pl.Expr]:
        by_flag = dict[str, list[pl.Expr]]()
        for name in self.comparison.cells:
            differs = pl.col(DIFFERS + name)
            changed = differs & _vanishes(name, self.comparison) if bit == EXCISED else differs
            by_flag.setdefault(self.found[bit, name], []).append(changed)
        return (pl.col(flag) & pl.any_horizontal(cells) for flag, cells in by_flag.items())

    def _some_may_change(self, name: str) -> pl.Expr:
        return pl.any_horizontal(self._may_change(bit, name) for bit in BITS.values())

    def _may_change(self, bit: int, name: str) -> pl.Expr:
        """Whether the row has this cause, and the cause can change the column in the way it changed."""
        reached = pl.col(self.found[bit, name])
        return reached & _vanishes(name, self.comparison) if bit == EXCISED else reached


def find_reach(comparison: RowComparison) -> Reach:
    """Find which cells each cause can change."""
    names, found = dict[tuple[int, frozenset[str]], str](), dict[tuple[int, str], str]()
    for column in (*comparison.cells, *sorted(comparison.row_columns)):
        for bit in BITS.values():
            where = frozenset(
                p for p, s in comparison.scopes.items() if bit not in s.columns or column in s.columns[bit]
            )
            found[bit, column] = names.setdefault((bit, where), f"{_REACHED}{len(names)}")
    return Reach(comparison, names, found)


def _vanishes(name: str, comparison: RowComparison) -> pl.Expr:
    """Whether the row or value is gone, which is all that an excision can do."""
    if not comparison.columns.is_cell(name):
        return ~pl.col(IN_TODAY)
    gone = pl.col(TODAY_CELL + name).is_null()
    if not isinstance(comparison.columns.types.get(name), pl.List):
        return gone
    shorter = pl.col(TODAY_CELL + name).list.len() < pl.col(YESTERDAY_CELL + name).list.len()
    return gone | shorter.fill_null(value=False)
