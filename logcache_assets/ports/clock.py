"""The time of the world that the other ports show."""

from abc import ABC, abstractmethod
from datetime import datetime


class Clock(ABC):
    """What time it is in the world that the other ports show."""

    @abstractmethod
    def now(self) -> datetime:
        """The present instant, UTC."""
