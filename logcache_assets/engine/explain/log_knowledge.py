"""What the logs of a database say of its contracts: which rows are due, why they may differ, and at which t.

Computed by a driver, once for all contracts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable, contract_tables
from logcache_assets.domain.contract_entities import ContractEntity
from logcache_assets.domain.instances import Instance
from logcache_assets.engine.compare.day_pair import NO_KEY, DayPair, Logs
from logcache_assets.engine.compare.planning import choose_comparison_buckets, plan_columns
from logcache_assets.engine.contracts.column_timelines import InstanceContext
from logcache_assets.engine.contracts.columns import Columns, agree_columns, primary_key
from logcache_assets.engine.contracts.compute import empty_part
from logcache_assets.engine.contracts.entity_reader import InstanceReader
from logcache_assets.engine.contracts.referral_tasks import find_referred, find_refs
from logcache_assets.engine.contracts.referred import Referred
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.drivers.progress import Meter
from logcache_assets.engine.explain.affected import Affected, follow_refs_of
from logcache_assets.engine.explain.causes import (
    REDEFINED,
    EntityCauses,
    Scope,
    find_causes,
    find_former_names,
    row_columns,
)
from logcache_assets.engine.explain.expectation import RecordTask
from logcache_assets.engine.explain.locating import Faulty, Located, LocateTask, collect_ts
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.storage.schemas import END
from logcache_assets.engine.storage.shards import Shard
from logcache_assets.ports import Tell

NOT_DECLARED = Scope(after_t=END, complete=REDEFINED)
"""The scope of a prototype that only yesterday's definition has: none of its rows is due."""


class LogKnowledge:
    """Computes, and holds, what the logs of a database say of its contracts.

    Args:
        days: both days' tables and definitions.
        logs: what is known of the logs of both days.
        facts: instance → its facts at today's t.
        warn: called for each attribute that no instance has.
    """

    def __init__(self, days: DayPair, logs: Logs, facts: Mapping[Instance, InstanceFacts], warn: Tell) -> None:
        self.days, self.logs, self.facts = days, logs, facts
        self.schemas = {instance: its_facts.read_schema() for instance, its_facts in facts.items()}
        self.columns: Columns = agree_columns(days.definition, self.schemas, warn)
        self.recorded: Mapping[str, tuple[Shard, ...]] = {}
        self.causes: dict[tuple[Instance, str], EntityCauses] = {}
        for instance, its_facts in facts.items():
            before = its_facts.read_schema(at_t=logs.after_t(instance))
            names = find_former_names(its_facts, after_t=logs.after_t(instance))
            for entity in days.definition.entities:
                causes = find_causes(
                    entity,
                    before=before,
                    today=self.schemas[instance],
                    redefined=self._redefined(entity),
                    excised=instance in logs.reextracted,
                )
                self.causes[instance, entity.name] = replace(causes, former_names=names)

    def _redefined(self, entity: ContractEntity) -> frozenset[str]:
        """Columns that yesterday's tables lack, or that yesterday's definition defined differently."""
        own = [table for table in self.days.tables if table.entity == entity]
        added = {c for t in own for c in t.columns if c not in self.days.yesterday[t.dataset].schema}
        appeared = {c for t in own if t.dataset in self.days.new_datasets for c in row_columns(t)}
        former = {t.dataset: t for t in contract_tables(self.logs.former)} if self.logs.former else {}
        changed = {c for t in own if t.dataset in former for c in _changed_columns(former[t.dataset], t)}
        return frozenset(added | appeared | changed)

    def record(self, driver: Driver, meter: Meter) -> None:
        """Compute the recorded rows of all contracts into `recorded`, by dataset."""
        tasks, shards = self._tasks(driver, self.days.tables), dict[str, list[Shard]]()
        meter.expect(len(tasks))
        for found in driver.run(tasks):
            for recorded in found:
                shards.setdefault(recorded.dataset, []).extend(recorded.shards)
            meter.add(buckets=1)
        self.recorded = {dataset: tuple(own) for dataset, own in shards.items()}

    def record_shared(self, table: ContractTable, keys: pl.DataFrame, driver: Driver) -> tuple[Shard, ...]:
        """Record one contract again, with all rows of keys that several entities may have.

        Args:
            table: the contract.
            keys: distinct keys, in the types of the comparison.
            driver: runs the tasks.
        """
        found = driver.run(self._tasks(driver, (table,), shared=keys))
        return tuple(shard for parts in found for recorded in parts for shard in recorded.shards)

    def _tasks(
        self, driver: Driver, tables: Sequence[ContractTable], *, shared: pl.DataFrame | None = None
    ) -> list[RecordTask]:
        """One task per bucket of every instance."""
        pairs = {t.dataset: (self.days.yesterday[t.dataset], self.days.today[t.dataset]) for t in tables}
        compared_columns = {
            t.dataset: plan_columns(
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
        folder = driver.scratch.at("recorded" if shared is None else f"shared/{tables[0].dataset}/{len(shared)}")
        affected = [
            Affected(
                facts=facts,
                context=self._context(instance),
                after_t=self.logs.after_t(instance),
                tables=tuple(tables),
                columns=self.columns,
                causes={e.name: self.causes[instance, e.name] for e in self.days.definition.entities},
                compared_columns=compared_columns,
                shared=None if shared is None else shared.filter(pl.col("prototype") == instance.prototype),
            )
            for instance, facts in self.facts.items()
        ]
        referred = {
            whole: follow_refs_of(affected, driver, folder.at(f"referred/{whole}"), whole=whole)
            for whole in (False, True)
        }
        return [
            RecordTask(
                affected=a,
                bucket=bucket,
                referred={whole: found[name] for whole, found in referred.items() if name in found},
                buckets=buckets,
                folder=None if in_memory else folder.at(f"{name}/{bucket}"),
                keyless=self.logs.pii_key is None,
            )
            for name, a in ((a.facts.instance.name, a) for a in affected)
            for bucket in a.facts.all_buckets()
        ]

    def _context(self, instance: Instance) -> InstanceContext:
        return InstanceContext(instance=instance, schema=self.schemas[instance], pii_key=self.logs.pii_key or NO_KEY)

    def locate(self, table: ContractTable, faulty: pl.DataFrame, driver: Driver) -> Located:
        """Find the t that the cells of faulty rows come from; columns of `faulty` are those of Explained.faulty."""
        if "t" in faulty.columns:
            return collect_ts([faulty])
        by_prototype = {str(key[0]): rows for key, rows in faulty.partition_by("prototype", as_dict=True).items()}
        asked = {
            instance: Faulty(table=table, columns=self.columns, rows=by_prototype[instance.prototype])
            for instance in self.facts
            if instance.prototype in by_prototype
        }
        referred = self._follow_faulty(asked, driver, driver.scratch.at(f"located/{table.dataset}"))
        tasks = [
            LocateTask(
                facts=self.facts[instance],
                context=self._context(instance),
                bucket=bucket,
                after_t=self.logs.after_t(instance),
                faulty=rows,
                referred=referred.get(instance.name),
            )
            for instance, rows in asked.items()
            for bucket in self.facts[instance].all_buckets()
        ]
        return collect_ts(driver.run(tasks)) if tasks else {}

    def _follow_faulty(self, asked: Mapping[Instance, Faulty], driver: Driver, place: Folder) -> dict[str, Referred]:
        """Name of an instance of several buckets → what the entities of its faulty rows refer to."""
        readers = [InstanceReader(self.facts[i], self._context(i), after_t=self.logs.after_t(i)) for i in asked]
        refs = find_refs(rows.table for rows in asked.values())
        return find_referred(readers, refs, {i.name: rows for i, rows in asked.items()}, driver, place)

    def scopes(self, table: ContractTable) -> dict[str, Scope]:
        """Prototype → the causes for one contract."""
        own = {instance: self.causes[instance, table.entity.name] for instance in self.facts}
        scopes = {i.prototype: causes.scope(table, after_t=self.logs.after_t(i)) for i, causes in own.items()}
        former = self.logs.former.prototypes if self.logs.former else ()
        return dict.fromkeys(former, NOT_DECLARED) | scopes

    def expected(self, table: ContractTable) -> pl.Schema:
        """Column → the type that definition and schemas give."""
        return empty_part(table, self.columns, self.columns[primary_key(table.entity)]).schema


def _changed_columns(former: ContractTable, table: ContractTable) -> Iterator[str]:
    """Columns of a contract that its former definition defined differently; its entity may have been renamed."""
    was = {a.column: (a.attribute, a.ref, a.pii) for a in former.attributes}
    yield from (a.column for a in table.attributes if was.get(a.column) != (a.attribute, a.ref, a.pii))
    if former.entity.primary_key != table.entity.primary_key:
        yield primary_key(table.entity).column
