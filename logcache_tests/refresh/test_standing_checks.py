"""What stands of a published cache: every accident reddens the one check that names it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from logcache_assets.catalog import load_catalog
from logcache_assets.connect import connect
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.domain.standing import Finding, StandingCheck, find_due
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.standing_checks import StandingInspector
from logcache_tests.worlds import path_of

FEED = parse_instance("feed-s0")


@pytest.fixture
def published_world(refreshed_feed_world: World) -> World:
    """A small world whose refresh was merged."""
    refreshed_feed_world.repository.merge(1)
    return refreshed_feed_world


def findings(world: World) -> dict[str, Finding]:
    """What the standing checks find of feed."""
    ports = connect(world.settings)
    inspector = StandingInspector(
        store=ports.store,
        segment_index=ports.segment_index,
        repository=ports.repository,
        clock=ports.clock,
        settings=world.settings,
    )
    return {finding.check.value: finding for finding in inspector.inspect(load_catalog(world.catalog))}


def active_t(world: World) -> int:
    """Where the published cache of feed-s0 ends."""
    return read_base_map(world.repository).entries["s0"]["feed"].last_t


def excise(world: World) -> None:
    """Extract a segment again that the cache holds."""
    old = next(s for s in world.segment_index.segments(FEED) if s.last_t <= active_t(world))
    world.segment_items.put([replace(old, timestamp_ms=int(world.clock.now().timestamp() * 1000))])


def lose_segment(world: World) -> None:
    """Take the first segment beyond the cache out of the index."""
    beyond = world.segment_index.segments(FEED, after_t=active_t(world))
    world.segment_items.remove(FEED, beyond[0].last_t)


def remove_file(world: World) -> None:
    """Remove a file of the published cache."""
    listed = world.store.list_data(read_base_map(world.repository).entries["s0"]["feed"].log)
    path_of(world, next(item.uri for item in listed)).unlink()


def let_it_age(world: World) -> None:
    """Let eight days pass in which nothing is published."""
    world.clock.set(world.clock.now() + timedelta(days=8))


def test_a_sound_cache_passes_every_check(published_world: World) -> None:
    """Nothing is due, and every check says what it saw, with figures that can be plotted."""
    found = findings(published_world)

    assert list(found) == [check.value for check in StandingCheck]
    assert [name for name, finding in found.items() if not finding.passed] == []
    assert find_due(found.values()) is None
    assert found["files_intact"].figures["files"] > 0
    assert found["segments_complete"].figures["gaps"] == 0
    assert found["fresh_enough"].figures["age_days"] > 0


@pytest.mark.parametrize(
    ("accident", "check", "code", "is_due"),
    [
        pytest.param(excise, "personal_data_current", "C7", True, id="a segment is extracted again"),
        pytest.param(lose_segment, "segments_complete", "C1", False, id="the index has a gap"),
        pytest.param(remove_file, "files_intact", "C13", True, id="a file is gone"),
        pytest.param(let_it_age, "fresh_enough", None, True, id="a week passes"),
    ],
)
def test_an_accident_reddens_its_own_check(
    published_world: World, accident: Callable[[World], None], check: str, code: str | None, *, is_due: bool
) -> None:
    """One check fails, the others pass; a refresh is due where a new cache helps, and the sentence says for what."""
    accident(published_world)

    found = findings(published_world)

    assert [name for name, finding in found.items() if not finding.passed] == [check]
    assert {problem.code for problem in found[check].problems} == {code}
    assert found[check].makes_refresh_due == is_due
    due = find_due(found.values())
    assert (due is not None) == is_due
    assert due is None or due.partition("feed-s0: ")[0] in (
        f"the published cache fails {check} of feed: ",
        f"the published cache fails {check} of feed: 2 problems, first ",
    )


def test_several_problems_are_counted_before_the_first(published_world: World) -> None:
    """So the sentence ends with what is to be done, which an alert repeats."""
    let_it_age(published_world)

    sentence = findings(published_world)["fresh_enough"].sentence

    assert sentence.startswith("2 problems, first feed-s0: its cache was read 9 days ago")
    assert sentence.endswith("; refresh it: logcache refresh")


def test_of_a_malformed_map_nothing_passes(published_world: World) -> None:
    """What cannot be read is not empty: every check fails with the same sentence, and no refresh would help."""
    published_world.repository.commit_to_base({MAP_PATH: "{}}"}, "Edit the map")

    found = findings(published_world)

    assert {finding.sentence for finding in found.values()} == {found["map_canonical"].sentence}
    assert "is not JSON" in found["map_canonical"].sentence
    assert not any(finding.passed or finding.makes_refresh_due for finding in found.values())
