"""A whole refresh of a local world whose itaipu repository is on GitHub: a stand-in over the world's own commits."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from logcache_assets.cli import local, refresh
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.domain.merge_status import STATUS_NAME
from logcache_assets.local_platform.world import World
from logcache_assets.settings import Settings
from logcache_tests.conftest import silent
from logcache_tests.refresh.test_judge_merge import excise
from logcache_tests.refresh.test_merge_statuses import tick
from logcache_tests.servers.github.board import Request
from logcache_tests.servers.github.hub import GitHub
from logcache_tests.servers.github.people import RefusedError
from logcache_tests.servers.github.server import served_github
from logcache_tests.worlds import files_of, settings_at


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A world, and its repository on the stand-in."""

    world: World
    github: GitHub
    settings: Settings


@pytest.fixture
def scene(feed_world: World) -> Iterator[Scene]:
    """A small world, ready for a refresh; the base branch requires the status."""
    folder = Path(feed_world.files.repository)
    with served_github(folder, now=feed_world.clock.now) as github:
        github.board.required = [STATUS_NAME]
        audience = {
            "github_labels": "log-cache,data",
            "github_reviewers": "ana",
            "github_team_reviewers": "data-platform",
        }
        variables = {name.removeprefix("LOGCACHE_").lower(): value for name, value in github.variables.items()}
        settings = settings_at(feed_world.home, **variables, **audience, report_url="https://reports.invalid/{key}")
        yield Scene(world=feed_world, github=github, settings=settings)
        assert github.complaints == []


def refreshed(scene: Scene) -> None:
    """Refresh all databases of the scene's world."""
    refresh.run(scene.settings, databases=(), transaction=None, dry_run=False, say=silent)


def active_and_new(body: str | None) -> dict[str, tuple[str, str]]:
    """Instance → the t of its active and of its new cache, by the text of a pull request."""
    rows = [line.strip("| ").split(" | ") for line in (body or "").splitlines() if line.startswith("| feed-")]
    return {row[0]: (row[1], row[2]) for row in rows}


def require_judgeable(scene: Scene, request: Request, *, base: str) -> None:
    """One commit that holds the map alone, the evidence in the text, labels, reviewers and the status."""
    assert (request.state, request.base, request.labels) == ("open", "main", ["log-cache", "data"])
    assert (request.reviewers, request.teams) == (["ana"], ["data-platform"])
    assert "5 of 5 contracts passed every rule" in (request.body or "")
    assert "](https://reports.invalid/cache/_refresh/" in (request.body or "")
    assert scene.github.bare.described(request.head_sha)["parents"] == base
    assert scene.github.bare.text("diff", "--name-only", base, request.head_sha) == MAP_PATH
    status = scene.github.board.newest_statuses(request.head_sha)[STATUS_NAME]
    assert (status.state, status.description) == ("success", "Approved: 5 contracts are as the log says")
    assert status.url
    assert status.url.startswith("https://reports.invalid/cache/_refresh/")


def test_two_nights_are_published_on_github(scene: Scene) -> None:
    """A refresh is proposed and merged, the next night reads its caches, and an excision keeps the second from merging.

    The first is squashed and its branch deleted, as a repository may have it. Nothing is pushed by the excision: the
    sensor sets the required status, and GitHub does not merge. No file tells the token.
    """
    base = scene.github.bare.heads()["main"]
    refreshed(scene)
    first = scene.github.board.requests[1]
    require_judgeable(scene, first, base=base)

    merged = scene.github.merge(1, merge_method="squash")
    scene.github.bare.run("update-ref", "-d", f"refs/heads/{first.branch}")
    local.night(scene.settings, say=silent)
    local.day(scene.settings)
    refreshed(scene)
    second = scene.github.board.requests[2]
    require_judgeable(scene, second, base=merged)
    before, after = active_and_new(first.body), active_and_new(second.body)
    assert {name: active for name, (active, _) in after.items()} == {name: new for name, (_, new) in before.items()}

    world = World(scene.settings)
    excise(world)
    sentence = tick(world)

    assert sentence.startswith("#2 is failure: feed-s0: 1 segment with t that the cache holds was extracted again")
    with pytest.raises(RefusedError, match='Required status check "log cache validation" is expected'):
        scene.github.merge(2)
    assert len(scene.github.board.requests) == 2
    assert not [name for name, content in files_of(world.home).items() if scene.github.token.encode() in content]
