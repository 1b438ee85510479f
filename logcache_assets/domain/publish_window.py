"""The hours of the day in which a refresh may be published."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishWindow:
    """Hours of the day, UTC, in which no contracts are computed (C11)."""

    start_hour: int
    end_hour: int

    def holds(self, instant: datetime) -> bool:
        """True if an instant is inside the window, whose end is exclusive."""
        return self.start_hour <= instant.hour < self.end_hour

    def opens_after(self, instant: datetime) -> datetime:
        """When the window next opens after an instant outside it."""
        today = instant.replace(hour=self.start_hour, minute=0, second=0, microsecond=0)
        return today if today > instant else today + timedelta(days=1)

    def __str__(self) -> str:
        """`13:00-23:00 UTC`."""
        return f"{self.start_hour:02}:00-{self.end_hour:02}:00 UTC"
