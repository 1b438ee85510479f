"""Makes the local world's time of the computer's: S3 stamps objects by a clock that nobody sets."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from logcache_assets.errors import BadInput

_WHOLE_SECOND = timedelta(seconds=1)
"""S3 cuts its times to whole seconds, so what it wrote may have been written up to a second later."""


@dataclass(frozen=True, slots=True)
class WorldTimes:
    """Maps an instant of the computer to the date that the world had then.

    Args:
        history: file with a line per date, `<seconds since 1970> <ISO-8601 date>`, ascending; LocalClock writes it.
    """

    history: Path

    def __call__(self, instant: datetime) -> datetime:
        """The world's date at an instant; its first one for what is older."""
        lines = [line.split() for line in self._text().splitlines()]
        if not lines:
            raise BadInput(f"{self.history} has no date; make a world with `logcache local reset`")
        began = [float(seconds) for seconds, _ in lines]
        place = bisect_right(began, (instant + _WHOLE_SECOND).timestamp()) - 1
        return datetime.fromisoformat(lines[max(0, place)][1])

    def _text(self) -> str:
        try:
            return self.history.read_text(encoding="utf-8")
        except OSError as error:
            raise BadInput(
                f"{self.history}: the world's dates cannot be read ({error}); make a world with `logcache local reset`"
            ) from error
