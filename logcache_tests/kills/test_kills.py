"""A refresh may be killed at any line: run again, it ends as one that was never killed.

All processes of a world are killed, at every boundary of a stage and at seeded instants. `make test-kills` runs it.
"""

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from logcache_assets.adapters.home_lock import is_held
from logcache_assets.connect import connect
from logcache_assets.domain.locations import ATTEMPTS, BEGUN_RUNS, Stage
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_assets.refresh.publish import publisher_of
from logcache_tests.conftest import built_once, copied, silent
from logcache_tests.kills.killing import Ended, refresh_world
from logcache_tests.kills.small_data import write_small_data
from logcache_tests.worlds import files_of, settings_at

pytestmark = pytest.mark.kills

SEED = 20180528
TRIES = 2
"""How often a killed refresh is run again at most."""
BOUNDARIES = (ATTEMPTS, BEGUN_RUNS, *Stage)
"""Folders of documents; a stage ends with one."""


@dataclass(frozen=True)
class EndState:
    """What a refresh leaves behind."""

    caches: Mapping[str, bytes]
    """Every file of a cached log."""
    proposed_map: str
    requests: tuple[tuple[int, str, str], ...]
    """Number, state and branch of every pull request."""
    base: str | None
    running: tuple[str, ...]
    """Contracts that stand in the way of publishing."""
    leftovers: tuple[str, ...]
    """Unfinished files."""
    is_locked: bool


def end_state(world: World) -> EndState:
    """Read everything that must not depend on kills."""
    bucket = world.buckets / world.settings.permanent_bucket / "cache"
    requests = tuple(world.repository.open_pull_requests())
    return EndState(
        caches={name: content for name, content in files_of(bucket).items() if not name.startswith("_")},
        proposed_map=world.repository.read(MAP_PATH, ref=requests[0].branch) if requests else "",
        requests=tuple((request.number, request.state, request.branch) for request in requests),
        base=world.repository.head("main"),
        running=publisher_of(connect(world.settings), world.settings).find_readers().running,
        leftovers=tuple(find_leftovers(world)),
        is_locked=is_held(world.home),
    )


def find_leftovers(world: World) -> Iterator[str]:
    """Files that a write leaves behind when it is killed."""
    for path in world.home.rglob("*"):
        inside = path.relative_to(world.home)
        if path.is_file() and any(part.startswith(".") for part in inside.parts) and "itaipu.git" not in inside.parts:
            yield str(inside)


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


def run_again(world: World) -> Ended:
    """Run the command until it succeeds, a few times at most."""
    for _ in range(TRIES):
        ended = refresh_world(world)
        if ended.exit_code == 0:
            break
    return ended


def require_same_end(world: World, expected: EndState, kill_when: Callable[[float], bool]) -> None:
    """Kill a refresh, run it again, and compare the end with that of one that was never killed."""
    killed = refresh_world(world, kill_when=kill_when)
    ended = run_again(world)

    assert killed.exit_code in {-9, 0}, killed.told
    assert ended.exit_code == 0, ended.told
    assert "Traceback" not in ended.told
    assert end_state(world) == expected
    shutil.rmtree(world.home)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_killed_as_soon_as_a_document_is_there(
    small_template: Path, unkilled: tuple[EndState, float], tmp_path: Path, boundary: str
) -> None:
    """Between a stage's document and Dagster's own record of the stage, and wherever the kill falls after it."""
    world = copied(small_template, tmp_path / "home")
    refreshes = world.buckets / world.settings.permanent_bucket / "cache" / "_refresh"

    require_same_end(world, unkilled[0], lambda _: any(refreshes.glob(f"*/{boundary}/*.json")))


def test_killed_at_seeded_instants(
    small_template: Path, unkilled: tuple[EndState, float], tmp_path: Path, instant: float
) -> None:
    """At any time from its start to its end."""
    world = copied(small_template, tmp_path / "home")
    after = instant * unkilled[1]

    require_same_end(world, unkilled[0], lambda passed: passed >= after)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """As many instants as `--kills` says, each a share of the time that a whole refresh takes."""
    if "instant" in metafunc.fixturenames:
        shares = random.Random(SEED)  # noqa: S311 - a seeded choice
        metafunc.parametrize("instant", [shares.random() for _ in range(metafunc.config.getoption("--kills"))])
