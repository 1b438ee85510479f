"""An itaipu repository of every implementation, for the suites of the port.

An adapter joins by a factory in WORLDS; its base branch `main` then holds exactly BASE_FILES.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.local_platform.itaipu_repository import LocalItaipuRepository
from logcache_assets.ports import ItaipuRepository

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


def local_world(folder: Path) -> World:
    """The twin in a new world."""
    clock = LocalClock(folder / "now")
    clock.set(datetime(2018, 5, 28, 14, 20, 23, tzinfo=UTC))
    repository = LocalItaipuRepository(folder / "itaipu.git", folder / "pull_requests", clock)
    repository.initialise(BASE_FILES, "Begin")

    def wait() -> datetime:
        clock.set(clock.now() + timedelta(minutes=7))
        return clock.now()

    return World(repository=repository, wait=wait)


WORLDS: dict[str, Callable[[Path], World]] = {"local": local_world}


def base(repository: ItaipuRepository) -> str:
    """Head of main."""
    head = repository.head("main")
    assert head is not None
    return head


def candidate(repository: ItaipuRepository, text: str = '{"s0": {}}\n', branch: str = BRANCH) -> str:
    """A commit of a new map on top of main."""
    files = {"log_cache_map.json": text}
    return repository.commit(branch=branch, parent=base(repository), files=files, message="Renew the log cache")
