"""The columns of a database's contracts: one type each, agreed by the schemas of all its instances.

Values are read in values.py, cells are filled in cells.py; here are only names, types and the errors about them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.definitions import (
    IDENT_REF,
    ContractAttribute,
    ContractEntity,
    DatabaseDefinition,
)
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.names import contract_dataset
from logcache_assets.engine.facts.datomic_schema import DatomicSchema
from logcache_assets.engine.facts.values import COLUMN_TYPES
from logcache_assets.errors import BadInput
from logcache_assets.ports import Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One attribute as a typed column."""

    attribute: ContractAttribute
    value_type: str | None
    """Of what is shown, behind the ref; None when no instance has it."""
    many: bool

    @property
    def name(self) -> str:
        """Its name in the contract."""
        return self.attribute.column

    @property
    def dtype(self) -> pl.DataType:
        """Its type: hashed personal data is text, cardinality many a list."""
        unknown = self.value_type is None or self.attribute.pii
        single = pl.String() if unknown else COLUMN_TYPES[self.value_type or ""]
        return pl.List(single) if self.many else single


Columns = Mapping[ContractAttribute, Column]
Schemas = Mapping[Instance, DatomicSchema]


def agree_columns(definition: DatabaseDefinition, schemas: Schemas, warn: Tell) -> Columns:
    """The column of every attribute that the definition names, primary keys included.

    An attribute that no instance has is warned of, once per entity: it may be new, or misspelt.

    Raises:
        BadInput: instances disagree on a type, or the definition asks for what the schema cannot give.
    """
    columns: dict[ContractAttribute, Column] = {}
    for entity in definition.entities:
        dataset = contract_dataset(definition.database, entity.name)
        for attribute in (primary_key(entity), *entity.attributes):
            place = f"contracts/{definition.database}.yaml, line {attribute.line}, {dataset}"
            columns[attribute] = _agree(attribute, schemas, place)
            if columns[attribute].value_type is None:
                warn(f"WARNING: {place}: no instance has {_missing(attribute, schemas)}; {attribute.column} is null")
        if columns[primary_key(entity)].many:
            place = f"contracts/{definition.database}.yaml, line {entity.line}, {dataset}"
            raise BadInput(f"{place}: primary key {entity.primary_key} has cardinality many; name another attribute")
    return columns


def primary_key(entity: ContractEntity) -> ContractAttribute:
    """The primary key as an attribute like others."""
    return ContractAttribute(attribute=entity.primary_key, line=entity.line)


def _missing(attribute: ContractAttribute, schemas: Schemas) -> str:
    here = any(attribute.attribute in schema.attributes for schema in schemas.values())
    return f"the attribute {attribute.ref if here else attribute.attribute}"


def _agree(attribute: ContractAttribute, schemas: Schemas, place: str) -> Column:
    found = dict(_found_types(attribute, schemas, place))
    types = {value_type for value_type, _ in found.values() if value_type}
    cardinalities = {many for _, many in found.values()}
    if len(types) > 1 or len(cardinalities) > 1:
        each = ", ".join(f"{i.name} {_described(*found[i])}" for i in sorted(found))
        raise BadInput(
            f"{place}: the instances disagree on the type of {attribute.attribute} ({each}), so it cannot be one "
            "column; take the attribute out of the definition or change its schema"
        )
    value_type = next(iter(types), None)
    if value_type is not None and value_type not in COLUMN_TYPES:
        raise BadInput(
            f"{place}: {attribute.attribute} has type :db.type/{value_type}, which no column can hold; "
            "take it out of the definition"
        )
    return Column(attribute=attribute, value_type=value_type, many=True in cardinalities)


def _described(value_type: str | None, many: bool) -> str:  # noqa: FBT001 - one pair of values
    return f"{value_type or 'unknown'}{' of cardinality many' if many else ''}"


def _found_types(
    attribute: ContractAttribute, schemas: Schemas, place: str
) -> Iterator[tuple[Instance, tuple[str | None, bool]]]:
    """Per instance that has the attribute: the type of what is shown, and whether it is a list."""
    for instance, schema in schemas.items():
        found = schema.attributes.get(attribute.attribute)
        if found is None:
            continue
        if attribute.ref and found.value_type != "ref":
            raise BadInput(
                f"{place}: {attribute.attribute} has `ref: {attribute.ref}`, but in {instance.name} its type is "
                f":db.type/{found.value_type}, not a ref; take `ref:` out of the definition"
            )
        yield instance, (_shown_type(attribute, found.value_type, schema, place), found.many)


def _shown_type(attribute: ContractAttribute, own_type: str, schema: DatomicSchema, place: str) -> str | None:
    """The type behind the ref; None when the instance does not have the attribute that it leads to."""
    if attribute.ref is None:
        return own_type
    if attribute.ref == IDENT_REF:
        return "keyword"
    target = schema.attributes.get(attribute.ref)
    if target and target.many:
        raise BadInput(
            f"{place}: {attribute.attribute} has `ref: {attribute.ref}`, which has cardinality many, so one reference "
            "leads to several values; name an attribute of cardinality one"
        )
    return target.value_type if target else None
