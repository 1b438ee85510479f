"""Both days of a database's contracts, and the logs that explain their differences."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition, contract_tables
from logcache_assets.domain.instances import Instance
from logcache_assets.engine.compare.contract_files import Table
from logcache_assets.engine.compare.planning import BUCKET_ROWS
from logcache_assets.engine.log.log_op import CachePolicy, LogSource

NO_KEY = b"without the deployment's key"
"""Used where the deployment's key is missing: equal values still have equal hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """The logs that explain the differences of a database's contracts."""

    sources: tuple[LogSource, ...]
    """One per instance, up to today's t; a cache that ends after yesterday's t is not used."""
    after: Mapping[Instance, int]
    """Instance → yesterday's t; an instance that is missing had no log yesterday."""
    reextracted: frozenset[Instance] = frozenset()
    """Instances with a segment up to yesterday's t that was extracted again since."""
    former: DatabaseDefinition | None = None
    """Yesterday's definition, if it may differ from today's."""
    pii_key: bytes | None = None
    """The deployment's key of personal data; without it the hashes of new values are not verified."""
    policy: CachePolicy = CachePolicy.FALLBACK

    def after_t(self, instance: Instance) -> int:
        """Yesterday's t of an instance; 0 if it had no log."""
        return self.after.get(instance, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPair:
    """Both days of a database's contracts, and how to compare them."""

    definition: DatabaseDefinition
    """Today's definition."""
    yesterday: Mapping[str, Table]
    """Dataset → its table; only datasets that both days have are compared."""
    today: Mapping[str, Table]
    logs: Logs | None
    """None if the logs are not known; every difference is then unexplained."""
    token_key: bytes
    tolerances: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Dataset → floating point column → absolute tolerance."""
    bucket_rows: int = BUCKET_ROWS
    """About how many rows of one day are compared at once; memory grows with it."""
    new_datasets: frozenset[str] = frozenset()
    """Datasets that yesterday's definition did not declare; their table of yesterday has no rows."""

    @property
    def tables(self) -> tuple[ContractTable, ...]:
        """Contracts that both days have, in the order of the definition."""
        both = self.yesterday.keys() & self.today.keys()
        return tuple(table for table in contract_tables(self.definition) if table.dataset in both)
