"""Builds all contracts of a database on a driver: one task per bucket of entities, one Parquet file per task.

Assets, the local Itaipu, the commands and the benchmarks call this. A build that fails raises and may leave files
behind; the caller must not publish them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition, contract_tables
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.kinds import KIND_NAMES
from logcache_assets.engine.contracts.column_timelines import InstanceContext
from logcache_assets.engine.contracts.columns import Columns, agree_columns, primary_key
from logcache_assets.engine.contracts.compute import ContractPart, compute_parts, empty_part
from logcache_assets.engine.contracts.entity_reader import InstanceReader
from logcache_assets.engine.contracts.grouped_buckets import with_grouped_buckets
from logcache_assets.engine.contracts.referral_tasks import find_refs, with_referred
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.drivers.progress import Meter, OnProgress, ignore
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.engine.log.open_logs import LogLadder, OpenedLog, load_facts
from logcache_assets.engine.storage.buckets import BUCKET_DATOMS, Bucket
from logcache_assets.engine.storage.parquet import empty_others, write_part
from logcache_assets.engine.storage.schemas import END, column_types
from logcache_assets.ports import ObjectStore, StoredObject, Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractBuild:
    """The definition and the logs of a build, and how it is done."""

    definition: DatabaseDefinition
    sources: tuple[LogSource, ...]
    """One per instance of the definition."""
    pii_key: bytes
    """The key that hashes personal data."""
    kinds: tuple[str, ...] = KIND_NAMES
    """Names of the kinds to compute."""
    policy: CachePolicy = CachePolicy.STRICT
    """What to do when a cache cannot be used."""
    bucket_datoms: int = BUCKET_DATOMS
    """About how many datoms are computed at once; memory grows with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltContract:
    """A contract dataset that was written."""

    table: ContractTable
    rows: int
    columns: Mapping[str, str]
    """Name → Arrow type."""
    files: tuple[StoredObject, ...]
    """Each sorted by the key; at least one, with the schema."""


def build_contracts(  # noqa: PLR0913 - input, output, driver, and callbacks for warnings and progress
    build: ContractBuild,
    *,
    store: ObjectStore,
    out: Folder,
    driver: Driver,
    warn: Tell,
    progress: OnProgress = ignore,
) -> tuple[BuiltContract, ...]:
    """Compute every contract of a database into `<out>/<dataset>/part-….parquet`, one part per bucket that has rows.

    Args:
        build: what to compute.
        store: where logs and caches lie.
        out: an empty folder for the datasets.
        driver: runs the tasks.
        warn: takes warnings: an attribute that no instance has, a cache that was passed over.
        progress: takes the number of buckets done and expected.

    Raises:
        BadInput: the definition contradicts the schemas in the logs.
        CacheError: a cache cannot be used, and the policy is strict.
        EngineError: a log that is not whole, or a value that its type cannot hold.
    """
    meter = Meter(progress)

    def attempt(opened: Mapping[Instance, OpenedLog]) -> tuple[BuiltContract, ...]:
        plan = _plan(build, load_facts(opened, store, driver, meter), out, warn, driver)
        meter.expect(len(plan.tasks))
        parts: list[WrittenPart] = []
        for found in driver.run(plan.tasks):
            parts += found
            meter.add(buckets=1)
        built = tuple(_built(table, parts, plan.columns, out) for table in plan.tables)
        return tuple(_without_stale(one, plan.columns, out) for one in built) if ladder.stepped_down else built

    ladder = LogLadder(build.sources, store, policy=build.policy, warn=warn, bucket_datoms=build.bucket_datoms)
    return ladder.attempt(attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    tables: tuple[ContractTable, ...]
    columns: Columns
    tasks: tuple["ContractTask", ...]


def _plan(
    build: ContractBuild, facts: Mapping[Instance, InstanceFacts], out: Folder, warn: Tell, driver: Driver
) -> _Plan:
    """One task per bucket; raises BadInput when the definition contradicts the schemas."""
    schemas = {instance: its_facts.read_schema() for instance, its_facts in facts.items()}
    tables, columns = contract_tables(build.definition, build.kinds), agree_columns(build.definition, schemas, warn)
    after_t = 0 if any(table.kind.rows_have_t for table in tables) else END
    if after_t == END:
        facts = {
            i: with_grouped_buckets(its_facts, tables, schemas[i], bucket_datoms=build.bucket_datoms)
            for i, its_facts in facts.items()
        }
    contexts = {i: InstanceContext(instance=i, schema=schema, pii_key=build.pii_key) for i, schema in schemas.items()}
    readers = [InstanceReader(its_facts, contexts[i], after_t=after_t) for i, its_facts in facts.items()]
    readers = with_referred(readers, find_refs(tables), driver)
    buckets = [(reader, bucket) for reader in readers for bucket in reader.facts.all_buckets()]
    tasks = (ContractTask(reader, bucket, tables, columns, out, part) for part, (reader, bucket) in enumerate(buckets))
    return _Plan(tables=tables, columns=columns, tasks=tuple(tasks))


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """The rows of one bucket in a contract dataset."""

    dataset: str
    rows: int
    file: StoredObject


@dataclass(frozen=True, slots=True)
class ContractTask:
    """Computes all contracts of one bucket and writes those parts that have rows."""

    reader: InstanceReader
    bucket: Bucket
    tables: tuple[ContractTable, ...]
    columns: Columns
    out: Folder
    part: int

    def run(self) -> tuple[WrittenPart, ...]:
        """Compute and write the bucket's parts; returns one WrittenPart per part that has rows."""
        return tuple(
            WrittenPart(part.table.dataset, len(part.frame), self._write(part))
            for part in compute_parts(self.tables, self.columns, self.reader, self.bucket)
            if len(part.frame)
        )

    def _write(self, part: ContractPart) -> StoredObject:
        return write_part(part.frame, self.out.at(part.table.dataset).uri, self.out.store, number=self.part)


def _built(table: ContractTable, parts: Sequence[WrittenPart], columns: Columns, out: Folder) -> BuiltContract:
    """The dataset with all its files; one without rows gets a single empty file that has the schema."""
    own = [part for part in parts if part.dataset == table.dataset]
    empty = empty_part(table, columns, columns[primary_key(table.entity)])
    files = [part.file for part in own] or [write_part(empty, out.at(table.dataset).uri, out.store, number=0)]
    return BuiltContract(
        table=table,
        rows=sum(part.rows for part in own),
        columns=column_types(empty.schema),
        files=tuple(sorted(files, key=lambda file: file.uri)),
    )


def _without_stale(built: BuiltContract, columns: Columns, out: Folder) -> BuiltContract:
    """Empty the files of buckets whose rows came only from a cache that failed later."""
    empty = empty_part(built.table, columns, columns[primary_key(built.table.entity)])
    emptied = empty_others(built.files, empty, out.at(built.table.dataset).uri, out.store)
    return replace(built, files=tuple(sorted([*built.files, *emptied], key=lambda file: file.uri)))
