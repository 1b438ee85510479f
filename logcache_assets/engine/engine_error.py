"""The base class of the engine's errors."""

from logcache_assets.errors import WrongData


class EngineError(WrongData):
    """The engine cannot compute a correct result from its input; each kind of failure is a subclass."""
