"""A refresh may be killed at any line: run again, it ends as one that was never killed.

All processes of a world are killed, at every boundary of a stage and at seeded instants. `make test-kills` runs it.
"""

from pathlib import Path

import pytest

from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_tests.conftest import built_once, copied, silent
from logcache_tests.kills.end_state import BOUNDARIES, EndState, end_state, has_document, require_same_end
from logcache_tests.kills.killing import refresh_world
from logcache_tests.kills.small_data import write_small_data
from logcache_tests.worlds import settings_at

pytestmark = pytest.mark.kills

SEED = 20180528


@pytest.fixture(scope="session")
def small_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a small world, ready for a refresh."""

    def build(home: Path) -> None:
        write_small_data(home.parent / "data")
        build_world(World(settings_at(home)), home.parent / "data", silent)

    return built_once(tmp_path_factory, "small", build)


@pytest.fixture(scope="session")
def unkilled(small_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[EndState, float]:
    """The end of a refresh that nobody killed, and how long it took."""
    world = copied(small_template, tmp_path_factory.mktemp("unkilled") / "home")
    ended = refresh_world(world)
    assert ended.exit_code == 0, ended.told
    return end_state(world), ended.seconds


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_killed_as_soon_as_a_document_is_there(
    small_template: Path, unkilled: tuple[EndState, float], tmp_path: Path, boundary: str
) -> None:
    """Between a stage's document and Dagster's own record of the stage, and wherever the kill falls after it."""
    world = copied(small_template, tmp_path / "home")

    require_same_end(world, unkilled[0], lambda _: has_document(world, boundary))


def test_killed_at_seeded_instants(
    small_template: Path, unkilled: tuple[EndState, float], tmp_path: Path, instant: float
) -> None:
    """At any time from its start to its end."""
    world = copied(small_template, tmp_path / "home")
    after = instant * unkilled[1]

    require_same_end(world, unkilled[0], lambda passed: passed >= after)
