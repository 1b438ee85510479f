"""Where work of several steps is done, and who listens."""

from dataclasses import dataclass

from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.drivers.progress import OnProgress, ignore
from logcache_assets.ports import ObjectStore, Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A store, a driver, and two who listen."""

    store: ObjectStore
    """Where logs, caches and tables lie."""
    driver: Driver
    warn: Tell
    """Told of caches that were passed over, and of attributes that no instance has."""
    progress: OnProgress = ignore
