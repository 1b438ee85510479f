"""Entity contracts: the current state, one row per entity."""

from collections.abc import Iterator
from dataclasses import dataclass

from typing_extensions import override

from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.domain.kinds.kind import ContractKind, DeclaredDataset


@dataclass(frozen=True)
class EntityKind(ContractKind):
    """One row per entity whose primary key is asserted at the build's last t: `contract-feed/transactions`."""

    name = "entity"
    rows_have_t = False

    @override
    def datasets_of(self, entity: ContractEntity) -> Iterator[DeclaredDataset]:
        yield DeclaredDataset(name=entity.name, attributes=entity.attributes, declared_at="name")

    @override
    def describe(self, entity: ContractEntity, attributes: tuple[ContractAttribute, ...]) -> str:
        return f"One row per {entity.primary_key}"


ENTITY = EntityKind()
