"""Opens the configured platform for a command."""

from logcache_assets.connect import connect, require_platform
from logcache_assets.ports import Ports
from logcache_assets.settings import Settings


def open_platform(settings: Settings) -> Ports:
    """Return the ports of the configured platform; raises BadInput if it does not exist yet."""
    require_platform(settings)
    return connect(settings)


def open_store(settings: Settings) -> Ports:
    """As `open_platform`, for a command that uses the object store and the clock alone: real ones need no world."""
    if (settings.store, settings.clock) == ("s3", "system"):
        return connect(settings)
    return open_platform(settings)


def open_to_judge(settings: Settings) -> Ports:
    """As `open_platform`, for a command that judges a merge: it starts neither a notebook nor a test run."""
    asked = (settings.store, settings.segment_index, settings.metapod, settings.repository, settings.clock)
    return open_platform(settings) if "local" in asked else connect(settings)
