"""The engine's face for validation: every contract of a database compared with yesterday's and explained by the log.

Only the datoms after yesterday's t are read from segments where a cache holds what came before. What the figures mean
for publication is domain/validation.py.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import msgspec
import polars as pl

from logcache_assets.domain.definitions import ContractEntity, ContractTable, DatabaseDefinition, contract_tables
from logcache_assets.domain.figures import ContractFigures, SchemaChange, TableFigures
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.patterns import with_segments
from logcache_assets.engine.causes import REDEFINED, Scope
from logcache_assets.engine.cells import Setting
from logcache_assets.engine.columns import Columns, agree_columns, primary_key
from logcache_assets.engine.comparison import (
    BUCKET_ROWS,
    Comparison,
    choose_comparison_buckets,
    compare_tables,
    plan_layout,
)
from logcache_assets.engine.contracts import empty_part
from logcache_assets.engine.drivers import Driver
from logcache_assets.engine.expectation import EntityCauses, RecordTask, find_causes, find_former_names, row_columns
from logcache_assets.engine.instance_facts import InstanceFacts
from logcache_assets.engine.layout import EngineError, column_types
from logcache_assets.engine.locating import Located, LocateTask, united, with_t
from logcache_assets.engine.log import CachePolicy, LogSource
from logcache_assets.engine.open_logs import LogLadder, OpenedLog, load_facts
from logcache_assets.engine.progress import Meter
from logcache_assets.engine.schema import DatomicSchema
from logcache_assets.engine.shards import Shard
from logcache_assets.engine.tables import Table, common_type
from logcache_assets.engine.workplace import Workplace
from logcache_assets.ports import Tell

NO_KEY = b"without the deployment's key"
"""Stands for it: equal values still have equal hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """What explains the differences of a database."""

    sources: tuple[LogSource, ...]
    """One per instance, up to today's t; a cache that ends after yesterday's t is passed over."""
    after: Mapping[Instance, int]
    """Yesterday's t; an instance without one had no log."""
    reextracted: frozenset[Instance] = frozenset()
    """Instances of whose log up to yesterday's t some segment was extracted again."""
    former: DatabaseDefinition | None = None
    """Yesterday's definition, if it may be another one."""
    pii_key: bytes | None = None
    """The deployment's; without it what a new value hashes to is not verified."""
    policy: CachePolicy = CachePolicy.FALLBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPair:
    """Both days of a database's contracts."""

    definition: DatabaseDefinition
    """Today's."""
    yesterday: Mapping[str, Table]
    """Dataset → its files; only datasets of both days are compared."""
    today: Mapping[str, Table]
    logs: Logs | None
    """None where nothing can be explained, so that every difference is unexplained."""
    token_key: bytes
    tolerances: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Dataset → floating point column → absolute tolerance."""
    bucket_rows: int = BUCKET_ROWS
    """About how many rows of one day are compared at once; memory grows with it."""
    new_datasets: frozenset[str] = frozenset()
    """Datasets that yesterday's definition did not declare; yesterday's table of one has no rows."""

    @property
    def tables(self) -> tuple[ContractTable, ...]:
        """Contracts that can be compared."""
        both = self.yesterday.keys() & self.today.keys()
        return tuple(table for table in contract_tables(self.definition) if table.dataset in both)


def compare_days(days: DayPair, at: Workplace) -> dict[str, ContractFigures]:
    """Compare and explain every contract that both days have.

    Args:
        days: what to compare.
        at: where the work is done.

    Returns:
        Dataset → its figures.

    Raises:
        BadInput: the definition contradicts the schemas in the logs.
        CacheError: a cache cannot be used, and the policy is strict.
        EngineError: a log that is not whole, or a file that is unreadable.
    """
    if days.logs is None:
        return {table.dataset: _compared(table, days, None, at.driver) for table in days.tables}
    logs, meter = days.logs, Meter(at.progress)

    def attempt(opened: Mapping[Instance, OpenedLog]) -> dict[str, ContractFigures]:
        known = _Known(days, logs, load_facts(opened, at.store, at.driver, meter), at.warn)
        with _without_values(f"what the log says of {days.definition.database}"):
            known.record(at.driver, meter)
        return {table.dataset: _compared(table, days, known, at.driver) for table in days.tables}

    sources = [_until_yesterday(source, logs.after.get(source.instance, 0)) for source in logs.sources]
    return LogLadder(sources, at.store, policy=logs.policy, warn=at.warn).attempt(attempt)


@contextmanager
def _without_values(what: str) -> Iterator[None]:
    """An error of polars may quote values of the data, so only its kind is told."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise EngineError(
            f"{what} cannot be compared: polars ended with {type(error).__name__}, whose text is not shown, as it may "
            "hold personal data. Compare the columns' types with the definition's"
        ) from None


def _until_yesterday(source: LogSource, after_t: int) -> LogSource:
    """The source with the first of its caches that holds nothing newer than yesterday."""
    while source.cache is not None and source.cache.last_t > after_t:
        source = source.without_cache()
    return source


NOT_DECLARED = Scope(after_t=0, complete=REDEFINED)
"""Of a prototype that yesterday's definition had and today's has not: none of its rows is due."""


class _Known:
    """What the logs of a database say of its contracts."""

    def __init__(self, days: DayPair, logs: Logs, facts: Mapping[Instance, InstanceFacts], warn: Tell) -> None:
        self.days, self.logs, self.facts = days, logs, facts
        self.schemas = {instance: its_facts.read_schema() for instance, its_facts in facts.items()}
        self.columns: Columns = agree_columns(days.definition, self.schemas, warn)
        self.recorded: Mapping[str, tuple[Shard, ...]] = {}
        self.former_names = {
            instance: find_former_names(its_facts, after_t=logs.after.get(instance, 0))
            for instance, its_facts in facts.items()
        }
        self.causes = {
            (instance, entity.name): self._causes(instance, entity)
            for instance in facts
            for entity in days.definition.entities
        }

    def _causes(self, instance: Instance, entity: ContractEntity) -> EntityCauses:
        before: DatomicSchema = self.facts[instance].read_schema(at_t=self.logs.after.get(instance, 0))
        causes = find_causes(
            entity,
            before=before,
            today=self.schemas[instance],
            redefined=self._redefined(entity),
            excised=instance in self.logs.reextracted,
        )
        return replace(causes, former_names=self.former_names[instance])

    def _redefined(self, entity: ContractEntity) -> frozenset[str]:
        """Columns that yesterday's tables lack, or that yesterday's definition made otherwise."""
        own = [table for table in self.days.tables if table.entity == entity]
        added = {c for t in own for c in t.columns if c not in self.days.yesterday[t.dataset].schema}
        appeared = {c for t in own if t.dataset in self.days.new_datasets for c in row_columns(t)}
        former = {e.name: e for e in self.logs.former.entities} if self.logs.former else {}
        return frozenset(added | appeared | set(_changed_columns(former.get(entity.name, entity), entity)))

    def record(self, driver: Driver, meter: Meter) -> None:
        """Compute what the log says of all contracts."""
        tasks, shards = self._tasks(driver), dict[str, list[Shard]]()
        meter.expect(len(tasks))
        for found in driver.run(tasks):
            for recorded in found:
                shards.setdefault(recorded.dataset, []).extend(recorded.shards)
            meter.add(buckets=1)
        self.recorded = {dataset: tuple(own) for dataset, own in shards.items()}

    def _tasks(self, driver: Driver) -> list[RecordTask]:
        """One per bucket of every instance."""
        tables = self.days.tables
        pairs = {t.dataset: (self.days.yesterday[t.dataset], self.days.today[t.dataset]) for t in tables}
        layouts = {
            t.dataset: plan_layout(
                t.key,
                yesterday=pairs[t.dataset][0].schema,
                today=pairs[t.dataset][1].schema,
                expected=self.expected(t),
            )
            for t in tables
        }
        buckets = {
            dataset: choose_comparison_buckets(*pair, bucket_rows=self.days.bucket_rows)
            for dataset, pair in pairs.items()
        }
        in_memory = driver.shares_memory and max(buckets.values(), default=1) == 1
        return [
            RecordTask(
                facts=facts,
                setting=self._setting(instance),
                bucket=bucket,
                after_t=self.logs.after.get(instance, 0),
                tables=tables,
                columns=self.columns,
                causes={e.name: self.causes[instance, e.name] for e in self.days.definition.entities},
                layouts=layouts,
                buckets=buckets,
                place=None if in_memory else driver.scratch.at(f"recorded/{instance.name}/{bucket}"),
                keyless=self.logs.pii_key is None,
            )
            for instance, facts in self.facts.items()
            for bucket in facts.all_buckets()
        ]

    def _setting(self, instance: Instance) -> Setting:
        return Setting(instance=instance, schema=self.schemas[instance], pii_key=self.logs.pii_key or NO_KEY)

    def locate(self, table: ContractTable, faulty: pl.DataFrame, driver: Driver) -> Located:
        """Where in the log the cells of faulty rows come from."""
        by_prototype = {str(key[0]): rows for key, rows in faulty.partition_by("prototype", as_dict=True).items()}
        tasks = [
            LocateTask(
                facts=facts,
                setting=self._setting(instance),
                bucket=bucket,
                after_t=self.logs.after.get(instance, 0),
                table=table,
                columns=self.columns,
                faulty=by_prototype[instance.prototype],
            )
            for instance, facts in self.facts.items()
            if instance.prototype in by_prototype
            for bucket in facts.all_buckets()
        ]
        return united(driver.run(tasks)) if tasks else {}

    def scopes(self, table: ContractTable) -> dict[str, Scope]:
        """By prototype."""
        own = {instance: self.causes[instance, table.entity.name] for instance in self.facts}
        scopes = {i.prototype: causes.scope(table, after_t=self.logs.after.get(i, 0)) for i, causes in own.items()}
        former = self.logs.former.prototypes if self.logs.former else ()
        return dict.fromkeys(former, NOT_DECLARED) | scopes

    def expected(self, table: ContractTable) -> pl.Schema:
        """Column → the type that definition and schemas give."""
        return empty_part(table, self.columns, self.columns[primary_key(table.entity)]).schema


def _changed_columns(former: ContractEntity, entity: ContractEntity) -> Iterator[str]:
    """Columns of an entity that its former definition made otherwise."""
    was = {a.column: (a.attribute, a.ref, a.pii) for a in former.attributes}
    yield from (a.column for a in entity.attributes if was.get(a.column) != (a.attribute, a.ref, a.pii))
    if former.primary_key != entity.primary_key:
        yield primary_key(entity).column


def _compared(table: ContractTable, days: DayPair, known: _Known | None, driver: Driver) -> ContractFigures:
    yesterday, today = days.yesterday[table.dataset], days.today[table.dataset]
    pii = frozenset(a.column for a in table.attributes if a.pii)
    expected = known.expected(table) if known else _as_yesterday(table, yesterday.schema)
    comparison = Comparison(
        yesterday=yesterday,
        today=today,
        key=table.key,
        row_columns=row_columns(table),
        token_key=days.token_key,
        recorded=known.recorded.get(table.dataset, ()) if known else (),
        scopes=known.scopes(table) if known else {},
        tolerances=days.tolerances.get(table.dataset, {}),
        bucket_rows=days.bucket_rows,
        unchecked=pii if known and known.logs.pii_key is None else frozenset(),
        expected=expected,
    )
    with _without_values(table.dataset):
        compared = compare_tables(comparison, driver, driver.scratch.at(f"comparison/{table.dataset}"))
    figures = compared.figures
    unfit = {n for n, dtype in expected.items() if n in today.schema and common_type(today.schema[n], dtype) is None}
    schema = tuple(find_schema_changes(figures.yesterday, figures.today, column_types(expected), unfit=unfit))
    segments = {s.instance.prototype: s.segments for s in days.logs.sources} if days.logs else {}
    located = known.locate(table, compared.faulty, driver) if known and compared.faulty is not None else {}
    dated = (with_t(pattern, located) for pattern in figures.patterns)
    patterns = tuple(with_segments(p, segments.get(p.prototype, ())) for p in dated)
    return msgspec.structs.replace(figures, schema=schema, patterns=patterns)


def _as_yesterday(table: ContractTable, yesterday: pl.Schema) -> pl.Schema:
    return pl.Schema({name: dtype for name, dtype in yesterday.items() if name in table.columns})


def find_schema_changes(
    yesterday: TableFigures, today: TableFigures, expected: Mapping[str, str], *, unfit: Collection[str] = ()
) -> Iterator[SchemaChange]:
    """What is to be said of the columns of both days.

    Args:
        yesterday: one day.
        today: the other.
        expected: column → the type that definition and log give today.
        unfit: columns of today whose type has no value in common with the expected one.

    Returns:
        Columns that both days do not share with one type, those of the definition or of today that the other lacks, and
        the unfit ones.
    """
    for name in dict.fromkeys((*yesterday.columns, *today.columns, *expected)):
        was, is_now = yesterday.columns.get(name), today.columns.get(name)
        if was != is_now or (is_now is None) == (name in expected) or name in unfit:
            yield SchemaChange(column=name, was=was, is_now=is_now, expected=expected.get(name))
