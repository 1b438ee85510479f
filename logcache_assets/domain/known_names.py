"""Keeps names that others wrote out of figures: a table may have anything as a prototype or as a column's name.

A name of the definition is shown. Any other one, which may hold personal data, is shown as a token, the same one
everywhere, so that two names stay two.
"""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

import msgspec

from logcache_assets.domain.figures import ContractFigures, Pattern, PrototypeFigures, SameT, SchemaChange, TableFigures
from logcache_assets.domain.instances import is_prototype

T = TypeVar("T")
replace = msgspec.structs.replace


class KnownNames:
    """The names of a definition.

    Args:
        columns: of the contract, on both days.
        token: makes the token of any other name.
    """

    def __init__(self, columns: Collection[str], token: Callable[[str], str]) -> None:
        self._columns = frozenset(columns)
        self._token = token

    def shown(self, figures: ContractFigures) -> ContractFigures:
        """The figures with a token for each name that is not known."""
        return replace(
            figures,
            today=self._table(figures.today),
            yesterday=self._table(figures.yesterday),
            schema=tuple(self._change(change) for change in figures.schema),
            prototypes=None if figures.prototypes is None else self._prototypes(figures.prototypes),
            hashed=self._all(figures.hashed),
            patterns=tuple(self._pattern(pattern) for pattern in figures.patterns),
            same_t=figures.same_t and self._same_t(figures.same_t),
        )

    def column(self, name: str) -> str:
        """The name of a column, or its token."""
        return name if name in self._columns else f"column {self._token(name)}"

    def prototype(self, name: str) -> str:
        """The name of a prototype, or its token."""
        return name if is_prototype(name) else f"prototype {self._token(name)}"

    def _all(self, columns: Collection[str]) -> tuple[str, ...]:
        return tuple(map(self.column, columns))

    def _by_column(self, found: Mapping[str, T]) -> dict[str, T]:
        return {self.column(name): value for name, value in found.items()}

    def _table(self, table: TableFigures) -> TableFigures:
        return replace(table, columns=self._by_column(table.columns))

    def _change(self, change: SchemaChange) -> SchemaChange:
        return replace(change, column=self.column(change.column))

    def _prototypes(self, found: Mapping[str, PrototypeFigures]) -> dict[str, PrototypeFigures]:
        return {self.prototype(name): replace(f, columns=self._by_column(f.columns)) for name, f in found.items()}

    def _pattern(self, pattern: Pattern) -> Pattern:
        return replace(pattern, prototype=self.prototype(pattern.prototype), columns=self._all(pattern.columns))

    def _same_t(self, same_t: SameT) -> SameT:
        return replace(same_t, columns=self._all(same_t.columns))
