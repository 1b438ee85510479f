"""Decides whether a refresh is due: it is if the newest good night is neither active nor proposed."""

from collections.abc import Sequence
from dataclasses import dataclass

from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.documents import Publication
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.domain.transactions import Transaction


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
        """Identifies the refresh: the same transaction on the same base commit is requested only once."""
        return f"{self.transaction}:{self.base_sha}"


def plan_refresh(
    *,
    chosen: Transaction,
    databases: Sequence[DatabaseDefinition],
    active: LogCacheMap,
    base_sha: str,
    published: Publication | None,
) -> Refresh | Wait:
    """Plan a refresh for as long as the newest good transaction is neither active nor proposed.

    The answer depends on the current state alone, so a refresh that failed or a run that was missed is planned again.
    """
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
