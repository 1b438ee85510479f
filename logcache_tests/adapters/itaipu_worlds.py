"""An itaipu repository of every implementation, for the suites of the port.

An adapter joins by a factory in WORLDS; its base branch `main` then holds exactly BASE_FILES.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logcache_assets.adapters.github.access import GitHubAccess
from logcache_assets.adapters.github.repository import GitHubRepository
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.adapters.secret import Secret
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.local_platform.itaipu_repository import LocalItaipuRepository
from logcache_assets.ports import ItaipuRepository
from logcache_tests.servers.github.bare import Bare
from logcache_tests.servers.github.hub import GitHub
from logcache_tests.servers.github.server import served_github

MAP = "log_cache_map.json"
FEED = "contracts/feed.yaml"
BASE_FILES = {
    MAP: "{}\n",
    FEED: "database: feed\n",
    "contracts/double-entry.yaml": "database: double-entry\n",
    "contracts/deeper/notes.md": "São Paulo\n",
}
BRANCH = "log-cache/2018-05-28-49ae32bb"


@dataclass(frozen=True, kw_only=True)
class World:
    """A repository and the clock of its world."""

    repository: ItaipuRepository
    wait: Callable[[], datetime]
    """Lets some seconds pass; returns the whole second that it is then."""
    comments: Callable[[int], list[str]]
    """What was said below a pull request."""
    bare: Path
    """The bare repository in which everything is in the end."""

    def push_root(self, branch: str, files: dict[str, str]) -> None:
        """Somebody pushes a branch that has no commit in common with others."""
        bare = Bare(self.bare, lambda: datetime.now(UTC))
        entries = [
            {
                "mode": "100644",
                "path": path,
                "sha": bare.run("hash-object", "-w", "--stdin", stdin=text.encode()).decode().strip(),
            }
            for path, text in files.items()
        ]
        bare.move(branch, bare.commit(tree=bare.tree_with(None, entries), parents=[], message="Begin again"), seen=None)


def begun(folder: Path) -> tuple[LocalItaipuRepository, LocalClock]:
    """A bare repository with BASE_FILES, and its clock."""
    clock = LocalClock(folder / "now")
    clock.set(datetime(2018, 5, 28, 14, 20, 23, tzinfo=UTC))
    repository = LocalItaipuRepository(folder / "itaipu.git", folder / "pull_requests", clock)
    repository.initialise(BASE_FILES, "Begin")
    return repository, clock


def waiting(clock: LocalClock) -> Callable[[], datetime]:
    """What lets time pass on this clock."""

    def wait() -> datetime:
        clock.set(clock.now() + timedelta(minutes=7))
        return clock.now()

    return wait


@contextmanager
def local_world(folder: Path) -> Iterator[World]:
    """The twin in a new world."""
    repository, clock = begun(folder)

    def comments(number: int) -> list[str]:
        _, *said = repository.pull_request(number).body.split("\n---\n\n")
        return [text.strip() for text in said]

    yield World(repository=repository, wait=waiting(clock), comments=comments, bare=folder / "itaipu.git")


TOKEN_VARIABLE = "LOGCACHE_GITHUB_TOKEN"  # noqa: S105 - its name


def access_of(github: GitHub, **fields: object) -> GitHubAccess:
    """How the stand-in is reached; its token lies in the environment."""
    token = Secret("GitHub's token", variable=TOKEN_VARIABLE)
    own = {"credentials": token, "seconds_between_writes": 0, "longest_wait_seconds": 2} | fields
    return GitHubAccess(repository=github.repository, url=github.url, **own)  # type: ignore[arg-type]


def github_repository(github: GitHub) -> GitHubRepository:
    """The adapter on the stand-in, with short pauses."""
    return GitHubRepository(access_of(github), reads=RepeatedReads(first_pause_seconds=0.01))


@contextmanager
def github_world(folder: Path) -> Iterator[World]:
    """The adapter on a stand-in of GitHub over a new bare repository."""
    _, clock = begun(folder)
    with served_github(folder / "itaipu.git", now=clock.now) as github, pytest.MonkeyPatch.context() as environment:
        environment.setenv(TOKEN_VARIABLE, github.token)
        yield World(
            repository=github_repository(github),
            wait=waiting(clock),
            bare=folder / "itaipu.git",
            comments=lambda number: [text for _, text in github.board.requests[number].comments],
        )
        assert github.complaints == []


WORLDS: dict[str, Callable[[Path], AbstractContextManager[World]]] = {"local": local_world, "github": github_world}


def base(repository: ItaipuRepository) -> str:
    """Head of main."""
    head = repository.head("main")
    assert head is not None
    return head


def candidate(repository: ItaipuRepository, text: str = '{"s0": {}}\n', branch: str = BRANCH) -> str:
    """A commit of a new map on top of main."""
    files = {"log_cache_map.json": text}
    return repository.commit(branch=branch, parent=base(repository), files=files, message="Renew the log cache")
