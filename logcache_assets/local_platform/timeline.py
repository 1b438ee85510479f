"""The times of the local world: nights at 00:30 UTC, days at 14:00 UTC, inside the publish window.

The dates come from the segments' own timestamps, so that expiry, freshness and staleness are realistic.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from logcache_assets.domain.segments import Segment

NIGHT = time(0, 30, tzinfo=UTC)
"""When the nightly run begins to read segments."""
COMMITTED = timedelta(hours=2)
"""How long after its start the run's datasets are committed."""
MORNING = time(13, 30, tzinfo=UTC)
"""The time of the clock after a night."""
DAY = time(14, 0, tzinfo=UTC)
"""When a day's segments are delivered."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def newest_extraction(segments: Iterable[Segment]) -> datetime:
    """The instant at which the newest of these segments was extracted."""
    return max((segment.extracted_at for segment in segments), default=EARLIEST)


def next_at(instant: datetime, hour: time) -> datetime:
    """The first instant with this time of day strictly after an instant."""
    today = datetime.combine(instant.date(), hour)
    return today if today > instant else today + timedelta(days=1)


def last_at_or_before(instant: datetime, hour: time) -> datetime:
    """The last instant with this time of day at or before an instant."""
    today = datetime.combine(instant.date(), hour)
    return today if today <= instant else today - timedelta(days=1)


def plan_night(*, before: Iterable[Segment], delivered_next: Iterable[Segment]) -> datetime:
    """The last night before the newest extraction of the next delivery, but after the extraction of `before`.

    Extractors lag: a day may deliver segments that were extracted well before a night that did not see them.
    """
    earliest = next_at(newest_extraction(before), NIGHT)
    return max(earliest, last_at_or_before(newest_extraction(delivered_next), NIGHT))
