"""The time of this computer."""

from datetime import UTC, datetime

from typing_extensions import override

from logcache_assets.ports import Clock


class SystemClock(Clock):
    """Returns this computer's time in UTC."""

    @override
    def now(self) -> datetime:
        return datetime.now(UTC)
