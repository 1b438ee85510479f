"""`log_cache/<db>`: what is published is written down when it changes, whoever merged it."""

import dagster as dg

from logcache_assets.connect import connect
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.local_platform.world import World
from logcache_tests.worlds import definitions_of

FEED = dg.AssetKey(["log_cache", "feed"])


class Ticks:
    """The sensor, evaluated as the daemon does, with its cursor."""

    def __init__(self, world: World, instance: dg.DagsterInstance, *, sensor: str = "published_caches") -> None:
        self.world, self.instance, self.sensor = world, instance, sensor
        self.cursor: str | None = None

    def tick(self) -> dg.SensorResult:
        """Evaluate it once, and keep what it found as the daemon would."""
        definitions = definitions_of(self.world)
        ports = connect(self.world.settings)
        resources = {
            "store": ports.store,
            "segment_index": ports.segment_index,
            "metapod": ports.metapod,
            "repository": ports.repository,
            "clock": ports.clock,
            "settings": self.world.settings,
        }
        own = definitions.resolve_sensor_def(self.sensor)
        needed = {key: resources[key] for key in own.required_resource_keys}
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor, resources=needed) as context:
            found = own(context)
        assert isinstance(found, dg.SensorResult)
        self.cursor = found.cursor
        for event in found.asset_events:
            self.instance.report_runless_asset_event(event)
        return found


def said(found: dg.SensorResult) -> str:
    """The sentence of a tick."""
    assert isinstance(found.skip_reason, dg.SkipReason)
    return str(found.skip_reason.skip_message)


def shown(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, object]:
    """Metadata of the newest materialization of an asset."""
    event = instance.get_latest_materialization_event(key)
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_a_merge_by_anybody_is_noticed(refreshed_feed_world: World) -> None:
    """The first tick shows what is there; nothing happens, so nothing is told; a merge shows the new cache."""
    repository = refreshed_feed_world.repository
    (pull,) = repository.open_pull_requests()
    with dg.DagsterInstance.ephemeral() as instance:
        ticks = Ticks(refreshed_feed_world, instance)
        first = ticks.tick()
        before = shown(instance, FEED)
        idle = ticks.tick()
        repository.merge(pull.number)

        merged = ticks.tick()
        after = shown(instance, FEED)

    assert [event.asset_key for event in first.asset_events] == [FEED]
    assert idle.asset_events == []
    assert said(idle).startswith("Nothing changed: the base branch is ")
    assert said(idle).endswith(", 1 open pull request would change the map.")
    assert said(merged) == "Pull request #1 was merged; another cache is published of feed."
    assert [event.asset_key for event in merged.asset_events] == [FEED]
    assert after["pull_request"] == "http://127.0.0.1:3080/pull_requests/1"
    assert before["pull_request"] == "none of a refresh's"
    assert after["commit"] != before["commit"]
    assert int(str(after["last_t/feed-s0"])) > int(str(before["last_t/feed-s0"]))
    assert int(str(after["segments_beyond"])) < int(str(before["segments_beyond"]))


def test_what_was_merged_by_hand_closes_its_pull_request(refreshed_feed_world: World) -> None:
    """Somebody committed the proposed map to the base branch: the pull request is closed with a sentence, once."""
    repository = refreshed_feed_world.repository
    (pull,) = repository.open_pull_requests()
    with dg.DagsterInstance.ephemeral() as instance:
        ticks = Ticks(refreshed_feed_world, instance)
        ticks.tick()
        repository.commit_to_base({MAP_PATH: repository.read(MAP_PATH, ref=pull.branch)}, "Take the new caches")

        closed = ticks.tick()
        idle = ticks.tick()

    assert said(closed) == (
        "Pull request #1 is closed: all its caches are published or overtaken; another cache is published of feed."
    )
    assert repository.pull_request(1).state == "closed"
    assert said(idle).startswith("Nothing changed: ")


def test_a_pull_request_of_people_is_only_told(refreshed_feed_world: World) -> None:
    """It is opened, edited and closed by hand: each is a sentence, and nothing is closed or materialized for it."""
    repository = refreshed_feed_world.repository
    (pull,) = repository.open_pull_requests()
    text = repository.read(MAP_PATH, ref=pull.branch)
    base = repository.head(repository.base_branch)
    assert base is not None
    told = []
    with dg.DagsterInstance.ephemeral() as instance:
        ticks = Ticks(refreshed_feed_world, instance)
        ticks.tick()
        repository.commit(branch="by-hand", parent=base, files={MAP_PATH: text}, message="Take the new caches")
        for title in ("By hand", "By hand, once more"):
            repository.propose(branch="by-hand", title=title, body="")
            told.append(said(ticks.tick()))
        repository.close(2, comment="not now")
        last = ticks.tick()

    assert told == ["Pull request #2 was opened.", "Pull request #2 was edited."]
    assert said(last) == "Pull request #2 was closed."
    assert last.asset_events == []
    assert repository.pull_request(1).state == "open"
