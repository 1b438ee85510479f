"""An accident is refused where nobody could see it caught."""

import pytest
from msgspec.structs import replace

from logcache_assets.cli import local
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_cache_map import MAP_PATH, entry_of, render_map, with_entries
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.inspect_map import read_base_map

FEED_S0 = parse_instance("feed-s0")
"""The instance that `gap` happens to."""


def activate(world: World, *, last_t: int) -> None:
    """Let the map on main say that the active cache of the instance ends at this t."""
    entries = read_base_map(world.repository).entries
    active = entry_of(entries, FEED_S0)
    assert active is not None
    edited = with_entries(entries, {FEED_S0: replace(active, last_t=last_t)})
    world.repository.commit_to_base({MAP_PATH: render_map(edited)}, "Edit")


def test_a_gap_that_the_active_cache_covers_is_refused(world: World) -> None:
    """Segments that a cache holds are not read, so the refusal says how to get newer ones; nothing is removed."""
    before = world.segment_index.segments(FEED_S0)
    lost = before[-2]
    activate(world, last_t=lost.last_t)

    with pytest.raises(Refused) as refusal:
        local.break_(world.settings, "gap")

    assert str(refusal.value) == (
        f"nobody would notice a gap of feed-s0 at t in ({lost.last_batch_t}, {lost.last_t}], because the active cache "
        f"holds the log up to t {lost.last_t}; let newer segments come with `logcache local day`, or build a new world "
        "with `logcache local reset`"
    )
    assert world.segment_index.segments(FEED_S0) == before


def test_a_gap_just_after_the_active_cache_is_made(world: World) -> None:
    """That segment is the first to be read."""
    before = world.segment_index.segments(FEED_S0)
    activate(world, last_t=before[-2].last_batch_t)

    local.break_(world.settings, "gap")

    assert world.segment_index.segments(FEED_S0) == (*before[:-2], before[-1])
