"""Obstacles to publishing the newest candidate, found in the current state of the world."""

import subprocess
from collections.abc import Callable
from datetime import timedelta

import pytest

from logcache_assets.cli.status import newest_candidate
from logcache_assets.connect import connect
from logcache_assets.domain.documents import Candidate
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.publish import find_obstacles


def candidate_of(world: World) -> Candidate:
    """The candidate of the world's one refresh."""
    candidate = newest_candidate(world.settings, connect(world.settings))
    assert candidate is not None
    return candidate


def obstacles_of(world: World) -> list[str]:
    """The obstacles to publishing that candidate."""
    return [str(p) for p in find_obstacles(candidate_of(world), ports=connect(world.settings), settings=world.settings)]


def leave_everything(_world: World) -> None:
    """Nothing changes."""


def merge(world: World) -> None:
    """The pull request is merged, and night falls."""
    branch = candidate_of(world).branch
    world.repository.commit_to_base({MAP_PATH: world.repository.read(MAP_PATH, ref=branch)}, "Merge")
    world.clock.set(world.clock.now() + timedelta(hours=11))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(leave_everything, id="a validated candidate"),
        pytest.param(merge, id="a candidate that is merged, whatever else holds"),
    ],
)
def test_nothing_is_in_the_way(refreshed_world: World, change: Callable[[World], None]) -> None:
    """Of a candidate that may be published now, or that is published."""
    change(refreshed_world)

    assert obstacles_of(refreshed_world) == []


def leave_window(world: World) -> None:
    """Night falls."""
    world.clock.set(world.clock.now() + timedelta(hours=11))


def delete_branch(world: World) -> None:
    """Somebody deletes the candidate's branch, as hosts of git do after a merge."""
    git = ["git", "--git-dir", str(world.home / "itaipu.git"), "update-ref", "-d"]
    subprocess.run([*git, f"refs/heads/{candidate_of(world).branch}"], check=True)


def move_base(world: World) -> None:
    """Somebody else merges first."""
    world.repository.commit_to_base({"README.md": "hello\n"}, "Say hello")


def damage_copy(world: World) -> None:
    """A copied file is cut short."""
    manifest = next(change.log.manifest for change in candidate_of(world).changes if change.instance == "feed-s0")
    uri = next(u for u in world.store.list_uris(manifest.removesuffix("manifest.json")) if "/log/" in u)
    world.store.write(uri, world.store.read(uri)[:1000])


def delete_verdict(world: World) -> None:
    """The verdict is gone."""
    candidate = candidate_of(world)
    uri = world.settings.locations.verdict(transaction=candidate.transaction, selection=candidate.selection)
    world.store.path_of(uri).unlink()


def delete_test_run(world: World) -> None:
    """The test run's document is gone."""
    candidate = candidate_of(world)
    uri = world.settings.locations.test_run(transaction=candidate.transaction, version=candidate.version)
    world.store.path_of(uri).unlink()


@pytest.mark.parametrize(
    ("change", "beginnings"),
    [
        pytest.param(leave_window, ("it is ",), id="outside the window"),
        pytest.param(move_base, ("the base branch moved from ",), id="the base moved"),
        pytest.param(delete_branch, ("the branch ", "the map "), id="the branch is deleted"),
        pytest.param(damage_copy, ("feed-s0: s3://",), id="a damaged copy"),
        pytest.param(delete_verdict, ("the verdict is not approved: none", "the verdict is of no"), id="no verdict"),
        pytest.param(delete_test_run, ("no test run of the candidate",), id="no test run"),
    ],
)
def test_whatever_is_in_the_way_is_told(
    refreshed_world: World, change: Callable[[World], None], beginnings: tuple[str, ...]
) -> None:
    """The same problems that would refuse the pull request, each with what to do."""
    change(refreshed_world)

    obstacles = obstacles_of(refreshed_world)

    assert len(obstacles) == len(beginnings)
    assert all(map(str.startswith, obstacles, beginnings))
