"""The present instant of the platform."""

from abc import ABC, abstractmethod
from datetime import datetime


class Clock(ABC):
    """Tells the time of the platform that the other ports belong to."""

    @abstractmethod
    def now(self) -> datetime:
        """The present instant, UTC."""
