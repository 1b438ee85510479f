"""The settings' choice of contracts to recompute at yesterday's t."""

from fnmatch import fnmatchcase

import msgspec

from logcache_assets.domain.contract_definitions import DatabaseDefinition


class SameTSelection(msgspec.Struct, frozen=True, kw_only=True):
    """The contracts and prototypes for which yesterday is recomputed from the candidate's caches."""

    contracts: str = "*"
    """Pattern of dataset names."""
    prototypes: tuple[str, ...] | None = None
    """None for all."""

    def of(self, definition: DatabaseDefinition) -> tuple[str, ...]:
        """The prototypes of a database to recompute."""
        return tuple(p for p in definition.prototypes if self.prototypes is None or p in self.prototypes)

    def selects(self, dataset: str, definition: DatabaseDefinition) -> bool:
        """Whether a contract of this database is recomputed on any prototype."""
        return fnmatchcase(dataset, self.contracts) and bool(self.of(definition))


NO_SAME_T = SameTSelection(contracts="")
"""Recompute nothing."""
