"""The columns of a database's contracts, each with the one type that the schemas of all its instances agree on.

Only names, types and errors about them are decided here; column_timelines.py computes the values.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.contract_definitions import IDENT_REF, DatabaseDefinition, definition_path
from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.names import contract_dataset
from logcache_assets.engine.facts.datomic_schema import DatomicSchema
from logcache_assets.engine.facts.values import COLUMN_TYPES
from logcache_assets.errors import BadInput
from logcache_assets.ports import Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An attribute as a typed column."""

    attribute: ContractAttribute
    value_type: str | None
    """The value type of what the column shows, after following its ref; None if no instance has it."""
    many: bool

    @property
    def name(self) -> str:
        """The column's name in the contract."""
        return self.attribute.column

    @property
    def dtype(self) -> pl.DataType:
        """The column's type: hashed personal data is a string, cardinality many a list."""
        unknown = self.value_type is None or self.attribute.pii
        single = pl.String() if unknown else COLUMN_TYPES[self.value_type or ""]
        return pl.List(single) if self.many else single


Columns = Mapping[ContractAttribute, Column]
Schemas = Mapping[Instance, DatomicSchema]


def agree_columns(definition: DatabaseDefinition, schemas: Schemas, warn: Tell) -> Columns:
    """The column of every attribute in the definition, primary keys included.

    Warns once per entity of an attribute that no instance has: it may be new, or misspelt.

    Raises:
        BadInput: instances disagree on a type, or the definition asks for something that the schema does not allow.
    """
    columns: dict[ContractAttribute, Column] = {}
    for entity in definition.entities:
        dataset = contract_dataset(definition.database, entity.name)
        for attribute in (primary_key(entity), *entity.attributes):
            location = f"{definition_path(definition.database)}, line {attribute.line}, {dataset}"
            columns[attribute] = _agree(attribute, schemas, location)
            if columns[attribute].value_type is None:
                warn(f"WARNING: {location}: no instance has {_missing(attribute, schemas)}; {attribute.column} is null")
        if columns[primary_key(entity)].many:
            location = f"{definition_path(definition.database)}, line {entity.line}, {dataset}"
            raise BadInput(f"{location}: primary key {entity.primary_key} has cardinality many; name another attribute")
    return columns


def primary_key(entity: ContractEntity) -> ContractAttribute:
    """An entity's primary key as an attribute of its contract."""
    return ContractAttribute(attribute=entity.primary_key, line=entity.line)


def _missing(attribute: ContractAttribute, schemas: Schemas) -> str:
    here = any(attribute.attribute in schema.attributes for schema in schemas.values())
    return f"the attribute {attribute.ref if here else attribute.attribute}"


def _agree(attribute: ContractAttribute, schemas: Schemas, location: str) -> Column:
    found = dict(_find_types(attribute, schemas, location))
    types = {value_type for value_type, _ in found.values() if value_type}
    cardinalities = {many for _, many in found.values()}
    if len(types) > 1 or len(cardinalities) > 1:
        each = ", ".join(f"{i.name} {_describe_type(*found[i])}" for i in sorted(found))
        raise BadInput(
            f"{location}: the instances disagree on the type of {attribute.attribute} ({each}), so it cannot be one "
            "column; take the attribute out of the definition or change its schema"
        )
    value_type = next(iter(types), None)
    if value_type is not None and value_type not in COLUMN_TYPES:
        raise BadInput(
            f"{location}: {attribute.attribute} has type :db.type/{value_type}, which no column can hold; "
            "take it out of the definition"
        )
    return Column(attribute=attribute, value_type=value_type, many=True in cardinalities)


def _describe_type(value_type: str | None, many: bool) -> str:  # noqa: FBT001 - one pair of values
    return f"{value_type or 'unknown'}{' of cardinality many' if many else ''}"


def _find_types(
    attribute: ContractAttribute, schemas: Schemas, location: str
) -> Iterator[tuple[Instance, tuple[str | None, bool]]]:
    """Yield (instance, (value type of what is shown, cardinality many)) for each instance that has the attribute."""
    for instance, schema in schemas.items():
        found = schema.attributes.get(attribute.attribute)
        if found is None:
            continue
        if attribute.ref and found.value_type != "ref":
            raise BadInput(
                f"{location}: {attribute.attribute} has `ref: {attribute.ref}`, but in {instance.name} its type is "
                f":db.type/{found.value_type}, not a ref; take `ref:` out of the definition"
            )
        yield instance, (_shown_type(attribute, found.value_type, schema, location), found.many)


def _shown_type(attribute: ContractAttribute, own_type: str, schema: DatomicSchema, location: str) -> str | None:
    """The value type after following the ref; None if the instance does not have the ref's attribute."""
    if attribute.ref is None:
        return own_type
    if attribute.ref == IDENT_REF:
        return "keyword"
    target = schema.attributes.get(attribute.ref)
    if target and target.many:
        raise BadInput(
            f"{location}: {attribute.attribute} has `ref: {attribute.ref}`, which has cardinality many, so one "
            "reference leads to several values; name an attribute of cardinality one"
        )
    return target.value_type if target else None
