"""What a peer is asked, and where its log lies: options, index, definitions, and the names that a log gives to things.

Every peer is a command of its own with the options below; what it does with the answers is its own SQL. The definitions
are parsed by the project's own parser, as nobody measures that. Segments are chosen by the index, like LogOp does.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import polars as pl

from logcache_assets.catalog import load_catalog
from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition, contract_tables
from logcache_assets.domain.contract_entities import ContractAttribute
from logcache_assets.engine.log.avro_datoms import read_datoms

IDENT, VALUE_TYPE, CARDINALITY, TX_INSTANT = 10, 40, 41, 50
"""The attributes that describe attributes, and txes."""
THREADS = 2
MEMORY = "4GB"
"""What every peer may use."""
COLUMNS = ["e", "a", "v", "t", "added", "tx_instant"]
"""What a peer takes of a segment."""
DECODERS: Mapping[str, Callable[[str], pl.DataFrame]] = {
    "ours": lambda path: read_datoms(Path(path).read_bytes()).select(COLUMNS),
    "polars": lambda path: pl.read_avro(path, columns=COLUMNS),
}
"""Who reads the Avro of a peer that cannot: with ours, engines are compared; polars' own proves nothing of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceLog:
    """Where the log of one instance lies."""

    name: str
    prototype: str
    segments: tuple[str, ...]
    """Avro files with datoms in (after_t, until_t], some also with others, in the order of t."""
    after_t: int
    until_t: int
    log: str | None
    """A file pattern of the cached log's Parquet: every datom with t <= after_t."""
    current: str | None
    """A Parquet file of the facts (e, a, v) that are current at after_t."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to compute."""

    definitions: tuple[DatabaseDefinition, ...]
    logs: Mapping[str, InstanceLog]
    """By instance, `feed-s0`."""
    kinds: frozenset[str]
    out: Path
    decoder: str
    """One of DECODERS."""

    def tables(self, definition: DatabaseDefinition) -> tuple[ContractTable, ...]:
        """The datasets that are wanted of a database."""
        return contract_tables(definition, tuple(self.kinds))

    def logs_of(self, definition: DatabaseDefinition) -> tuple[InstanceLog, ...]:
        """The logs of a database."""
        return tuple(self.logs[instance.name] for instance in definition.instances)

    def file_of(self, table: ContractTable) -> Path:
        """Where a dataset is written, its folder made."""
        file = self.out / table.dataset / "part-00000.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        return file


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The schema of one instance as of its last t."""

    attributes: Mapping[str, int]
    """By ident without its colon."""
    types: Mapping[str, str]
    """`transaction/amount` → `bigdec`."""
    many: frozenset[str]
    idents: Mapping[int, str]
    """Of every named entity, as a contract shows them: `status__settled`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One column of a database's contracts."""

    name: str
    attribute: str
    ref: str | None
    value_type: str
    """Of what is shown, behind the ref; string when no instance has it."""
    many: bool


def read_task(description: str | None) -> Task:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    for option in ("--root", "--index", "--definitions", "--until", "--out"):
        parser.add_argument(option, type=Path, required=True)
    parser.add_argument(
        "--cache", type=Path, help="JSON: instance → {last_t, log, current}; without it, segments alone"
    )
    parser.add_argument("--kinds", default="entity,history,snapshot")
    parser.add_argument("--decoder", choices=sorted(DECODERS), default="ours")
    options = parser.parse_args()
    until = json.loads(options.until.read_text(encoding="utf-8"))
    caches = json.loads(options.cache.read_text(encoding="utf-8")) if options.cache else {}
    definitions = load_catalog(options.definitions)
    items = _items(options.index)
    names = {(i.name, i.prototype) for definition in definitions for i in definition.instances}
    return Task(
        definitions=definitions,
        logs={
            name: _log_of(name, prototype, items[name], options.root, until[name], caches.get(name, {}))
            for name, prototype in names
        },
        kinds=frozenset(options.kinds.split(",")),
        out=options.out,
        decoder=options.decoder,
    )


def _items(index: Path) -> Mapping[str, list[dict[str, object]]]:
    items: dict[str, list[dict[str, object]]] = {}
    for line in index.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        items.setdefault(item["db_prototype"], []).append(item)
    return items


def _log_of(  # noqa: PLR0913, PLR0917 - one use
    name: str,
    prototype: str,
    items: Iterable[Mapping[str, object]],
    root: Path,
    until_t: int,
    cache: Mapping[str, object],
) -> InstanceLog:
    after_t = int(str(cache.get("last_t", 0)))
    if until_t < after_t:
        raise SystemExit(
            f"{name}: the cache ends at t {after_t}, after the build's t {until_t}; peers read no such cache"
        )
    ranges = ((int(str(i["last_batch_t"])), int(str(i["last_t"])), str(i["path"])) for i in items)
    chain = sorted((last_t, path) for batch_t, last_t, path in ranges if last_t > after_t and batch_t < until_t)
    return InstanceLog(
        name=name,
        prototype=prototype,
        segments=tuple(str(root / path.removeprefix("s3://")) for _, path in chain),
        after_t=after_t,
        until_t=until_t,
        log=str(cache["log"]) if cache else None,
        current=str(cache["current"]) if cache else None,
    )


def decode_segments(log: InstanceLog, decoder: str) -> pl.DataFrame:
    """The datoms of a log's segments, with COLUMNS; t in (after_t, until_t]."""
    empty = pl.DataFrame(
        schema={
            "e": pl.Int64,
            "a": pl.Int64,
            "v": pl.String,
            "t": pl.Int64,
            "added": pl.Boolean,
            "tx_instant": pl.Datetime("ms", "UTC"),
        }
    )
    with ThreadPoolExecutor(THREADS) as pool:
        frames = list(pool.map(DECODERS[decoder], log.segments))
    within = pl.col("t").is_between(log.after_t + 1, log.until_t)
    for end in {0, len(frames) - 1} if frames else ():  # only the outer segments hold datoms beyond the range
        frames[end] = frames[end].filter(within)
    return pl.concat([empty, *frames])


def read_names(schema_facts: Iterable[tuple[int, int, str]]) -> Names:
    """The names in a log, from its current facts (e, a, v) about IDENT, VALUE_TYPE and CARDINALITY."""
    bootstrap = json.loads(
        resources.files("logcache_assets.engine.facts").joinpath("bootstrap.json").read_text("utf-8")
    )
    by_id: dict[int, str] = {}
    for name, entity in bootstrap["idents"].items():
        by_id.setdefault(entity, name)
    attributes = {n.removeprefix(":"): a["id"] for n, a in bootstrap["attributes"].items()}
    types = {n.removeprefix(":"): _short(a["valueType"]) for n, a in bootstrap["attributes"].items()}
    many = {n.removeprefix(":") for n, a in bootstrap["attributes"].items() if a["cardinality"].endswith("many")}
    found = {(e, a): v for e, a, v in schema_facts}
    idents = by_id | {e: v for (e, a), v in found.items() if a == IDENT}
    for (e, a), v in found.items():
        if a == VALUE_TYPE and e in idents:
            name = idents[e].removeprefix(":")
            attributes[name], types[name] = e, _short(by_id[int(v)])
            if by_id.get(int(found.get((e, CARDINALITY), "0")), "").endswith("many"):
                many.add(name)
    shown = {entity: _shown_keyword(name) for entity, name in idents.items()}
    return Names(attributes=attributes, types=types, many=frozenset(many), idents=shown)


def _short(value_type: str) -> str:
    return value_type.rpartition("/")[2]


def _shown_keyword(ident: str) -> str:
    return ident.removeprefix(":").replace("/", "__").replace("-", "_").replace(".", "_")


def shown_column(attribute: ContractAttribute, names: Iterable[Names]) -> Shown:
    """How a definition's attribute is shown, by the first instance that has it."""
    own, target = attribute.attribute, attribute.ref
    types: list[str] = []
    many = False
    for schema in names:
        if own in schema.types:
            types += (
                ["keyword"]
                if target == "db/ident"
                else [schema.types[target or own]]
                if (target or own) in schema.types
                else []
            )
            many |= own in schema.many
    return Shown(
        name=attribute.column, attribute=own, ref=target, value_type=types[0] if types else "string", many=many
    )
