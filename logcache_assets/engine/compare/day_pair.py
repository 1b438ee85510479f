"""Both days of a database's contracts, and the logs that explain what differs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from logcache_assets.domain.definitions import ContractTable, DatabaseDefinition, contract_tables
from logcache_assets.domain.instances import Instance
from logcache_assets.engine.compare.comparison import (
    BUCKET_ROWS,
)
from logcache_assets.engine.compare.contract_files import Table
from logcache_assets.engine.log.log_op import CachePolicy, LogSource

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

    def after_t(self, instance: Instance) -> int:
        """Yesterday's t of an instance."""
        return self.after.get(instance, 0)


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
