"""The first look at a platform, which writes nothing: what its systems show, and what the engine makes of past nights.

shadow_logs.py looks at raw logs, shadow_contracts.py recomputes contracts. Whatever stands in the way is a finding of
the study, so that one thing that is other than assumed hides no other.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from logcache_assets.catalog import Catalog
from logcache_assets.domain.canonical_json import canonical_json
from logcache_assets.domain.contract_definitions import DatabaseDefinition, definition_path, parse_definition
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.json_text import JsonError, plain_json
from logcache_assets.domain.log_cache_map import MAP_PATH, all_instances_of, unproven_of
from logcache_assets.domain.names import CONTRACT_PREFIX, RAW_PREFIX
from logcache_assets.domain.problems import join_problems
from logcache_assets.domain.shadow import Observation, ShadowContract, ShadowNight, ShadowStudy, shapes_of
from logcache_assets.domain.transactions import Transaction, TransactionType
from logcache_assets.domain.wording import count_of
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.engine.log.index_snapshot import IndexSnapshot
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import Ports, Tell
from logcache_assets.refresh.choose_night import NightChooser
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.shadow_contracts import PastContracts
from logcache_assets.refresh.shadow_logs import look_at_log
from logcache_assets.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """Studies past nights."""

    ports: Ports
    settings: Settings
    pii_key: bytes | None
    tell: Tell

    def study(
        self, databases: Catalog, *, nights: tuple[str, ...], instances: int, count: int, at: Runtime
    ) -> ShadowStudy:
        """Study some nights on the smallest instances of some databases.

        Args:
            databases: whose contracts may be recomputed.
            nights: ids of transactions; the newest good ones if there is none.
            instances: how many are read at most.
            count: how many nights are chosen at most, where none is named.
            at: where the work is done.
        """
        found: list[Observation] = []
        chosen = self._smallest(databases, instances, found)
        found += self._map_observations()
        parts = tuple(_parts(databases, chosen))
        names = tuple(name for d in databases for name in (d.database, *d.prototypes, *(i.name for i in d.instances)))
        transactions = [self._transaction(night, found) for night in nights] or self._good_nights(parts, count, found)
        return ShadowStudy(
            at=self.ports.clock.now(),
            databases=tuple(part.database for part in parts),
            instances=tuple(instance.name for instance in chosen),
            observations=tuple(found),
            nights=tuple(self._night(night, parts, names, at) for night in transactions if night is not None),
        )

    def _smallest(self, databases: Catalog, count: int, found: list[Observation]) -> tuple[Instance, ...]:
        """The instances with the lowest newest t, which are quick to read."""
        declared = [instance for database in databases for instance in database.instances]
        try:
            newest = ask_each(declared, self.ports.segment_index.newest_t)
        except LogCacheError as error:
            found.append(_observed("segment index", "it answers for every declared instance", str(error), holds=False))
            return tuple(declared[:count])
        unknown = [instance.name for instance, t in newest.items() if not t]
        found.append(
            _observed(
                "segment index",
                "it has an item of every declared instance",
                f"none of {', '.join(unknown[:3])}" if unknown else f"{count_of(len(newest), 'instance')}",
                holds=not unknown,
            )
        )
        return tuple(sorted((i for i, t in newest.items() if t), key=lambda i: (newest[i], i.name))[:count])

    def _map_observations(self) -> Iterator[Observation]:
        assumed = "the map is canonical, and every entry names a manifest"
        try:
            base = read_base_map(self.ports.repository)
        except LogCacheError as error:
            yield _observed(MAP_PATH, assumed, str(error), holds=False)
            return
        entries, unproven = tuple(all_instances_of(base.entries)), unproven_of(base.entries)
        told = f"{count_of(len(entries), 'instance')} at {base.sha[:8]}, {len(unproven):,} without a manifest"
        form = "" if canonical_json(_plain(base.text)) == base.text else "; its JSON is not canonical"
        yield _observed(MAP_PATH, assumed, f"{told}{form}", holds=not unproven and not form)

    def _transaction(self, night: str, found: list[Observation]) -> Transaction | None:
        try:
            return self.ports.metapod.transaction(night)
        except LogCacheError as error:
            found.append(_observed("metapod", f"it knows transaction {night}", str(error), holds=False))
            return None

    def _good_nights(
        self, databases: Sequence[DatabaseDefinition], count: int, found: list[Observation]
    ) -> list[Transaction | None]:
        """The newest nights that a refresh might build on; where none is good, the newest night of all."""
        since = self.ports.clock.now() - timedelta(days=self.settings.lookback_days)
        try:
            nights = self.ports.metapod.transactions(TransactionType.DAILY, since=since)
        except LogCacheError as error:
            found.append(_observed("metapod", "it lists nightly transactions", str(error), holds=False))
            return []
        told = f"{count_of(len(nights), 'night')} in {self.settings.lookback_days} days"
        found.append(_observed("metapod", "it lists nightly transactions", told, holds=bool(nights)))
        good: list[Transaction | None] = []
        for night in nights:
            if len(good) == count:
                break
            reasons = self._reasons(night, databases)
            if not reasons:
                good.append(night)
        return good or list(nights[:1])

    def _reasons(self, night: Transaction, databases: Sequence[DatabaseDefinition]) -> tuple[str, ...]:
        """Why a refresh would not build on a night."""
        chooser = NightChooser(
            metapod=self.ports.metapod, store=self.ports.store, clock=self.ports.clock, settings=self.settings
        )
        try:
            choice = chooser.judge(tuple(databases), named=night.id)
        except LogCacheError as error:
            return (str(error),)
        faults = (str(problem) for found in choice.faults.values() for problem in found)
        return (*(reason for rejected in choice.rejected for reason in rejected.reasons), *faults)

    def _night(
        self, night: Transaction, databases: Sequence[DatabaseDefinition], names: tuple[str, ...], at: Runtime
    ) -> ShadowNight:
        self.tell(f"Night {night.id}, begun at {night.started_at:%Y-%m-%d %H:%M} UTC")
        reasons = self._reasons(night, databases)
        found = [
            _observed(
                night.id[:8],
                "a refresh could build on it",
                join_problems(reasons) if reasons else "it is a good night",
                holds=not reasons,
            ),
            *_night_observations(night, names),
        ]
        contracts: list[ShadowContract] = []
        for database in databases:
            contracts += self._database(night, database, found, at)
        return ShadowNight(
            transaction=night.id,
            type=night.type,
            started_at=night.started_at,
            observations=tuple(found),
            contracts=tuple(contracts),
        )

    def _database(
        self, night: Transaction, database: DatabaseDefinition, found: list[Observation], at: Runtime
    ) -> tuple[ShadowContract, ...]:
        index = IndexSnapshot(self.ports.segment_index)
        sources: list[LogSource] = []
        for instance in database.instances:
            self.tell(f"{instance.name}: reading its raw logs")
            seen = look_at_log(instance, night, index, at)
            found += seen.observations
            until_t = seen.last_t or _read_t(instance, night, index, found)
            sources.append(LogSource(instance=instance, index=index, until_t=until_t))
        definition = self._definition(night, database, found)
        self.tell(f"{database.database}: computing its contracts")
        past = PastContracts(
            definition=definition,
            sources=tuple(sources),
            night=night,
            pii_key=self.pii_key,
            token_key=self.pii_key or secrets.token_bytes(32),
        )
        contracts, why = past.compare(at)
        if why:
            told = f"{why}; the night's raw logs are taken"
            found.append(_observed(database.database, "contracts can be computed from segments", told, holds=False))
        return contracts

    def _definition(
        self, night: Transaction, database: DatabaseDefinition, found: list[Observation]
    ) -> DatabaseDefinition:
        """The definition when the night began, with the chosen prototypes; the catalog's if it is not known."""
        path, assumed = definition_path(database.database), "git has the definition that the night was computed with"
        repository = self.ports.repository
        try:
            base = read_base_map(repository).sha
            for version in repository.versions(path, ref=base):
                if version.committed_at <= night.started_at:
                    text = repository.read(path, ref=version.sha)
                    former = parse_definition(text, where=f"{version.sha[:8]}:{path}")
                    found.append(_observed(path, assumed, f"at {version.sha[:8]}", holds=True))
                    return msgspec.structs.replace(former, prototypes=database.prototypes)
            told = "its history begins later; the catalog's is taken"
        except LogCacheError as error:
            told = f"{error}; the catalog's is taken"
        found.append(_observed(path, assumed, told, holds=False))
        return database


def _plain(text: str) -> object:
    try:
        return plain_json(text)
    except JsonError:
        return None


def _parts(databases: Catalog, chosen: Sequence[Instance]) -> Iterator[DatabaseDefinition]:
    """The definitions of the databases of these instances, each with their prototypes alone."""
    for database in databases:
        prototypes = tuple(i.prototype for i in database.instances if i in chosen)
        if prototypes:
            yield msgspec.structs.replace(database, prototypes=prototypes)


def _read_t(instance: Instance, night: Transaction, index: IndexSnapshot, found: list[Observation]) -> int | None:
    """Where a night whose log cannot be read ended: at the last segment that was extracted before it began."""
    try:
        segments = index.segments(instance)
    except LogCacheError:
        return None
    before = [s.last_t for s in segments if s.extracted_at <= night.started_at]
    told = f"taken is t {before[-1]}, of the last segment before the night" if before else "no segment is older"
    found.append(_observed(instance.name, "the log says where the night's reading ended", told, holds=False))
    return before[-1] if before else None


def _night_observations(night: Transaction, known: tuple[str, ...]) -> Iterator[Observation]:
    """What the night's datasets look like; `known` are names of databases, prototypes and instances."""
    states = Counter(found.state.value for found in night.datasets.values())
    yield Observation(
        subject=night.id[:8],
        assumed="states of its datasets",
        found=", ".join(f"{count:,} {state}" for state, count in sorted(states.items())) or "it has no dataset",
        holds="yes" if states else "no",
    )
    shapes: Sequence[tuple[str, Callable[[str], bool]]] = (
        ("raw datasets", lambda name: name.startswith(RAW_PREFIX)),
        ("contracts", lambda name: name.startswith(CONTRACT_PREFIX)),
        ("other datasets", lambda name: not name.startswith((RAW_PREFIX, CONTRACT_PREFIX))),
    )
    for what, belongs in shapes:
        own = [found for name, found in night.datasets.items() if belongs(name)]
        is_needed = what != "other datasets"
        folders = (f"{found.name.split('/')[0]}/…" for found in own)
        yield _observed(
            night.id[:8],
            f"names of {what}",
            shapes_of((f"{name}" for name in folders), names=known),
            holds=bool(own) or not is_needed,
        )
        paths = [found.path for found in own if found.path]
        if is_needed:
            yield _observed(
                night.id[:8],
                f"paths of {what} are folders on s3://",
                shapes_of((path.rpartition("/")[0] + "/…" for path in paths), names=known),
                holds=bool(paths) and all(path.startswith(("s3://", "s3a://")) for path in paths),
            )


def _observed(subject: str, assumed: str, found: str, *, holds: bool) -> Observation:
    return Observation(subject=subject, assumed=assumed, found=found, holds="yes" if holds else "no")
