"""The interface of a contract kind; the other modules of this folder are the kinds.

engine/contracts/ computes the rows, also with one module per kind.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.domain.names import column_name

TIME_COLUMNS = ("db__t", "db__tx_instant")
"""Columns of the transaction that made a row, in the kinds whose rows have a t."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredDataset:
    """One dataset that an entity of a definition asks for."""

    name: str
    """Without its database: `transaction-status-history`."""
    attributes: tuple[ContractAttribute, ...]
    """The attributes that it shows."""
    declared_at: str
    """The key of the entity that asks for it, as msgspec writes paths: `attributes[2]`."""


@dataclass(frozen=True)
class ContractKind(ABC):
    """One kind of contract: which datasets it makes of an entity, and how they look.

    Kinds have no state: two objects of one class are equal, also in another process.
    """

    name: ClassVar[str]
    """Name in tags, documents and the `--kinds` option."""
    rows_have_t: ClassVar[bool]
    """True if each row belongs to a transaction and has its t; False if rows show the state at the build's last t."""

    attributes_make_rows: ClassVar[bool] = False
    """True if datoms of the shown attributes decide which rows exist; False if all datoms of the entity do."""

    @abstractmethod
    def datasets_of(self, entity: ContractEntity) -> Iterator[DeclaredDataset]:
        """The datasets of this kind that an entity asks for, in the order of its attributes."""

    @abstractmethod
    def describe(self, entity: ContractEntity, attributes: tuple[ContractAttribute, ...]) -> str:
        """Describe one row for the description of the asset, in a clause without a full stop."""

    def row_attributes(self, attributes: tuple[ContractAttribute, ...]) -> tuple[ContractAttribute, ...]:
        """The shown attributes that decide, with the primary key, which rows there are."""
        return attributes if self.attributes_make_rows else ()

    @property
    def time_columns(self) -> tuple[str, ...]:
        """Columns between the prototype and the attributes."""
        return TIME_COLUMNS if self.rows_have_t else ()

    def key_columns(self, entity: ContractEntity) -> tuple[str, ...]:
        """Columns that identify a row."""
        return (*own_columns(entity), *self.time_columns[:1])

    def columns(self, entity: ContractEntity, attributes: tuple[ContractAttribute, ...]) -> tuple[str, ...]:
        """All columns in order."""
        return (*own_columns(entity), *self.time_columns, *(a.column for a in attributes))


def own_columns(entity: ContractEntity) -> tuple[str, str]:
    """Columns that name a row's entity: primary key and prototype."""
    return column_name(entity.primary_key), "prototype"
