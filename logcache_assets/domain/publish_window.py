"""The hours of the day in which a refresh may be published."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishWindow:
    """Hours of the day, UTC, in which no contracts are computed (C11)."""

    start_hour: int
    end_hour: int

    def holds(self, instant: datetime) -> bool:
        """True if an instant is inside the window, whose end is exclusive."""
        return self.start_hour <= instant.hour < self.end_hour

    def __str__(self) -> str:
        """`13:00-23:00 UTC`."""
        return f"{self.start_hour:02}:00-{self.end_hour:02}:00 UTC"
