"""Attribute histories: each change of one attribute."""

from collections.abc import Iterator
from dataclasses import dataclass

from typing_extensions import override

from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.domain.kinds.kind import ContractKind, DeclaredDataset
from logcache_assets.domain.names import history_name


@dataclass(frozen=True)
class HistoryKind(ContractKind):
    """One row per entity and transaction that changed the attribute: `contract-feed/transaction-status-history`."""

    name = "history"
    rows_have_t = True
    attributes_make_rows = True

    @override
    def datasets_of(self, entity: ContractEntity) -> Iterator[DeclaredDataset]:
        for n, attribute in enumerate(entity.attributes):
            if attribute.history:
                name = history_name(attribute.attribute)
                yield DeclaredDataset(name=name, attributes=(attribute,), declared_at=f"attributes[{n}]")

    @override
    def describe(self, entity: ContractEntity, attributes: tuple[ContractAttribute, ...]) -> str:
        return f"One row per change of {', '.join(a.attribute for a in attributes)}"


HISTORY = HistoryKind()
