"""The base of the engine's errors."""

from logcache_assets.errors import LogCacheError


class EngineError(LogCacheError):
    """The engine cannot give a right answer from what it was given; every reason is a subclass."""
