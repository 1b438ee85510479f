"""What a command needs before it can ask the platform anything."""

from logcache_assets.connect import connect, require_platform
from logcache_assets.ports import Ports
from logcache_assets.settings import Settings


def open_platform(settings: Settings) -> Ports:
    """The ports of the configured platform; raises BadInput when it does not exist yet."""
    require_platform(settings)
    return connect(settings)
