"""The Datomic schema of one instance as of the build's last t: attributes, their types, and the names of idents.

An extracted log never holds the bootstrap entities, so they are a constant here (bootstrap.json, taken from Datomic).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import polars as pl

from logcache_assets.engine.facts.index_order import index_places

IDENT, VALUE_TYPE, CARDINALITY, TX_INSTANT = 10, 40, 41, 50
"""Ids of the bootstrap attributes that the engine reads."""

NAMING = (IDENT, VALUE_TYPE, CARDINALITY)
"""Ids of the attributes whose facts make up a schema."""

CARDINALITY_MANY = ":db.cardinality/many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """The schema of one attribute."""

    id: int
    value_type: str
    """The value type without its namespace: `string`, `ref`, `bigdec`."""
    many: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DatomicSchema:
    """The attributes and idents of one instance."""

    attributes: Mapping[str, Attribute]
    """Ident without its colon (`transaction/status`) → attribute."""
    idents: pl.DataFrame
    """Columns id, ident: every named entity; idents keep their colon."""
    types: Mapping[int, str]
    """Attribute id → value type, also of attributes that lost their name."""


@cache
def _bootstrap() -> tuple[Mapping[str, Attribute], Mapping[int, str]]:
    """Bootstrap attributes by name, and idents by id; an id with two names has the first."""
    document = json.loads(resources.files("logcache_assets.engine.facts").joinpath("bootstrap.json").read_text("utf-8"))
    attributes = {
        name.removeprefix(":"): Attribute(
            id=found["id"],
            value_type=_short(found["valueType"]),
            many=found["cardinality"] == CARDINALITY_MANY,
        )
        for name, found in document["attributes"].items()
    }
    idents: dict[int, str] = {}
    for name, entity in document["idents"].items():
        idents.setdefault(entity, name)
    return attributes, idents


def _short(value_type: str) -> str:
    return value_type.rpartition("/")[2]


def read_schema(current: Mapping[int, pl.DataFrame]) -> DatomicSchema:
    """Build the schema from the bootstrap entities and the open facts of each NAMING attribute, by its id."""
    bootstrap, names = _bootstrap()
    idents = {**names, **_values(current[IDENT], "keyword")}
    types, cardinalities = (_values(current[attribute], "ref") for attribute in (VALUE_TYPE, CARDINALITY))
    attributes = {
        idents[entity].removeprefix(":"): Attribute(
            id=entity,
            value_type=_type_of(value_type, names),
            many=names.get(int(cardinalities.get(entity, 0))) == CARDINALITY_MANY,
        )
        for entity, value_type in types.items()
        if entity in idents
    }
    table = pl.DataFrame({"id": list(idents), "ident": list(idents.values())}, {"id": pl.Int64, "ident": pl.String})
    own = {entity: _type_of(value_type, names) for entity, value_type in types.items()}
    own |= {attribute.id: attribute.value_type for attribute in bootstrap.values()}
    return DatomicSchema(attributes={**bootstrap, **attributes}, idents=table, types=own)


def _values(facts: pl.DataFrame, value_type: str) -> dict[int, str]:
    """Entity → value; of several, the first of the index."""
    if facts["e"].is_duplicated().any():
        facts = facts.sort(index_places(facts, value_type)).unique("e", keep="first", maintain_order=True)
    return dict(facts.select("e", "v").iter_rows())


def _type_of(value_type: str, names: Mapping[int, str]) -> str:
    return _short(names.get(int(value_type), "unknown"))
