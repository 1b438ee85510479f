"""Opens the configured platform for a command."""

from logcache_assets.connect import connect, require_platform
from logcache_assets.ports import Ports
from logcache_assets.settings import Settings


def open_platform(settings: Settings) -> Ports:
    """Return the ports of the configured platform; raises BadInput if it does not exist yet."""
    require_platform(settings)
    return connect(settings)
