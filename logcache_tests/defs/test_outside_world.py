"""The world above a refresh: shown from metadata, without a circle, and only when something is new."""

from collections.abc import Mapping
from datetime import timedelta

import dagster as dg

from logcache_assets.domain.instances import parse_instance
from logcache_assets.local_platform.world import World
from logcache_tests.defs.test_published_caches import Ticks, said, shown
from logcache_tests.worlds import definitions_of

FEED = parse_instance("feed-s0")
CHAIN = [
    "itaipu/log_cache_map",
    "active_cache/feed",
    "raw_datasets/feed",
    "log_export/feed",
    "permanent_log/feed",
    "log_cache_candidate",
    "itaipu_test_run",
    "contract/feed/accounts",
    "contract_inventory",
    "validation_report",
    "log_cache_pull_request",
    "log_cache/feed",
]
"""From the map that a night read to the cache that is published, in this order."""


def rows_of(shown_value: object) -> list[Mapping[str, object]]:
    """The rows of a table in metadata."""
    assert isinstance(shown_value, dg.TableMetadataValue)
    return [record.data for record in shown_value.records]


def test_lineage_has_no_circle(feed_world: World) -> None:
    """The keys can be sorted, so Dagit can draw them: every asset comes after what it is made from."""
    graph = definitions_of(feed_world).resolve_asset_graph()

    ordered = [key.to_user_string() for key in graph.toposorted_asset_keys]

    assert [key for key in ordered if key in CHAIN] == CHAIN
    assert ordered.index("segments/feed") < ordered.index("raw_datasets/feed")
    assert ordered.index("nightly_run") < ordered.index("nightly_transaction")
    assert ordered.index("night_contracts/feed") < ordered.index("contract/feed/accounts")


def test_the_world_above_is_shown(refreshed_feed_world: World) -> None:
    """Segments, the night, its datasets and its cache, and the files of the repository, each with its figures."""
    with dg.DagsterInstance.ephemeral() as instance:
        ticks = Ticks(refreshed_feed_world, instance, sensor="outside_world")
        found = ticks.tick()
        idle = ticks.tick()
        segments = shown(instance, dg.AssetKey(["segments", "feed"]))
        night = shown(instance, dg.AssetKey("nightly_run"))
        raw = shown(instance, dg.AssetKey(["raw_datasets", "feed"]))
        active = shown(instance, dg.AssetKey(["active_cache", "feed"]))

    listed = {
        name: refreshed_feed_world.segment_index.segments(parse_instance(name)) for name in ("feed-s0", "feed-s1")
    }
    assert {event.asset_key.path[0] for event in found.asset_events} == {
        "segments",
        "nightly_run",
        "raw_datasets",
        "night_contracts",
        "active_cache",
        "itaipu",
    }
    assert segments["segments"] == sum(map(len, listed.values()))
    assert {name: segments[f"newest_t/{name}"] for name in listed} == {
        n: found[-1].last_t for n, found in listed.items()
    }
    assert [row["instance"] for row in rows_of(segments["instances"])] == list(listed)
    assert night["type"] == "DAILY"
    assert (raw["datasets_committed"], raw["datasets_aborted"]) == (4, 0)
    assert active["read_by"] == night["transaction"] == raw["transaction"]
    assert active["published_now"] == dg.AssetKey(["log_cache", "feed"])
    assert idle.asset_events == []
    assert said(idle) == "Nothing is new above a refresh."


def test_a_log_that_grows_is_counted_on(refreshed_feed_world: World) -> None:
    """The next tick after some hours counts only the newer segments; before that nothing is shown again."""
    index, items = refreshed_feed_world.segment_index, refreshed_feed_world.segment_items
    newest = index.segments(FEED)[-1]
    with dg.DagsterInstance.ephemeral() as instance:
        items.remove(FEED, newest.last_t)
        ticks = Ticks(refreshed_feed_world, instance, sensor="outside_world")
        ticks.tick()
        items.put([newest])
        soon = ticks.tick()
        refreshed_feed_world.clock.set(refreshed_feed_world.clock.now() + timedelta(hours=6))
        later = ticks.tick()
        segments = shown(instance, dg.AssetKey(["segments", "feed"]))

    assert soon.asset_events == []
    assert said(later) == "The logs of 1 instance grew."
    grown = next(row for row in rows_of(segments["instances"]) if row["instance"] == FEED.name)
    assert (grown["segments"], grown["newest_t"]) == (len(index.segments(FEED)), newest.last_t)
    assert segments[f"newest_t/{FEED.name}"] == newest.last_t
