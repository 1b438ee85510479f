"""The local platform's own Itaipu: reads logs through LogOp, computes, writes Parquet, commits datasets in metapod.

Both the nightly run and the test runs that `sabesp` starts are this code. As on the real platform a dataset that fails
is aborted and the run goes on, so a green run proves nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.definitions import DatabaseDefinition, contract_tables, parse_definition
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MAP_PATH, LogCacheMap, entry_of, parse_map
from logcache_assets.domain.names import raw_datasets, raw_entities_dataset, raw_log_dataset
from logcache_assets.domain.transactions import Column
from logcache_assets.engine.contracts import Contract, compute_contracts
from logcache_assets.engine.layout import column_types
from logcache_assets.engine.log import CachePolicy, LogSource, read_facts, read_log
from logcache_assets.engine.parquet import write_parquet
from logcache_assets.engine.raw import write_materialized_entities, write_raw_log
from logcache_assets.errors import LogCacheError
from logcache_assets.local_platform.faults import EMPTY_CONTRACT
from logcache_assets.local_platform.world import World, pii_key
from logcache_assets.ports import ItaipuRepository, ObjectStore, StoredObject, Tell

RAW_PREFIX = "raw-"
CONTRACT_PREFIX = "contract-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """What an Itaipu version pins: the log cache map and the contract definitions of one commit."""

    entries: LogCacheMap
    definitions: tuple[DatabaseDefinition, ...]


def check_out(repository: ItaipuRepository, version: str) -> Checkout:
    """Read map and definitions at a commit."""
    text = repository.read(MAP_PATH, ref=version)
    paths = [path for path in repository.list_files("contracts", ref=version) if path.endswith(".yaml")]
    return Checkout(
        entries=parse_map(text, where=f"{MAP_PATH} at {version}"),
        definitions=tuple(parse_definition(repository.read(path, ref=version), where=path) for path in paths),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItaipuRun:
    """One run into one metapod transaction, which is open already."""

    world: World
    transaction: str
    version: str
    out_uri: str
    """The bucket that takes the datasets, `s3://…`."""
    prefixes: tuple[str, ...]
    """Which datasets to compute, by the beginning of their name."""
    policy: CachePolicy
    """A test run is strict: a candidate whose cache cannot be read must not pass on segments alone."""
    tell: Tell

    def compute(self) -> int:
        """Compute every wanted dataset; returns how many were aborted."""
        checkout = check_out(self.world.repository, self.version)
        for definition in checkout.definitions:
            for name in self._wanted(definition):
                self.world.metapod_store.register_dataset(self.transaction, name)
        try:
            return sum(self._compute_database(definition, checkout.entries) for definition in checkout.definitions)
        except BaseException:
            # A run that is cancelled must not look as if it still computed: that would block every publication.
            self._abort_rest()
            raise

    def _abort_rest(self) -> None:
        metapod = self.world.metapod_store
        for row in metapod.datasets(self.transaction):
            if row.committed_at is None and row.aborted_at is None:
                metapod.abort_dataset(self.transaction, row.name, aborted_at=self.world.clock.now())

    def _wanted(self, definition: DatabaseDefinition) -> tuple[str, ...]:
        raw = [name for instance in definition.instances for name in raw_datasets(instance)]
        names = [*raw, *(table.dataset for table in contract_tables(definition))]
        return tuple(name for name in names if name.startswith(self.prefixes))

    def _compute_database(self, definition: DatabaseDefinition, entries: LogCacheMap) -> int:
        """All datasets of one database; those that are not committed when something fails are aborted."""
        due, reason = dict.fromkeys(self._wanted(definition)), "it was not computed"
        try:
            for output in self._outputs(definition, entries) if due else ():
                if output.name in due:
                    self._commit(output)
                    due.pop(output.name)
        except LogCacheError as error:
            reason = " ".join(str(error).split())
        for name in due:
            self.world.metapod_store.abort_dataset(self.transaction, name, aborted_at=self.world.clock.now())
            self.tell(f"aborted dataset {name}: {reason}")
        return len(due)

    def _outputs(self, definition: DatabaseDefinition, entries: LogCacheMap) -> Iterator["_Output"]:
        facts = {instance: self._facts(instance, entries) for instance in definition.instances}
        if RAW_PREFIX in self.prefixes:
            for instance, state in facts.items():
                log = read_log(self._source(instance, entries), self.world.store, policy=self.policy, warn=self.tell)
                yield _Output(raw_log_dataset(instance), log, write_raw_log)
                yield _Output(raw_entities_dataset(instance), state, write_materialized_entities)
        key = pii_key(self.world.settings)
        for contract in compute_contracts(definition, facts, pii_key=key, warn=self.tell):
            yield _Output(contract.table.dataset, self._possibly_lost(contract), write_parquet)

    def _possibly_lost(self, contract: Contract) -> pl.DataFrame:
        """The rows of a contract, unless the accident of an empty contract waits for it."""
        emptied = self.world.faults.armed(EMPTY_CONTRACT) == contract.table.dataset
        return contract.frame.clear() if emptied and self.policy is CachePolicy.STRICT else contract.frame

    def _commit(self, output: "_Output") -> None:
        folder = f"{self.out_uri.rstrip('/')}/{self.transaction}/{output.name}"
        output.write(output.frame, folder, self.world.store)
        self.world.metapod_store.commit_dataset(
            self.transaction,
            output.name,
            path=folder,
            columns=tuple(
                Column(name=name, logical_type=kind) for name, kind in column_types(output.frame.schema).items()
            ),
            committed_at=self.world.clock.now(),
        )
        self.tell(f"committed dataset {output.name} with {len(output.frame)} rows")

    def _facts(self, instance: Instance, entries: LogCacheMap) -> pl.DataFrame:
        return read_facts(self._source(instance, entries), self.world.store, policy=self.policy, warn=self.tell)

    def _source(self, instance: Instance, entries: LogCacheMap) -> LogSource:
        return LogSource(
            instance=instance,
            segments=self.world.segment_index.segments(instance),
            cache=entry_of(entries, instance),
        )


@dataclass(frozen=True, slots=True)
class _Output:
    """One dataset, ready to be written."""

    name: str
    frame: pl.DataFrame
    write: Callable[[pl.DataFrame, str, ObjectStore], StoredObject]
