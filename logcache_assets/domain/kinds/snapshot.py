"""Snapshots, the platform's entity history: the whole entity after each transaction that touched it."""

from collections.abc import Iterator
from dataclasses import dataclass

from typing_extensions import override

from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.domain.kinds.kind import ContractKind, DeclaredDataset


@dataclass(frozen=True)
class SnapshotKind(ContractKind):
    """One row per entity and transaction that touched it: `contract-feed/transactions-snapshot`."""

    name = "snapshot"
    rows_have_t = True

    @override
    def datasets_of(self, entity: ContractEntity) -> Iterator[DeclaredDataset]:
        if entity.snapshot:
            yield DeclaredDataset(name=f"{entity.name}-snapshot", attributes=entity.attributes, declared_at="name")

    @override
    def describe(self, entity: ContractEntity, attributes: tuple[ContractAttribute, ...]) -> str:
        return f"The whole entity after every transaction that touched it, by {entity.primary_key}"


SNAPSHOT = SnapshotKind()
