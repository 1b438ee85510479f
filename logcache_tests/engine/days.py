"""Two days of contracts, computed from a log at chosen cuts, and their comparison."""

import struct
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from io import BytesIO
from typing import NamedTuple, TypeAlias

import polars as pl

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition, contract_tables
from logcache_assets.domain.figures import FAULTS, Change, ContractFigures, Reason
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.rules import MANDATORY_RULES, judge_contract
from logcache_assets.domain.rules.results import RuleName
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.compare.compare_days import compare_days
from logcache_assets.engine.compare.contract_files import Table, open_table
from logcache_assets.engine.compare.day_pair import DayPair, Logs
from logcache_assets.engine.contracts.build_contracts import ContractBuild, build_contracts
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.facts.values import INSTANT
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.engine.storage.parquet import parquet_bytes
from logcache_tests.engine.avro import Datom, avro_bytes
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.generated import segments_in, with_index
from logcache_tests.engine.world import OWN_BUCKET, cut_off, definition_of, driver_in, source_at

Scalar: TypeAlias = "bool | int | float | str | bytes | Decimal | datetime"
Cell: TypeAlias = "Scalar | list[Scalar] | None"

TOKEN_KEY = b"the tests' key of tokens"
NO_ATTRIBUTE = "no instance has"
"""The warning about attributes that early logs lack."""
IDENT = 10
"""The attribute :db/ident."""


def refuse_other_warnings(line: str) -> None:
    """A `warn` that fails on any warning except that of missing attributes."""
    assert NO_ATTRIBUTE in line, line


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The contracts of a database, computed by one run."""

    definition: DatabaseDefinition
    sources: tuple[LogSource, ...]
    tables: Mapping[str, Table]

    @property
    def last_t(self) -> dict[Instance, int]:
        """Instance → the t it was read up to."""
        return {source.instance: source.until_t or 0 for source in self.sources}

    def table(self, dataset: str) -> ContractTable:
        """The declaration of a dataset."""
        return next(table for table in contract_tables(self.definition) if table.dataset == dataset)

    def frame(self, dataset: str) -> pl.DataFrame:
        """The rows of a dataset."""
        return read_table(self.tables[dataset])

    def only(self, *datasets: str) -> "Day":
        """This day with only some datasets."""
        return replace(self, tables={name: self.tables[name] for name in datasets})

    def showing(self, frames: Mapping[str, pl.DataFrame], store: FolderObjectStore) -> "Day":
        """This day with other rows in some datasets."""
        return replace(self, tables={**self.tables, **{name: put_table(store, f) for name, f in frames.items()}})


def day_at(database: str, cut: str, store: FolderObjectStore, *, reextracted: bool = False) -> Day:
    """A database of the real log at a named cut-off."""
    definition = definition_of(database)
    sources = [source_at(instance, cut, reextracted=reextracted) for instance in definition.instances]
    return compute_day(definition, sources, store)


def compute_day(
    definition: DatabaseDefinition, sources: Sequence[LogSource], store: FolderObjectStore, *, pii_key: bytes = PII_KEY
) -> Day:
    """Compute every contract of a database from these logs."""
    out = Folder(store, f"s3://{OWN_BUCKET}/days/{uuid.uuid4()}")
    wanted = ContractBuild(definition=definition, sources=tuple(sources), pii_key=pii_key, policy=CachePolicy.STRICT)
    build_contracts(wanted, store=store, out=out, driver=driver_in(store), warn=refuse_other_warnings)
    tables = {t.dataset: open_table(out.at(t.dataset).uri, store, key=t.key) for t in contract_tables(definition)}
    return Day(definition=definition, sources=tuple(sources), tables=tables)


def put_table(store: FolderObjectStore, *frames: pl.DataFrame) -> Table:
    """Write a table, one file per frame."""
    folder = f"s3://{OWN_BUCKET}/tables/{uuid.uuid4()}"
    for number, frame in enumerate(frames):
        store.write(f"{folder}/part-{number:05}.parquet", parquet_bytes(frame))
    return open_table(folder, store)


def read_table(table: Table) -> pl.DataFrame:
    """All rows of a table."""
    rows = [table.read(piece, list(table.schema)) for piece in table.pieces]
    return pl.concat(rows) if rows else table.schema.to_frame()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explaining:
    """Settings of a comparison that differ from the usual."""

    sources: Mapping[Instance, LogSource] = field(default_factory=dict)
    """Sources to read instead of today's."""
    reextracted: frozenset[Instance] = frozenset()
    pii_key: bytes | None = PII_KEY
    driver: Driver | None = None


AS_USUAL = Explaining()


def compare(
    yesterday: Day,
    today: Day,
    store: FolderObjectStore,
    explaining: Explaining = AS_USUAL,
    *,
    tolerances: Mapping[str, Mapping[str, float]] | None = None,
) -> dict[str, ContractFigures]:
    """Compare two days, explained by today's log."""
    logs = Logs(
        sources=tuple(explaining.sources.get(s.instance, s) for s in today.sources),
        after=yesterday.last_t,
        reextracted=explaining.reextracted,
        former=yesterday.definition,
        pii_key=explaining.pii_key,
        policy=CachePolicy.STRICT,
    )
    days = DayPair(
        definition=today.definition,
        yesterday=yesterday.tables,
        today=today.tables,
        logs=logs,
        token_key=TOKEN_KEY,
        tolerances=tolerances or {},
    )
    driver = explaining.driver or driver_in(store)
    return compare_days(days, Runtime(store=store, driver=driver, warn=refuse_other_warnings))


class Accused(NamedTuple):
    """Faulty rows of one pattern."""

    reason: Reason
    change: Change
    prototype: str
    columns: tuple[str, ...]
    rows: int


def accused(found: ContractFigures) -> list[Accused]:
    """All faulty rows of a contract."""
    patterns = (p for p in found.patterns if p.reason in FAULTS)
    return sorted(Accused(p.reason, p.change, p.prototype, p.columns, p.rows) for p in patterns)


def faults_of(found: Mapping[str, ContractFigures]) -> Iterator[str]:
    """Every fault of a comparison, as a short text."""
    for dataset, figures in found.items():
        yield from (f"{dataset}: {fault}" for fault in accused(figures))
        yield from (f"{dataset}: {change}" for change in figures.schema if not change.explained)
        if figures.prototypes is None:
            yield f"{dataset}: the keys are not sound"


def failed_rules(dataset: str, figures: ContractFigures) -> list[RuleName]:
    """The rules that refuse a contract."""
    results = judge_contract(dataset, figures, DEFAULT_STRICTNESS, required=MANDATORY_RULES)
    return [result.rule for result in results if result.blocks]


def differing_keys(right: pl.DataFrame, wrong: pl.DataFrame, key: Sequence[str]) -> set[tuple[object, ...]]:
    """The keys whose rows differ between two tables, in plain Python, which has no year 10000."""
    plain = (frame.with_columns(pl.col(INSTANT).cast(pl.Int64)) for frame in (right, wrong))
    one, other = ({tuple(row[k] for k in key): repr(row) for row in f.iter_rows(named=True)} for f in plain)
    return {k for k in one.keys() | other.keys() if one.get(k) != other.get(k)}


def cell_of(frame: pl.DataFrame, row: int, column: str) -> Cell:
    """One cell as a Python value."""
    value: Cell = frame.slice(row, 1).to_dicts()[0][column]
    return value


def edited(frame: pl.DataFrame, row: int, column: str, value: Cell) -> pl.DataFrame:
    """The rows with one cell changed."""
    cell = pl.Series([value], dtype=frame.schema[column])
    here = pl.int_range(pl.len()) == row
    return frame.with_columns(pl.when(here).then(pl.lit(cell)).otherwise(pl.col(column)).alias(column))


def without(frame: pl.DataFrame, row: int) -> pl.DataFrame:
    """The rows without one of them."""
    return frame.filter(pl.int_range(pl.len()) != row)


def one_bit_other(value: Cell, scale: int = 0) -> Cell:
    """The value with the smallest change: of a zero double its sign, of a list its last element."""
    if isinstance(value, list):
        return [*value[:-1], one_bit_other(value[-1], scale)]  # type: ignore[list-item] # a scalar gives a scalar
    return value + Decimal(1).scaleb(-scale) if isinstance(value, Decimal) else LEAST_CHANGES[type(value)](value)


def _other_double(value: float) -> float:
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return -value if value == 0 else float(*struct.unpack("<d", struct.pack("<q", bits ^ 1)))


LEAST_CHANGES: dict[type, Callable[..., Scalar]] = {
    bool: lambda value: not value,
    int: lambda value: value ^ 1,
    float: _other_double,
    datetime: lambda value: value + timedelta(milliseconds=1),
    str: lambda value: value[:-1] + chr(ord(value[-1]) ^ 1) if value else "\x00",
    bytes: lambda value: bytes([*value[:-1], value[-1] ^ 1]) if value else b"\x00",
}


def scale_of(dtype: pl.DataType) -> int:
    """Decimal places of a type, or of its list elements."""
    inner = dtype.inner if isinstance(dtype, pl.List) else dtype
    return inner.scale if isinstance(inner, pl.Decimal) else 0


def datoms_of(segment: Segment, store: FolderObjectStore) -> list[Datom]:
    """The datoms of a segment, read without the engine."""
    frame = pl.read_avro(BytesIO(store.read(segment.path)))
    return list(frame.select("e", "a", "v", "t", "added").iter_rows())


def rewritten(source: LogSource, segment: Segment, datoms: Sequence[Datom], store: FolderObjectStore) -> LogSource:
    """A source in which one segment has other datoms."""
    path = f"s3://{OWN_BUCKET}/rewritten/{uuid.uuid4()}.avro"
    store.write(path, avro_bytes(datoms))
    segments = tuple(replace(s, path=path) if s == segment else s for s in segments_in(source))
    return with_index(source, segments)


@cache
def cached_day(database: str, cut: str, store: FolderObjectStore) -> Day:
    """A day shared by tests; the cut `today-excised` is today's t of the re-extracted log."""
    return day_at(database, cut.removesuffix("-excised"), store, reextracted=cut.endswith("-excised"))


@cache
def figures_between(database: str, one: str, other: str, store: FolderObjectStore) -> dict[str, ContractFigures]:
    """The comparison of two named days."""
    yesterday, today = cached_day(database, one, store), cached_day(database, other, store)
    reextracted = frozenset(yesterday.last_t) if other.endswith("-excised") else frozenset()
    return compare(yesterday, today, store, replace(AS_USUAL, reextracted=reextracted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The segments of one instance, read in plain Python; entities are texts."""

    holders: Mapping[tuple[str, str], set[str]]
    """(attribute, value) → the entities that ever had it."""
    values: Mapping[tuple[str, str], set[str]]
    """(entity, attribute) → all values that it ever had."""
    touched: frozenset[str]
    """Entities with a datom after yesterday's t, up to today's."""


@cache
def delta_of(instance: Instance, one: str, other: str, store: FolderObjectStore) -> Delta:
    """Read the segments; attributes have their last names."""
    source = source_at(instance, other.removesuffix("-excised"), reextracted=other.endswith("-excised"))
    until_t, after_t = source.until_t or 0, cut_off(instance, one)
    datoms = [d for segment in segments_in(source) for d in datoms_of(segment, store) if d[3] <= until_t]
    names = {e: v.removeprefix(":") for e, a, v, _, added in sorted(datoms, key=lambda d: d[3]) if a == IDENT and added}
    holders: dict[tuple[str, str], set[str]] = {}
    values: dict[tuple[str, str], set[str]] = {}
    for e, a, v, _, _ in datoms:
        name = names.get(a, "")
        holders.setdefault((name, v), set()).add(str(e))
        values.setdefault((str(e), name), set()).add(v)
    touched = frozenset(str(e) for e, _, _, t, _ in datoms if t > after_t)
    return Delta(holders=holders, values=values, touched=touched)
