"""What the engine's work of several steps needs to run."""

from dataclasses import dataclass

from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.drivers.progress import OnProgress, ignore
from logcache_assets.ports import ObjectStore, Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Store, driver, and warning and progress callbacks."""

    store: ObjectStore
    """Holds logs, caches and tables."""
    driver: Driver
    warn: Tell
    """Called for each cache that was not used, and each attribute that no instance has."""
    progress: OnProgress = ignore
