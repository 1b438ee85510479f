"""The ports travel to workers, and no credential travels with them."""

import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest

from logcache_assets.connect import connect
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment
from logcache_assets.local_platform.world import World
from logcache_assets.settings import PII_KEY_VARIABLE, Settings
from logcache_tests.elsewhere import answer_elsewhere

NOW = datetime(2018, 5, 28, 14, 20, 23, tzinfo=UTC)
FEED_S0 = Instance(database="feed", prototype="s0")
KEY = "an invented key of tests"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a date and an index item, and a key in the settings."""
    monkeypatch.setenv(PII_KEY_VARIABLE, KEY)
    world = World(Settings(home=str(tmp_path), pii_key=KEY))
    world.clock.set(NOW)
    world.segment_items.put([SEGMENT])
    return world


SEGMENT = Segment(
    instance=FEED_S0,
    path="s3://bucket/1213-1225.avro",
    initial_t=1217,
    last_batch_t=1213,
    last_t=1225,
    requested_range="[1217 1226)",
    timestamp_ms=int(NOW.timestamp() * 1000),
)


def test_ports_answer_in_another_process(world: World) -> None:
    """Pickled and used elsewhere: the date, and the index."""
    ports = connect(world.settings)

    assert answer_elsewhere(ports.clock.now) == NOW
    assert answer_elsewhere(ports.segment_index.segments, FEED_S0) == (SEGMENT,)


def test_no_port_holds_the_key(world: World) -> None:
    """Neither what is sent to a worker nor what is printed; child processes inherit the variable."""
    ports = connect(world.settings)

    assert KEY.encode() not in pickle.dumps(ports)
    assert KEY not in repr(ports)


def test_settings_are_pickled_without_the_key(world: World) -> None:
    """Who unpickles them takes the key from the environment of its own."""
    pickled = pickle.dumps(world.settings)

    assert KEY.encode() not in pickled
    assert pickle.loads(pickled) == world.settings  # noqa: S301 - our own bytes
