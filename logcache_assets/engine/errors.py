"""The base class of the engine's errors."""

from logcache_assets.errors import LogCacheError


class EngineError(LogCacheError):
    """The engine cannot compute a correct result from its input; each kind of failure is a subclass."""
