"""What the segment index alone says against refreshing a database, before anything is exported or copied."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.segments import Segment, find_chain_faults, find_stale_segments, newest_t
from logcache_assets.domain.soundness import stale_problem


def screen_instance(
    instance: Instance, segments: Sequence[Segment], *, night_began_at: datetime, active: MapEntry | None
) -> Iterator[Problem]:
    """Yield what would refuse the instance's new cache later (C1, C2, C3, C7).

    The night's last t is not known yet. It is at least that of the newest segment that was there when the night began,
    so a segment that was extracted again since, and ends at or below that t, makes the night's log outdated.

    Args:
        instance: of the refresh.
        segments: all of its index.
        night_began_at: when the nightly run began to read segments.
        active: its entry in the active map; None if it has none that proves anything.
    """
    cached_t = active.last_t if active else 0
    yield from find_chain_faults(segments, after_t=cached_t)
    read_t = newest_t(segment for segment in segments if segment.extracted_at <= night_began_at)
    if stale := find_stale_segments(segments, cached_until_t=max(read_t, cached_t), source_read_at=night_began_at):
        yield stale_problem(instance.name, stale)
