"""Which attributes a contract's columns show: the column lineage from contracts to the database that services write."""

from collections.abc import Iterator

import dagster as dg

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition
from logcache_assets.domain.names import column_name

TX_INSTANT = "db/txInstant"


def datomic_key(database: str) -> dg.AssetKey:
    """`datomic/feed`: the database, whose columns are the attributes that contracts name."""
    return dg.AssetKey(["datomic", database])


def attribute_schema(definition: DatabaseDefinition) -> dg.TableSchema:
    """The attributes that the contracts of a database name, as the columns of the database."""
    personal = {a.attribute for entity in definition.entities for a in entity.attributes if a.pii}
    names = {TX_INSTANT} | set(_attributes(definition))
    return dg.TableSchema(
        [
            dg.TableColumn(name, "attribute", description="personal data" if name in personal else "")
            for name in sorted(names)
        ]
    )


def _attributes(definition: DatabaseDefinition) -> Iterator[str]:
    for entity in definition.entities:
        yield entity.primary_key
        for attribute in entity.attributes:
            yield attribute.attribute
            if attribute.ref:
                yield attribute.ref


def contract_lineage(table: ContractTable, database: dg.AssetKey) -> dg.TableColumnLineage:
    """Each column of a contract → its attribute, and the attribute that a ref resolves to.

    Args:
        table: the contract.
        database: the asset of its database.
    """
    shown: dict[str, tuple[str, ...]] = {column_name(table.entity.primary_key): (table.entity.primary_key,)}
    if "db__tx_instant" in table.columns:
        shown["db__tx_instant"] = (TX_INSTANT,)
    for attribute in table.attributes:
        shown[attribute.column] = (attribute.attribute, *([attribute.ref] if attribute.ref else []))
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key=database, column_name=name) for name in names]
            for column, names in shown.items()
        }
    )
