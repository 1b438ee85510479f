"""Whether there is something to refresh, and when the result may be published."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from logcache_assets.domain.definitions import DatabaseDefinition
from logcache_assets.domain.documents import Publication
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.domain.transactions import Transaction

ALL = "all"
"""The selection of every database of the catalog; no database may be named so."""
NAMED_AT_MOST = 3
"""A selection of more databases is named by a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to do now."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """A refresh is due."""

    transaction: str
    databases: tuple[str, ...]
    base_sha: str

    @property
    def key(self) -> str:
        """All that makes a run worth repeating."""
        return f"{self.transaction}:{self.base_sha}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishWindow:
    """Hours of the day, UTC, in which no contracts are computed (C11)."""

    start_hour: int
    end_hour: int

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies inside."""
        return self.start_hour <= instant.hour < self.end_hour

    def __str__(self) -> str:
        """`13:00-23:00 UTC`."""
        return f"{self.start_hour:02}:00-{self.end_hour:02}:00 UTC"


def selection_name(databases: Sequence[str], *, catalog: Sequence[str]) -> str:
    """The short name of a choice of databases in documents and branches: `all`, `customers_feed`, `17_4f1d20aa`."""
    if set(databases) == set(catalog):
        return ALL
    if len(databases) <= NAMED_AT_MOST:
        return "_".join(sorted(databases))
    digest = hashlib.sha256(" ".join(sorted(databases)).encode()).hexdigest()
    return f"{len(databases)}_{digest[:8]}"


def branch_name(*, transaction: str, started_at: datetime, selection: str) -> str:
    """`log-cache/2018-05-24-1c7be4a9`, with the selection behind it when it is not the whole catalog.

    A partial refresh is a candidate of its own: it never moves the branch of the whole one.
    """
    whole = f"log-cache/{started_at:%Y-%m-%d}-{transaction[:8]}"
    return whole if selection == ALL else f"{whole}-{selection}"


def plan_refresh(
    *,
    chosen: Transaction,
    databases: Sequence[DatabaseDefinition],
    active: LogCacheMap,
    base_sha: str,
    published: Publication | None,
) -> Refresh | Wait:
    """Level, not edge: due while the newest good transaction is neither active nor proposed on today's base."""
    instances = [instance for database in databases for instance in database.instances]
    names = tuple(database.database for database in databases)
    if all(_is_active(instance, active, chosen.id) for instance in instances):
        return Wait(reason=f"the active map already points to transaction {chosen.id}, the newest good nightly run")
    if published and published.base_sha == base_sha:
        return Wait(
            reason=f"transaction {chosen.id}, the newest good nightly run, is already proposed in "
            f"pull request #{published.number} ({published.url})"
        )
    return Refresh(transaction=chosen.id, databases=names, base_sha=base_sha)


def _is_active(instance: Instance, active: LogCacheMap, transaction: str) -> bool:
    entry = entry_of(active, instance)
    return entry is not None and entry.transaction == transaction
