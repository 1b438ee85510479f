"""Parses and checks contract definitions: `contracts/<database>.yaml` of the itaipu repository.

The exact meaning of each key is docs/contracts.md. Errors name file and line: analysts edit these files by hand.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import yaml
from msgspec.structs import replace

from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity, ContractName
from logcache_assets.domain.instances import PROTOTYPE_EXAMPLES, Instance, is_prototype
from logcache_assets.domain.kinds import KIND_NAMES, KINDS
from logcache_assets.domain.kinds.kind import TIME_COLUMNS, ContractKind
from logcache_assets.domain.names import column_name, contract_dataset, split_contract
from logcache_assets.domain.plain_text import quoted
from logcache_assets.domain.yaml_files import line_of, parse_yaml
from logcache_assets.errors import BadInput

CONTRACTS_FOLDER = "contracts"
"""The folder of the definitions in the itaipu repository."""

IDENT_REF = "db/ident"
"""The `ref:` that resolves to the name of an ident."""

MOST_BYTES = 200
"""How long the name of a dataset may be: file systems hold 255 bytes in one name."""

Owner = Annotated[
    str, msgspec.Meta(pattern=r"^(team:[A-Za-z0-9_-]+|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7})\Z")
]
"""`team:payments` or a mail address, as Dagster takes them."""
Tag = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", max_length=63)]

RESERVED = ("all", "every")
"""Names of selections and asset tags, which no database may have."""


class DatabaseDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All contracts of one database, all prototypes together."""

    database: ContractName
    prototypes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    entities: Annotated[tuple[ContractEntity, ...], msgspec.Meta(min_length=1)]
    owners: tuple[Owner, ...] = ()
    """Who answers for the database; Dagit shows them."""
    tags: dict[Tag, Tag] = {}
    """By which Dagit finds its assets, `domain: payments`."""

    @property
    def instances(self) -> tuple[Instance, ...]:
        """One instance per prototype."""
        return tuple(Instance(database=self.database, prototype=p) for p in self.prototypes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTable:
    """One contract dataset: which entity it shows, how, and with which columns."""

    dataset: str
    """`contract-feed/transaction-status-history`."""
    kind: ContractKind
    entity: ContractEntity
    attributes: tuple[ContractAttribute, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify a row."""
        return self.kind.key_columns(self.entity)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns in order."""
        return self.kind.columns(self.entity, self.attributes)

    @property
    def row_attributes(self) -> tuple[ContractAttribute, ...]:
        """The shown attributes that decide, with the primary key, which rows there are."""
        return self.kind.row_attributes(self.attributes)

    @property
    def meaning(self) -> str:
        """Describe one row in a clause, for the asset's description."""
        return self.kind.describe(self.entity, self.attributes)


def definition_path(database: str) -> str:
    """Path of a database's definition in the itaipu repository: `contracts/feed.yaml`."""
    return f"{CONTRACTS_FOLDER}/{database}.yaml"


def contract_tables(definition: DatabaseDefinition, kinds: Sequence[str] = KIND_NAMES) -> tuple[ContractTable, ...]:
    """Every contract dataset of a database, in the order of the definition.

    Args:
        definition: of the database.
        kinds: names of the wanted kinds.
    """
    tables = (table for n in range(len(definition.entities)) for _, table in _tables_of(definition, n))
    return tuple(table for table in tables if table.kind.name in kinds)


def _tables_of(definition: DatabaseDefinition, n: int) -> Iterator[tuple[str, ContractTable]]:
    """The datasets of the n-th entity, each with the path of the key that asks for it."""
    entity = definition.entities[n]
    for kind in KINDS:
        for declared in kind.datasets_of(entity):
            dataset = contract_dataset(definition.database, declared.name)
            table = ContractTable(dataset=dataset, kind=kind, entity=entity, attributes=declared.attributes)
            yield f"$.entities[{n}].{declared.declared_at}", table


def parse_definition(text: str, *, where: str) -> DatabaseDefinition:
    """Read one definition file.

    Args:
        text: YAML.
        where: the file's name for errors; its stem must be the database's name.

    Raises:
        BadInput: the text is not YAML, or has an unknown key, an impossible ref, or a duplicate column or dataset; the
            message has file and line.
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
    """Mistakes that the types do not catch, as (path, sentence)."""
    stem = where.rpartition("/")[2].removesuffix(".yaml")
    if definition.database != stem:
        yield "$.database", f"database {definition.database!r} in a file named {stem}.yaml; make both the same"
    if definition.database in RESERVED:
        yield "$.database", f"{definition.database!r} already names a selection of databases; choose another name"
    listed: set[str] = set()
    for n, prototype in enumerate(definition.prototypes):
        if not is_prototype(prototype):
            yield f"$.prototypes[{n}]", f"unknown prototype {quoted(prototype)}; known are {PROTOTYPE_EXAMPLES}"
        if prototype in listed:
            yield f"$.prototypes[{n}]", f"prototype {prototype!r} is listed twice; keep one"
        listed.add(prototype)
    for n, entity in enumerate(definition.entities):
        yield from _duplicate_columns(n, entity)
        yield from _impossible_refs(n, entity)
    yield from _unusable_datasets(definition)


def _duplicate_columns(n: int, entity: ContractEntity) -> Iterator[tuple[str, str]]:
    seen = {column_name(entity.primary_key), *TIME_COLUMNS}
    for m, attribute in enumerate(entity.attributes):
        if attribute.column in seen:
            problem = f"two columns of {entity.name!r} are named {attribute.column!r}; keep one"
            yield f"$.entities[{n}].attributes[{m}]", problem
        seen.add(attribute.column)


def _unusable_datasets(definition: DatabaseDefinition) -> Iterator[tuple[str, str]]:
    """Names of datasets that cannot become folders: two that are one, also in upper and lower case, or a long one."""
    seen: dict[str, str] = {}
    for n in range(len(definition.entities)):
        for path, table in _tables_of(definition, n):
            folder = unicodedata.normalize("NFC", table.dataset).casefold()
            if folder in seen:
                names = " and ".join(quoted(name, MOST_BYTES) for name in dict.fromkeys((seen[folder], table.dataset)))
                yield path, f"two datasets are named {names}; rename an entity or drop one history"
            if len(split_contract(table.dataset)[1].encode()) > MOST_BYTES:
                problem = f"the dataset of {quoted(table.attributes[0].attribute)} has a name of more than {MOST_BYTES}"
                yield path, f"{problem} bytes, which is no name of a folder; drop its history"
            seen[folder] = table.dataset


def _impossible_refs(n: int, entity: ContractEntity) -> Iterator[tuple[str, str]]:
    for m, attribute in enumerate(entity.attributes):
        if attribute.ref == attribute.attribute:
            problem = (
                f"ref {attribute.ref!r} leads to the attribute itself, which holds no value but a ref; "
                "name a value attribute of the referred entity, or db/ident"
            )
            yield f"$.entities[{n}].attributes[{m}].ref", problem
