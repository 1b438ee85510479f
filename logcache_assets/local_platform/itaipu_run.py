"""The local platform's Itaipu: reads logs through LogOp, computes datasets, writes Parquet, commits them in metapod.

Nightly runs and the test runs that `sabesp` starts both use this code. As on the real platform, a dataset that fails is
aborted and the run continues, so a green run proves nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import polars as pl

from logcache_assets.adapters.scratch import local_driver
from logcache_assets.domain.adoption import unproven_problem
from logcache_assets.domain.contract_definitions import DatabaseDefinition, contract_tables
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MAP_PATH, LogCacheMap, MapEntry, entry_of, unproven_of
from logcache_assets.domain.names import RAW_PREFIX, raw_datasets, raw_entities_dataset, raw_log_dataset
from logcache_assets.domain.transactions import Column
from logcache_assets.engine.contracts.build_contracts import BuiltContract, ContractBuild, build_contracts
from logcache_assets.engine.drivers.driver import Folder, LocalDriver
from logcache_assets.engine.drivers.progress import OnProgress
from logcache_assets.engine.log.index_snapshot import IndexSnapshot
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.engine.raw.build_raw import RawBuild, build_raw
from logcache_assets.engine.storage.parquet import parquet_bytes, read_parquet_files
from logcache_assets.engine.storage.schemas import FACTS_SCHEMA, LOG_SCHEMA, column_types
from logcache_assets.errors import BadInput, WrongData
from logcache_assets.local_platform.faults import EMPTY_CONTRACT, STALE_READER, WRONG_VALUE, WithoutNewestSegment
from logcache_assets.local_platform.world import World
from logcache_assets.ports import ItaipuRepository, SegmentIndex, Tell
from logcache_assets.refresh.inspect_map import read_map
from logcache_assets.refresh.pinned_definitions import read_definitions

FORMER_MAPS = 5
"""How many versions of the map before the current one are tried when its caches cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """The log cache map and the contract definitions of one commit, which an Itaipu version pins."""

    entries: LogCacheMap
    former: tuple[LogCacheMap, ...]
    """Earlier maps, newest first, whose caches a run can fall back to."""
    definitions: tuple[DatabaseDefinition, ...]

    def earlier_of(self, instance: Instance) -> tuple[MapEntry, ...]:
        """The earlier entries of an instance, without duplicates."""
        found = (entry_of(entries, instance) for entries in self.former)
        now = entry_of(self.entries, instance)
        return tuple(dict.fromkeys(entry for entry in found if entry is not None and entry != now))


def check_out(repository: ItaipuRepository, version: str) -> Checkout:
    """Read the map, its history and the definitions at a commit."""
    return Checkout(
        entries=read_map(repository, ref=version),
        former=tuple(_former_maps(repository, version)),
        definitions=read_definitions(repository, ref=version),
    )


def _former_maps(repository: ItaipuRepository, version: str) -> Iterator[LogCacheMap]:
    """The latest earlier versions of the map that can be parsed."""
    for former in repository.versions(MAP_PATH, ref=version)[1 : 1 + FORMER_MAPS]:
        with suppress(BadInput):
            yield read_map(repository, ref=former.sha)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItaipuRun:
    """A run that computes datasets into an open metapod transaction."""

    world: World
    transaction: str
    version: str
    out_uri: str
    """The bucket that takes the datasets, `s3://…`."""
    prefixes: tuple[str, ...]
    """Prefixes of the names of the datasets to compute."""
    policy: CachePolicy
    """A test run is strict: a candidate whose cache cannot be read must not pass on segments alone."""
    tell: Tell

    def compute(self) -> int:
        """Compute every wanted dataset; returns how many were aborted.

        Raises:
            Unavailable: an outside system could not answer; every dataset that was not yet committed is aborted.
        """
        checkout = check_out(self.world.repository, self.version)
        for definition in checkout.definitions:
            for name in self._wanted(definition):
                self.world.metapod_store.register_dataset(self.transaction, name, country=self.world.settings.country)
        try:
            return sum(self._compute_database(d, self._sources(d, checkout)) for d in checkout.definitions)
        except BaseException:
            # A cancelled run with uncommitted contracts would look as if it still computed and block every publication.
            abort_unfinished(self.world, self.transaction)
            raise

    def _wanted(self, definition: DatabaseDefinition) -> tuple[str, ...]:
        raw = [name for instance in definition.instances for name in raw_datasets(instance)]
        names = [*raw, *(table.dataset for table in contract_tables(definition))]
        return tuple(name for name in names if name.startswith(self.prefixes))

    def _compute_database(self, definition: DatabaseDefinition, sources: Sequence[LogSource]) -> int:
        """Compute all datasets of one database; when data is wrong, those not yet committed are aborted."""
        due, reason = dict.fromkeys(self._wanted(definition)), "it was not computed"
        try:
            with local_driver() as driver:
                for output in self._outputs(definition, sources, driver) if due else ():
                    if output.name in due:
                        self._commit(output)
                        due.pop(output.name)
        except WrongData as error:
            reason = " ".join(str(error).split())
        for name in due:
            self.world.metapod_store.abort_dataset(self.transaction, name, aborted_at=self.world.clock.now())
            self.tell(f"aborted dataset {name}: {reason}")
        return len(due)

    def _outputs(
        self, definition: DatabaseDefinition, sources: Sequence[LogSource], driver: LocalDriver
    ) -> Iterator["_Output"]:
        if RAW_PREFIX in self.prefixes:
            for source in sources:
                yield from self._raw(source, driver)
        build = ContractBuild(
            definition=definition,
            sources=tuple(sources),
            pii_key=self.world.pii_key(),
            policy=self.policy,
        )
        store, out = self.world.store, Folder(self.world.store, f"{self.out_uri.rstrip('/')}/{self.transaction}")
        for contract in build_contracts(
            build, store=store, out=out, driver=driver, warn=self.tell, progress=self._progress(definition.database)
        ):
            yield _Output(contract.table.dataset, self._apply_armed_faults(contract), contract.columns)

    def _raw(self, source: LogSource, driver: LocalDriver) -> Iterator["_Output"]:
        names = raw_log_dataset(source.instance), raw_entities_dataset(source.instance)
        log, entities = (Folder(self.world.store, self._folder(name)) for name in names)
        build = RawBuild(source=source, log=log, entities=entities, policy=self.policy)
        progress = self._progress(source.instance.name)
        built = build_raw(build, store=self.world.store, driver=driver, warn=self.tell, progress=progress)
        yield _Output(names[0], built.datoms, column_types(LOG_SCHEMA))
        yield _Output(names[1], built.facts, column_types(FACTS_SCHEMA))

    def _progress(self, what: str) -> OnProgress:
        return lambda progress: self.tell(f"{what}: {progress}")

    def _apply_armed_faults(self, contract: BuiltContract) -> int:
        """Apply the faults that are armed for this contract in a test run; returns the resulting number of rows."""
        if self._is_armed(EMPTY_CONTRACT, contract.table.dataset):
            for file in contract.files:
                self._rewrite(file.uri, pl.DataFrame.clear)
            return 0
        if self._is_armed(WRONG_VALUE, contract.table.dataset):
            self._rewrite(contract.files[0].uri, _with_short_text)
        return contract.rows

    def _is_armed(self, fault: str, detail: str) -> bool:
        return self.policy is CachePolicy.STRICT and self.world.faults.armed(fault) == detail

    def _rewrite(self, uri: str, damage: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        rows = read_parquet_files([uri], self.world.store)
        self.world.store.write(uri, parquet_bytes(damage(rows)))

    def _folder(self, dataset: str) -> str:
        return f"{self.out_uri.rstrip('/')}/{self.transaction}/{dataset}"

    def _commit(self, output: "_Output") -> None:
        self.world.metapod_store.commit_dataset(
            self.transaction,
            output.name,
            path=self._folder(output.name),
            columns=tuple(Column(name=name, logical_type=kind) for name, kind in output.columns.items()),
            committed_at=self.world.clock.now(),
        )
        self.tell(f"committed dataset {output.name} with {output.rows} rows")

    def _sources(self, definition: DatabaseDefinition, checkout: Checkout) -> list[LogSource]:
        return [self._source(instance, checkout) for instance in definition.instances]

    def _source(self, instance: Instance, checkout: Checkout) -> LogSource:
        index: SegmentIndex = self.world.segment_index
        if self._is_armed(STALE_READER, instance.name):
            index = WithoutNewestSegment(index)
        if unproven := unproven_of(checkout.entries).get(instance):
            self.tell(f"WARNING: {unproven_problem(instance, unproven)}")
        # Segments may arrive during the run, but raw datasets and contracts must be computed from the same ones.
        index = IndexSnapshot(index)
        return LogSource(
            instance=instance,
            index=index,
            cache=entry_of(checkout.entries, instance),
            earlier=checkout.earlier_of(instance),
            until_t=index.newest_t(instance),
        )


def abort_unfinished(world: World, transaction: str) -> int:
    """Abort every dataset of a run that is neither committed nor aborted; returns how many."""
    metapod = world.metapod_store
    open_rows = [row for row in metapod.datasets(transaction) if row.committed_at is None and row.aborted_at is None]
    for row in open_rows:
        metapod.abort_dataset(transaction, row.name, aborted_at=world.clock.now())
    return len(open_rows)


def _with_short_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Remove the last character of the first text that is not a key."""
    name = next(name for name, dtype in list(rows.schema.items())[2:] if dtype == pl.String)
    first = rows.select(pl.col(name).is_not_null().arg_max()).item()
    short = pl.col(name).str.head(-1)
    return rows.with_columns(pl.when(pl.int_range(pl.len()) == first).then(short).otherwise(name).alias(name))


@dataclass(frozen=True, slots=True)
class _Output:
    """One dataset that was written."""

    name: str
    rows: int
    columns: Mapping[str, str]
