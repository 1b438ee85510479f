"""An invented database `app` of users: its schema, logs of hand-made changes, definitions, and contracts as rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import DatabaseDefinition, parse_definition
from logcache_assets.domain.kinds import KIND_NAMES
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.facts.values import INSTANT
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.ports import Tell
from logcache_tests.engine.avro import TX_BASE, Datom, instant_text
from logcache_tests.engine.builds import build
from logcache_tests.engine.generated import source_of, write_segments
from logcache_tests.engine.world import refuse_warning, write_cache

TYPES = {
    "ref": 20,
    "keyword": 21,
    "long": 22,
    "string": 23,
    "boolean": 24,
    "instant": 25,
    "fn": 26,
    "bytes": 27,
    "uuid": 56,
    "double": 57,
    "float": 58,
    "uri": 59,
    "bigint": 60,
    "bigdec": 61,
    "symbol": 64,
    "tuple": 63,
}
ONE, MANY = 35, 36
ATTRIBUTES = {
    "user/id": (72, "string", ONE),
    "user/name": (73, "string", ONE),
    "user/tags": (74, "string", MANY),
    "user/friend": (75, "ref", ONE),
    "user/friends": (76, "ref", MANY),
    "user/limits": (77, "bigdec", MANY),
    "user/scores": (78, "double", MANY),
    "user/hook": (79, "fn", ONE),
    "user/age": (80, "long", ONE),
    "user/limit": (81, "bigdec", ONE),
    "user/score": (82, "double", ONE),
    "user/born": (83, "instant", ONE),
    "user/keys": (84, "bytes", MANY),
    "user/place": (85, "tuple", ONE),
    "user/state": (86, "ref", ONE),
    "user/nick": (87, "string", ONE),
}
SCHEMA_T = 1000
A, B = 17592186044418, 17592186044419

Change = tuple[int, str, str, int, bool]
"""(entity, attribute, value, t, added)."""
Rows = list[dict[str, Any]]

NAME = {"attribute": "user/name", "history": True}


def schema_datoms(attributes: Mapping[str, tuple[int, str, int]] = ATTRIBUTES) -> list[Datom]:
    """The tx that installs attributes."""
    datoms: list[Datom] = []
    for name, (entity, value_type, cardinality) in attributes.items():
        values = ((10, f":{name}"), (40, str(TYPES[value_type])), (41, str(cardinality)))
        datoms += [(entity, a, v, SCHEMA_T, True) for a, v in values]
    return datoms


def log_of(
    *changes: Change,
    attributes: Mapping[str, tuple[int, str, int]] = ATTRIBUTES,
    schema_changes: Sequence[Datom] = (),
) -> list[Datom]:
    """A log with the schema, then these changes; schema_changes name attributes by their ids."""
    ids = {**{name: entity for name, (entity, _, _) in attributes.items()}, "db/txInstant": 50, "db/doc": 62}
    own = [(e, ids[a], v, t, added) for e, a, v, t, added in changes]
    return in_txes([*schema_datoms(attributes), *schema_changes, *own])


def in_txes(datoms: Sequence[Datom]) -> list[Datom]:
    """Datoms by t, each tx beginning with its instant; a tx that asserts its instant itself keeps it."""
    given = {(e, t) for e, a, _, t, _ in datoms if a == 50}
    ts = sorted({t for _, _, _, t, _ in datoms})
    instants = [(TX_BASE + t, 50, instant_text(t), t, True) for t in ts if (TX_BASE + t, t) not in given]
    return sorted([*instants, *datoms], key=lambda datom: datom[3])


def define(
    *attributes: Mapping[str, Any], prototypes: Sequence[str] = ("s0",), key: str = "user/id"
) -> DatabaseDefinition:
    """A definition with one entity `users`."""
    entity = {"name": "users", "primary_key": key, "snapshot": True, "attributes": list(attributes)}
    document = {"database": "app", "prototypes": list(prototypes), "entities": [entity]}
    return parse_definition(json.dumps(document), where="app.yaml")


def sources_of(
    definition: DatabaseDefinition, store: FolderObjectStore, logs: Sequence[Sequence[Datom]]
) -> tuple[LogSource, ...]:
    """A source per instance, in the order of the prototypes, each with one segment."""
    pairs = zip(definition.instances, logs, strict=True)
    return tuple(source_of(*write_segments(log, [log[-1][3]], store, instance=i)) for i, log in pairs)


def compute(
    definition: DatabaseDefinition,
    store: FolderObjectStore,
    *logs: Sequence[Datom],
    kinds: tuple[str, ...] = KIND_NAMES,
    warn: Tell = refuse_warning,
) -> dict[str, Rows]:
    """Dataset → rows; those of one instance are in the order of its file."""
    sources = sources_of(definition, store, logs)
    wanted = ContractBuild(definition=definition, sources=sources, pii_key=b"k", kinds=kinds)
    found = build(wanted, store, warn=warn)
    return {name.removeprefix("contract-app/"): dataset.frame.to_dicts() for name, dataset in found.items()}


def compute_every_way(
    definition: DatabaseDefinition, store: FolderObjectStore, *logs: Sequence[Datom], warn: Tell = refuse_warning
) -> dict[str, Rows]:
    """Compute from segments alone and with a cache at every t of every log, and check that all agree."""
    sources = sources_of(definition, store, logs)
    wanted = ContractBuild(definition=definition, sources=sources, pii_key=b"k")
    alone = _rows(wanted, store, warn)
    for n, log in enumerate(logs):
        for cut in sorted({datom[3] for datom in log}):
            entry = write_cache(sources[n], store, folder=f"cache-{cut}", last_t=cut, bucket_datoms=40)
            cached = [replace(source, cache=entry) if n == m else source for m, source in enumerate(sources)]
            found = _rows(replace(wanted, sources=tuple(cached), bucket_datoms=50), store, warn)
            assert {name: sorted(map(repr, rows)) for name, rows in found.items()} == {
                name: sorted(map(repr, rows)) for name, rows in alone.items()
            }
    return alone


def _rows(wanted: ContractBuild, store: FolderObjectStore, warn: Tell) -> dict[str, Rows]:
    """A frame's rows; instants beyond Python's years are milliseconds."""
    found = build(wanted, store, warn=warn)
    return {name.removeprefix("contract-app/"): _plain(dataset.frame) for name, dataset in found.items()}


def _plain(frame: pl.DataFrame) -> Rows:
    instants = [name for name, dtype in frame.schema.items() if dtype == INSTANT]
    return frame.with_columns(pl.col(instants).dt.timestamp("ms")).to_dicts()


def cells(rows: Rows, *columns: str) -> list[tuple[Any, ...]]:
    """The given columns of every row."""
    return [tuple(row[column] for column in columns) for row in rows]
