"""What a database's contracts are: `contracts/<database>.yaml` of the itaipu repository, parsed and checked.

The exact meaning of each key is docs/contracts.md. Errors name file and line: analysts edit these files by hand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import yaml
from msgspec.structs import replace

from logcache_assets.domain.instances import PROTOTYPES, Instance
from logcache_assets.domain.names import column_name, contract_dataset, history_name
from logcache_assets.domain.yaml_files import line_of, parse_yaml
from logcache_assets.errors import BadInput

TIME_COLUMNS = ("db__t", "db__tx_instant")
"""The columns of histories and snapshots that say when."""
IDENT_REF = "db/ident"
"""The `ref:` that resolves to the name of an ident."""

RESERVED = ("all", "every")
"""Names of selections and tags of assets, so of no database."""

Kind = Literal["entity", "history", "snapshot"]
KINDS: tuple[Kind, ...] = ("entity", "history", "snapshot")

AttributeName = Annotated[str, msgspec.Meta(pattern=r"^[^\s:/][^\s/]*/[^\s/]+$")]
ContractName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class ContractAttribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attribute of an entity, and what is made of it."""

    attribute: AttributeName
    """Without the leading colon: `transaction/status`."""
    ref: AttributeName | None = None
    """What a ref resolves to: `db/ident`, or an attribute of the referred entity."""
    history: bool = False
    pii: bool = False
    line: int = msgspec.field(default=0, name="(line)")
    """Where it stands in its file, for errors that only a log reveals; never written by a person."""

    @property
    def column(self) -> str:
        """The column that shows it."""
        return column_name(self.attribute)


class ContractEntity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of entity: every entity whose primary key is asserted."""

    name: ContractName
    primary_key: AttributeName
    attributes: Annotated[tuple[ContractAttribute, ...], msgspec.Meta(min_length=1)]
    snapshot: bool = False
    line: int = msgspec.field(default=0, name="(line)")
    """Where its primary key stands in its file."""


class DatabaseDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All contracts of one database, all prototypes together."""

    database: ContractName
    prototypes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    entities: Annotated[tuple[ContractEntity, ...], msgspec.Meta(min_length=1)]

    @property
    def instances(self) -> tuple[Instance, ...]:
        """One instance per prototype."""
        return tuple(Instance(database=self.database, prototype=p) for p in self.prototypes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTable:
    """One contract dataset: which entity it shows, how, and with which columns."""

    dataset: str
    """`contract-feed/transaction-status-history`."""
    kind: Kind
    entity: ContractEntity
    attributes: tuple[ContractAttribute, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify a row."""
        own = (column_name(self.entity.primary_key), "prototype")
        return own if self.kind == "entity" else (*own, "db__t")

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns in order."""
        times = () if self.kind == "entity" else TIME_COLUMNS
        own = (column_name(self.entity.primary_key), "prototype")
        return (*own, *times, *(a.column for a in self.attributes))


def contract_tables(definition: DatabaseDefinition, kinds: Sequence[Kind] = KINDS) -> tuple[ContractTable, ...]:
    """Every contract dataset of a database, in the order of the definition."""
    return tuple(t for e in definition.entities for t in _tables_of(definition.database, e) if t.kind in kinds)


def _tables_of(database: str, entity: ContractEntity) -> Iterator[ContractTable]:
    def table(name: str, kind: Kind, attributes: tuple[ContractAttribute, ...]) -> ContractTable:
        return ContractTable(dataset=contract_dataset(database, name), kind=kind, entity=entity, attributes=attributes)

    yield table(entity.name, "entity", entity.attributes)
    if entity.snapshot:
        yield table(f"{entity.name}-snapshot", "snapshot", entity.attributes)
    for attribute in entity.attributes:
        if attribute.history:
            yield table(history_name(attribute.attribute), "history", (attribute,))


def parse_definition(text: str, *, where: str) -> DatabaseDefinition:
    """Read one definition file.

    Args:
        text: YAML.
        where: the file's name for errors; its stem must be the database's name.

    Raises:
        BadInput: not YAML, unknown keys, an impossible ref, a doubled column or dataset; with file and line.
    """
    definition, node = parse_yaml(text, DatabaseDefinition, where=where, remedy="correct the definition")
    for path, problem in _problems(definition, where):
        raise BadInput(f"{where}, line {line_of(node, path)}: {problem}")
    return _with_lines(definition, node)


def _with_lines(definition: DatabaseDefinition, node: yaml.Node | None) -> DatabaseDefinition:
    entities = []
    for n, entity in enumerate(definition.entities):
        place = f"$.entities[{n}]"
        attributes = tuple(
            replace(attribute, line=line_of(node, f"{place}.attributes[{m}]"))
            for m, attribute in enumerate(entity.attributes)
        )
        entities.append(replace(entity, attributes=attributes, line=line_of(node, f"{place}.primary_key")))
    return replace(definition, entities=tuple(entities))


def _problems(definition: DatabaseDefinition, where: str) -> Iterator[tuple[str, str]]:
    """What the types alone cannot refuse, as (path, sentence)."""
    stem = where.rpartition("/")[2].removesuffix(".yaml")
    if definition.database != stem:
        yield "$.database", f"database {definition.database!r} in a file named {stem}.yaml; make both the same"
    if definition.database in RESERVED:
        yield "$.database", f"{definition.database!r} already names a selection of databases; choose another name"
    for n, prototype in enumerate(definition.prototypes):
        if prototype not in PROTOTYPES:
            yield f"$.prototypes[{n}]", f"unknown prototype {prototype!r}; known are {', '.join(PROTOTYPES)}"
        if prototype in definition.prototypes[:n]:
            yield f"$.prototypes[{n}]", f"prototype {prototype!r} is listed twice; keep one"
    for n, entity in enumerate(definition.entities):
        yield from _doubled_columns(n, entity)
        yield from _impossible_refs(n, entity)
    yield from _doubled_datasets(definition)


def _doubled_columns(n: int, entity: ContractEntity) -> Iterator[tuple[str, str]]:
    seen = {column_name(entity.primary_key), *TIME_COLUMNS}
    for m, attribute in enumerate(entity.attributes):
        if attribute.column in seen:
            problem = f"two columns of {entity.name!r} are named {attribute.column!r}; keep one"
            yield f"$.entities[{n}].attributes[{m}]", problem
        seen.add(attribute.column)


def _doubled_datasets(definition: DatabaseDefinition) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for n, entity in enumerate(definition.entities):
        for table in _tables_of(definition.database, entity):
            if table.dataset in seen:
                m = entity.attributes.index(table.attributes[0])
                path = f"$.entities[{n}].attributes[{m}]" if table.kind == "history" else f"$.entities[{n}].name"
                yield path, f"two datasets are named {table.dataset!r}; rename an entity or drop one history"
            seen.add(table.dataset)


def _impossible_refs(n: int, entity: ContractEntity) -> Iterator[tuple[str, str]]:
    for m, attribute in enumerate(entity.attributes):
        if attribute.ref == attribute.attribute:
            path = f"$.entities[{n}].attributes[{m}].ref"
            yield (
                path,
                (
                    f"ref {attribute.ref!r} leads to the attribute itself, which holds no value but a ref; "
                    "name a value attribute of the referred entity, or db/ident"
                ),
            )
