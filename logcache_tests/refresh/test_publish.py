"""Obstacles to publishing the newest candidate, found in the current state of the world."""

import subprocess
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from logcache_assets.cli.status import newest_candidate
from logcache_assets.connect import connect
from logcache_assets.domain.documents import Candidate
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_cache_map import MAP_PATH, entry_of, render_map, with_entries
from logcache_assets.local_platform.world import World
from logcache_assets.ports import PullRequest
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.publish import find_evidence, find_obstacles, publisher_of
from logcache_tests.worlds import path_of

FEED_S0 = parse_instance("feed-s0")


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
    path_of(world, uri).unlink()


def delete_test_run(world: World) -> None:
    """The test run's document is gone."""
    candidate = candidate_of(world)
    uri = world.settings.locations.test_run(transaction=candidate.transaction, version=candidate.version)
    path_of(world, uri).unlink()


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


def publish_again(world: World, candidate: Candidate) -> PullRequest:
    """Run the last stage again."""
    publisher = publisher_of(connect(world.settings), world.settings)
    verdict, run = find_evidence(candidate, publisher)
    assert verdict is not None
    assert run is not None
    return publisher.publish(candidate, verdict, run).pull_request


def propose_older(world: World, *, last_t: int) -> int:
    """The pull request of an earlier night's refresh of feed-s0 alone, opened before the world's own."""
    world.repository.close(1, comment="To open it anew.")
    candidate, base = candidate_of(world), read_base_map(world.repository)
    night = "11111111-0000-4000-8000-000000000000"
    entry = entry_of(base.entries, FEED_S0)
    assert entry is not None
    earlier = replace(entry, transaction=night, last_t=last_t)
    text = render_map(with_entries(base.entries, {FEED_S0: earlier}))
    branch = "log-cache/2018-05-01-11111111"
    sha = world.repository.commit(branch=branch, parent=base.sha, files={MAP_PATH: text}, message="Earlier")
    change = replace(next(c for c in candidate.changes if c.instance == "feed-s0"), last_t=last_t)
    older = replace(candidate, transaction=night, branch=branch, sha=sha, changes=(change,))
    uri = world.settings.locations.candidate(transaction=night, selection=candidate.selection)
    Documents(world.store).write(uri, older)
    return world.repository.propose(branch=branch, title="Earlier", body="Evidence\n").number


def test_an_older_pull_request_is_closed_with_a_sentence(refreshed_feed_world: World) -> None:
    """The newer one refreshes the same log caches from a later night; doing it twice says it once."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    older = propose_older(world, last_t=1200)

    newer = publish_again(world, candidate)
    publish_again(world, candidate)

    closed = world.repository.pull_request(older)
    assert [pull.number for pull in world.repository.open_pull_requests()] == [newer.number]
    assert closed.state == "closed"
    assert closed.body == (
        f"Evidence\n\n---\n\nSuperseded by pull request #{newer.number}, which refreshes the same log caches from the "
        f"nightly run {candidate.transaction[:8]}.\n"
    )


def test_a_pull_request_that_goes_further_stays_open(refreshed_feed_world: World) -> None:
    """So does one of people, whatever is on its branch."""
    world, candidate = refreshed_feed_world, candidate_of(refreshed_feed_world)
    further = propose_older(world, last_t=10**9)
    base = str(world.repository.head("main"))
    world.repository.commit(branch="docs", parent=base, files={MAP_PATH: "{"}, message="Garble")
    people = world.repository.propose(branch="docs", title="Docs", body="").number

    newer = publish_again(world, candidate)

    assert {pull.number for pull in world.repository.open_pull_requests()} == {further, people, newer.number}
