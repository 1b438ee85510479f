"""What a refresh leaves behind, which must be the same whether or not it was killed on the way."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from logcache_assets.adapters.home_lock import is_held
from logcache_assets.connect import connect
from logcache_assets.domain.locations import ATTEMPTS, BEGUN_RUNS, Stage
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.publish import publisher_of
from logcache_tests.kills.killing import Ended, refresh_world

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
    ports = connect(world.settings)
    requests = tuple(ports.repository.open_pull_requests(changing=MAP_PATH))
    return EndState(
        caches=cached_files(world),
        proposed_map=ports.repository.read(MAP_PATH, ref=requests[0].branch) if requests else "",
        requests=tuple((request.number, request.state, request.branch) for request in requests),
        base=ports.repository.head("main"),
        running=publisher_of(ports, world.settings).find_readers().running,
        leftovers=tuple(find_leftovers(world)),
        is_locked=is_held(world.home),
    )


def cached_files(world: World) -> dict[str, bytes]:
    """URI → bytes of every file below `cache/` that is no document."""
    folder = f"s3://{world.settings.permanent_bucket}/cache/"
    names = (uri for uri in world.store.list_uris(folder) if not uri.removeprefix(folder).startswith("_"))
    return {uri: world.store.read(uri) for uri in names}


def has_document(world: World, boundary: str) -> bool:
    """Whether a stage of some refresh has written its document."""
    documents = world.store.list_uris(world.settings.locations.documents)
    return any(f"/{boundary}/" in uri and uri.endswith(".json") for uri in documents)


def find_leftovers(world: World) -> Iterator[str]:
    """Files that a write leaves behind when it is killed."""
    for path in world.home.rglob("*"):
        inside = path.relative_to(world.home)
        if path.is_file() and any(part.startswith(".") for part in inside.parts) and "itaipu.git" not in inside.parts:
            yield str(inside)


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
