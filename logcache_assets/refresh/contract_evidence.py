"""Gathers the evidence on each database: both runs' tables, the logs between them, definitions, rules and history.

Everything is taken at the candidate's commit, and from what the stages before wrote; judge_database.py judges it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as with_fields
from functools import cached_property

import polars as pl
from msgspec.structs import replace

from logcache_assets.domain.contract_definitions import (
    ContractTable,
    DatabaseDefinition,
    contract_tables,
    definition_path,
    parse_definition,
)
from logcache_assets.domain.documents import Candidate, InstanceSpan, NightlyTransaction, TestRun
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.domain.past_figures import find_past_figures
from logcache_assets.domain.rules.rule import History
from logcache_assets.domain.segments import choose_read_t
from logcache_assets.domain.transactions import DatasetState, Transaction
from logcache_assets.engine.compare.day_pair import Logs
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.engine.log.index_snapshot import IndexSnapshot
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.engine.storage.parquet import collect_parquet, list_parquet, scan_parquet
from logcache_assets.errors import WrongData
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, SegmentIndex
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_map
from logcache_assets.refresh.judge_database import Absent, Case, Place
from logcache_assets.refresh.past_verdicts import past_verdicts
from logcache_assets.refresh.pinned_definitions import read_definition
from logcache_assets.refresh.pinned_rules import PinnedRules, read_rules
from logcache_assets.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Documents of the earlier stages, and the ports that read what they name."""

    night: NightlyTransaction
    candidate: Candidate
    run: TestRun
    metapod: Metapod
    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository
    clock: Clock
    pii_key: bytes
    """The deployment's key of personal data."""
    settings: Settings

    @cached_property
    def index(self) -> SegmentIndex:
        """The segment index, asked once for each thing: the log is opened for both days and to recompute yesterday."""
        return IndexSnapshot(self.segment_index)

    @cached_property
    def today(self) -> Transaction:
        """The test run's datasets."""
        return self.metapod.transaction(self.run.transaction)

    @cached_property
    def yesterday(self) -> Transaction:
        """The nightly run's datasets."""
        return self.metapod.transaction(self.night.transaction)

    @cached_property
    def entries(self) -> LogCacheMap:
        """The candidate's map."""
        return read_map(self.repository, ref=self.candidate.sha, place=f"at {self.candidate.version}")

    @cached_property
    def rules(self) -> PinnedRules:
        """The validation rules at the candidate's commit."""
        return read_rules(self.repository, self.clock, sha=self.candidate.sha)

    @cached_property
    def history(self) -> Mapping[str, History]:
        """Figures of every contract in earlier refreshes."""
        documents, locations = Documents(self.store), self.settings.locations
        verdicts = past_verdicts(documents, locations, databases=self.candidate.databases)
        return find_past_figures(verdicts, night=self.night.transaction)

    @cached_property
    def after(self) -> Mapping[str, int]:
        """Instance → yesterday's t: the candidate's caches are yesterday's raw logs."""
        return {change.instance: change.last_t for change in self.candidate.changes}

    def definition_of(self, database: str) -> DatabaseDefinition:
        """The definition of a database at the candidate's commit."""
        return read_definition(self.repository, database, sha=self.candidate.sha)

    def former_of(self, database: str) -> DatabaseDefinition | None:
        """The definition of a database when yesterday's run began; None if git's history does not reach that far.

        If yesterday's run has no contract of the database, it was not declared yet: its definition has no entities.
        """
        path, repository = definition_path(database), self.repository
        for version in repository.versions(path, ref=self.candidate.sha):
            if version.committed_at <= self.night.started_at:
                where = f"{version.sha[:8]}:{path}"
                return parse_definition(repository.read(path, ref=version.sha), where=where)
        declared = self.definition_of(database)
        known = {table.dataset for table in contract_tables(declared)} & self.yesterday.datasets.keys()
        return None if known else replace(declared, entities=())

    def case_of(self, definition: DatabaseDefinition) -> Case:
        """Gather the evidence on one database."""
        sources = list(ask_each(definition.instances, lambda i: self._source(i, definition)).values())
        nightly = [self._nightly(source) for source in sources]
        return Case(
            definition=definition,
            yesterday={t.dataset: _place(self.yesterday, t, "yesterday's run") for t in contract_tables(definition)},
            today={t.dataset: self._today_place(t) for t in contract_tables(definition)},
            tables=self.store,
            logs=Logs(
                sources=tuple(sources),
                after={source.instance: self.after.get(source.instance.name, 0) for source in sources},
                reextracted=frozenset(
                    i for i, again in ask_each(definition.instances, self._is_reextracted).items() if again
                ),
                former=self.former_of(definition.database),
                pii_key=self.pii_key,
                policy=CachePolicy.STRICT,
            ),
            token_key=self.pii_key,
            same_t=self.settings.same_t,
            caches=tuple(nightly),
            strictness=self.rules.strictness,
            history=self.history,
        )

    def size_bytes(self, database: str) -> int:
        """Bytes of a database's contracts that are committed, both days'."""
        names = [table.dataset for table in contract_tables(self.definition_of(database))]
        found = [run.datasets.get(name) for run in (self.yesterday, self.today) for name in names]
        committed = [dataset for dataset in found if dataset and dataset.state is DatasetState.COMMITTED]
        folders = [dataset.path for dataset in committed if dataset.path]
        return sum(stored.size_bytes for folder in folders for stored in self.store.list_data(folder))

    def spans_of(self, case: Case) -> Iterator[InstanceSpan]:
        """The part of each instance's log between both days."""
        for source in case.logs.sources if case.logs else ():
            after_t = self.after.get(source.instance.name, 0)
            yield InstanceSpan(
                instance=source.instance.name, yesterday_t=after_t, today_t=max(after_t, source.until_t or 0)
            )

    def _source(self, instance: Instance, definition: DatabaseDefinition) -> LogSource:
        return LogSource(
            instance=instance,
            index=self.index,
            cache=entry_of(self.entries, instance),
            until_t=self._read_t(instance, definition),
        )

    def _read_t(self, instance: Instance, definition: DatabaseDefinition) -> int:
        """The t up to which the test run read the log of an instance."""
        index = self.index
        if instance.name not in self.run.indexed_t:
            return index.newest_t(instance)
        before, after = self.run.indexed_t[instance.name]
        if before == after:
            return before
        # The run may or may not have seen segments that arrived while it ran; rows with a t show whether it did.
        arrived, seen_t = index.segments(instance, after_t=before), self._seen_t(instance, definition)
        return choose_read_t(arrived, indexed_t=(before, after), seen_t=seen_t)

    def _nightly(self, source: LogSource) -> LogSource:
        return with_fields(source, until_t=self.after.get(source.instance.name, 0))

    def _is_reextracted(self, instance: Instance) -> bool:
        """True if the index shows that some of the log up to yesterday's t was extracted again since the night."""
        after_t, index = self.after.get(instance.name, 0), self.index
        return bool(index.extracted_since(instance, before_t=after_t, since=self.night.started_at))

    def _seen_t(self, instance: Instance, definition: DatabaseDefinition) -> int:
        """The greatest t in today's histories of an instance."""
        found = [0]
        for table in (table for table in contract_tables(definition) if table.kind.rows_have_t):
            place = self._today_place(table)
            if isinstance(place, str):
                found.append(find_greatest_t(place, instance.prototype, self.store))
        return max(found)

    def _today_place(self, table: ContractTable) -> Place:
        return _place(self.today, table, "the test run", aborted=self.run.aborted)


def find_greatest_t(folder: str, prototype: str, store: ObjectStore) -> int:
    """The greatest `db__t` that a table shows of a prototype; 0 if it has no such row or is not a readable table.

    Raises:
        ObjectStoreUnavailable: the store could not answer.
    """
    try:
        uris = list_parquet(folder, store)
        if not uris:
            return 0
        scan = scan_parquet(uris, store).filter(pl.col("prototype") == prototype)
        return int(collect_parquet(scan.select(pl.col("db__t").max()), folder).item() or 0)
    except WrongData:
        return 0  # the table's own check reports the problem


def _place(
    transaction: Transaction, table: ContractTable, run: str, *, aborted: Mapping[str, str] | None = None
) -> Place:
    """The folder of a committed dataset, or why there is none."""
    dataset = transaction.datasets.get(table.dataset)
    if dataset is None:
        return Absent(reason=f"it is not part of {run}")
    if dataset.state is not DatasetState.COMMITTED or not dataset.path:
        why = (aborted or {}).get(table.dataset)
        return Absent(reason=f"it is {dataset.state} in {run}{f': {why}' if why else ''}", state=dataset.state.value)
    return dataset.path
