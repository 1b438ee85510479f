"""A stand-in of GitHub with a new repository, and the adapter on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from logcache_assets.adapters.github.access import Audience
from logcache_assets.adapters.github.repository import GitHubRepository
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_tests.adapters.itaipu_worlds import TOKEN_VARIABLE, access_of, begun, github_repository
from logcache_tests.servers.github.hub import GitHub
from logcache_tests.servers.github.server import served_github


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """The stand-in; every request must be one that GitHub's description has."""
    _, clock = begun(tmp_path)
    with served_github(tmp_path / "itaipu.git", now=clock.now) as github:
        monkeypatch.setenv(TOKEN_VARIABLE, github.token)
        yield github
        assert github.complaints == []


@pytest.fixture
def repository(github: GitHub) -> GitHubRepository:
    """The adapter."""
    return github_repository(github)


def with_audience(github: GitHub, **fields: tuple[str, ...]) -> GitHubRepository:
    """The adapter, which asks for labels and reviewers."""
    own = {"labels": ("log-cache",), "reviewers": ("ana",)} | fields
    reads = RepeatedReads(first_pause_seconds=0.01)
    return GitHubRepository(access_of(github), audience=Audience(**own), reads=reads)
