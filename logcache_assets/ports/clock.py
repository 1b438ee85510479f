"""The present instant of the platform."""

from abc import ABC, abstractmethod
from datetime import datetime

from logcache_assets.errors import BadInput, LogCacheError, Unavailable


class ClockError(LogCacheError):
    """Base of the clock's errors; one of its subclasses is raised."""


class ClockUnavailable(ClockError, Unavailable):
    """The clock could not answer."""


class ClockWrongData(ClockError, BadInput):
    """The clock's answer is no instant."""


class Clock(ABC):
    """Tells the time of the platform that the other ports belong to."""

    @abstractmethod
    def now(self) -> datetime:
        """The present instant, UTC; raises ClockError."""
