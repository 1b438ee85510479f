"""The law of the cache as a comparison of two readings of a log.

A cache changes nothing: both readings give the same multiset of datoms, and the same rows of every contract.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import DatabaseDefinition, contract_tables
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.contracts.column_timelines import InstanceContext
from logcache_assets.engine.contracts.columns import agree_columns
from logcache_assets.engine.contracts.compute import compute_parts
from logcache_assets.engine.contracts.entity_reader import InstanceReader
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.drivers.progress import Meter, ignore
from logcache_assets.engine.facts.instance_facts import CachedFacts, InstanceFacts
from logcache_assets.engine.facts.values import INSTANT
from logcache_assets.engine.log.cached_log import open_cached_facts, read_cached_log
from logcache_assets.engine.log.log_op import Delta, LogSource, ask_index, plan_delta
from logcache_assets.engine.log.open_logs import OpenedLog, load_facts
from logcache_assets.ports import Tell
from logcache_tests.engine.builds import build
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.world import driver_in, refuse_warning, strict_log

Rows = dict[str, tuple[object, Counter[str]]]
"""Dataset → (columns, rows); NaN equals NaN, and -0.0 differs from 0.0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The datoms, contracts and warnings of one reading."""

    datoms: Counter[tuple[object, ...]]
    contracts: Rows
    told: tuple[str, ...] = ()
    """Warnings, such as those of attributes that no instance has."""


def rows_of(frames: Sequence[pl.DataFrame]) -> tuple[object, Counter[str]]:
    """A contract's columns and rows; instants are milliseconds, because Python has no year 10000."""
    frame = pl.concat(frames)
    plain = frame.with_columns(pl.col(INSTANT).cast(pl.Int64))
    return tuple(frame.schema.items()), Counter(map(repr, plain.iter_rows()))


def contracts_of(
    wanted: ContractBuild, store: FolderObjectStore, driver: Driver | None = None, *, warn: Tell = refuse_warning
) -> Rows:
    """Every contract of a build."""
    found = build(wanted, store, driver=driver, warn=warn)
    return {name: rows_of(dataset.frames) for name, dataset in found.items()}


def answers_of(wanted: ContractBuild, store: FolderObjectStore, driver: Driver | None = None) -> Answers:
    """The engine's answers to a build."""
    told: list[str] = []
    datoms = Counter(row for source in wanted.sources for row in strict_log(source, store).iter_rows())
    contracts = contracts_of(wanted, store, driver, warn=told.append)
    return Answers(datoms=datoms, contracts=contracts, told=tuple(told))


Reader = Callable[[LogSource], Delta]
"""Decides which datoms are read after the cache."""


def sound_reader(source: LogSource) -> Delta:
    """The engine's own decision."""
    return plan_delta(ask_index(source), warn=refuse_warning)


def answers_by(reader: Reader, definition: DatabaseDefinition, source: LogSource, store: FolderObjectStore) -> Answers:
    """The engine's answers for one instance if it read the log by this reader."""
    assert source.cache is not None
    delta = reader(source)
    cached = read_cached_log(source.instance, source.cache, store)
    log = pl.concat(
        [cached.filter(pl.col("t") <= (source.until_t or cached["t"].max())), delta.read(delta.chain, store)]
    )
    folder = open_cached_facts(source.instance, source.cache, store, until_t=source.until_t)
    opened = OpenedLog(cached=CachedFacts(entry=source.cache, folder=folder), delta=delta, datoms=0, buckets=1)
    (facts,) = load_facts({source.instance: opened}, store, driver_in(store), Meter(ignore)).values()
    return Answers(datoms=Counter(log.iter_rows()), contracts=_contracts(definition, facts))


def _contracts(definition: DatabaseDefinition, facts: InstanceFacts) -> Rows:
    schema = facts.read_schema()
    columns = agree_columns(definition, {facts.instance: schema}, refuse_warning)
    reader = InstanceReader(facts, InstanceContext(instance=facts.instance, schema=schema, pii_key=PII_KEY), after_t=0)
    (bucket,) = facts.all_buckets()
    parts = compute_parts(contract_tables(definition), columns, reader, bucket)
    return {part.table.dataset: rows_of([part.frame]) for part in parts}
