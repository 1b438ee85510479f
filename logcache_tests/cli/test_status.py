"""`logcache status` after a refresh: the candidate, its verdict, and what is in the way of publishing it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.cli import refresh, status
from logcache_assets.domain.instances import parse_instance
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import run_day, run_night
from logcache_assets.ports import StoredObject
from logcache_assets.ports.metapod import MetapodUnavailable
from logcache_tests.conftest import silent


def obstacles_shown(world: World) -> list[str]:
    """What a person reads after `in the way of publishing it: `."""
    lines = status.render(status.run(world.settings))
    return [said for line in lines if (said := line.partition("in the way of publishing it: ")[2])]


def test_status_says_what_is_in_the_way_of_publishing(refreshed_world: World) -> None:
    """A validated candidate may be published until night falls; then its requirement is told, with what to do."""
    (shown,) = refreshed_world.repository.open_pull_requests()
    refreshed_world.repository.close(shown.number, comment="Not today")
    by_day = obstacles_shown(refreshed_world)
    refreshed_world.clock.set(refreshed_world.clock.now() + timedelta(hours=11))

    (by_night,) = obstacles_shown(refreshed_world)

    assert by_day == []
    assert by_night.startswith("it is ")
    assert by_night.endswith(
        " UTC, outside the publish window 13:00-23:00 UTC (C11); wait until it opens, "
        "when the sensor proposes what is ready, or call `logcache refresh` then"
    )


def test_nothing_is_in_the_way_of_what_is_proposed(refreshed_world: World) -> None:
    """Its pull request is open; what concerns that is told with it, and the base branch may move beside it."""
    refreshed_world.clock.set(refreshed_world.clock.now() + timedelta(hours=11))
    refreshed_world.repository.commit_to_base({"docs/README.md": "new"}, "Edit")

    assert obstacles_shown(refreshed_world) == []


def test_status_is_there_while_metapod_is_out(refreshed_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The active caches and the alerts do not need it; what does says so."""

    def out(*_: object, **__: object) -> None:
        raise MetapodUnavailable("metapod did not answer the query 'transactions': 503")

    for method in ("transactions", "transaction"):
        monkeypatch.setattr(GraphQLMetapod, method, out)

    found = status.run(refreshed_world.settings)

    assert found.next == "metapod did not answer the query 'transactions': 503"
    assert [instance.instance for instance in found.instances] == ["customers-global", "customers-s0"] + [
        f"{name}-{prototype}" for name in ("double-entry", "feed") for prototype in ("s0", "s1")
    ]
    (shown,) = found.pull_requests
    assert shown.obstacles == [f"whether it may be is not known: {found.next}"]


@pytest.mark.parametrize("across", [False, True], ids=["within the cache", "across its end"])
def test_status_tells_that_an_active_cache_is_stale(feed_world: World, *, across: bool) -> None:
    """A segment that holds t of it was extracted again (C7); before that nothing is said."""
    index, feed = feed_world.segment_index, parse_instance("feed-s0")
    before = status.run(feed_world.settings)
    active_t = next(found.active_t for found in before.instances if found.instance == "feed-s0")
    segment = next(s for s in index.segments(feed) if (s.last_batch_t >= active_t) == across)
    begins = segment.last_batch_t - 1 if across else segment.last_batch_t
    again = replace(segment, last_batch_t=begins, timestamp_ms=int(feed_world.clock.now().timestamp() * 1000))
    feed_world.segment_items.put([again])

    after = list(status.render(status.run(feed_world.settings)))

    assert [found.stale for found in before.instances] == [None, None]
    (told,) = [line for line in after if "the active cache of" in line]
    assert told.startswith("  the active cache of feed-s0: 1 segment with t that the cache holds was extracted again")
    assert "(C7)" in told


def test_every_open_candidate_has_its_own_pull_request(refreshed_world: World) -> None:
    """After a whole refresh and a later partial one both are shown, each t below the number that proposes it."""
    run_night(refreshed_world, tell=silent)
    run_day(refreshed_world)
    refresh.run(refreshed_world.settings, databases=("feed",), transaction=None, dry_run=False, say=silent)

    result = status.run(refreshed_world.settings)
    lines = list(status.render(result))

    partial, whole = result.candidates
    assert partial.pull_request is not None
    assert whole.pull_request is not None
    assert (partial.pull_request.number, whole.pull_request.number) == (2, 1)
    assert set(partial.proposed_t) == {"feed-s0", "feed-s1"}
    assert set(whole.proposed_t) > set(partial.proposed_t)
    assert whole.proposed_t["feed-s0"] < partial.proposed_t["feed-s0"]
    assert "t of #2" in lines[2]
    assert lines[2].index("t of #2") < lines[2].index("t of #1")
    assert lines.index(f"  Pull request #2, open: {partial.pull_request.url}") < lines.index(
        f"  Pull request #1, open: {whole.pull_request.url}"
    )


def stored(name: str, *, day: int) -> StoredObject:
    """An object that was modified on a day of May 2018."""
    return StoredObject(uri=f"s3://b/{name}", size_bytes=1, etag="e", modified_at=datetime(2018, 5, day, tzinfo=UTC))


def test_the_newest_objects_are_those_of_the_last_instant() -> None:
    """Several may share it, wherever they are listed; of no objects there is none."""
    listed = [stored("a", day=3), stored("b", day=5), stored("c", day=4), stored("d", day=5)]

    assert status.find_newest(listed) == (listed[1], listed[3])
    assert status.find_newest([]) == ()
