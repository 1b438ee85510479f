"""From settings to ports: the one place that knows which adapter serves which port on which platform."""

from logcache_assets.local_platform.world import World, pii_key
from logcache_assets.ports import Ports
from logcache_assets.settings import Settings


def connect(settings: Settings) -> Ports:
    """The ports of the configured platform; builds plain objects and asks nothing of the world."""
    return World(settings).ports()


def deployment_key(settings: Settings) -> bytes:
    """The key of personal data: of the HMAC in PII columns, and of the tokens in reports."""
    return pii_key(settings)
