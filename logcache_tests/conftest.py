"""Fixtures of the whole suite: a world is built once for all workers, every test gets a copy of its own."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from typing_extensions import override
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.cli import refresh
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_tests.engine.world import open_store
from logcache_tests.worlds import settings_at, write_feed_data

pytest_plugins = ["logcache_tests.servers.fixtures"]


def silent(_line: str) -> None:
    """A test has nobody to tell."""


MEMORY = Path("/dev/shm")  # noqa: S108 - the one place where Linux keeps files in memory
ENOUGH_BYTES = 4 << 30
"""Free room in memory that the suite may take."""

ONE_SPARK = "engine_spark/"
"""A folder whose files share one Spark session; with a worker for each file there would be several."""

EACH_ALONE = "kills/test_kills_in_production.py"
"""A file whose tests take long and share nothing."""

ANY_NAME = "a home?#%41 é&'"
"""The folder in which worlds are built and refreshed: paths become URLs of SQLite, Dagster and git."""

LONG = ("test_end_to_end.py", ONE_SPARK, "defs/")
"""Files with few tests that take long: begun last they would leave the other workers idle."""


def pytest_configure() -> None:
    """Give examples of hypothesis the time of a busy machine, and keep the tests' folders in memory if possible.

    Dagster's event storage waits for the disk.
    """
    hypothesis.settings.register_profile("patient", deadline=None)
    hypothesis.settings.load_profile("patient")
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
        tempfile.tempdir = os.environ["TMPDIR"] = str(MEMORY)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The tests that kill refreshes are a tier of their own, as are those on servers that have to be built."""
    parser.addoption("--kills", type=int, default=0, help="kill refreshes at stage boundaries and so many instants")
    parser.addoption("--week", action="store_true", help="only the week that is left alone")
    parser.addoption("--servers", action="store_true", help="only what needs a real server of S3 or DynamoDB")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long comes first; refreshes are killed, and servers used, only if that is asked for."""
    items[:] = [item for item in items if _is_asked_for(item, config)]
    items.sort(key=lambda item: next((n for n, part in enumerate(LONG) if part in str(item.path)), len(LONG)))


def _is_asked_for(item: pytest.Item, config: pytest.Config) -> bool:
    """Whether a test belongs to the tier that is run; kills at seeded instants on servers belong to two."""
    kills, needs_server, week = (item.get_closest_marker(name) is not None for name in ("kills", "servers", "week"))
    if week or config.getoption("--week"):
        return week and bool(config.getoption("--week"))
    if config.getoption("--servers"):
        return needs_server
    if config.getoption("--kills"):
        return kills or (needs_server and "instant" in getattr(item, "fixturenames", ()))
    return not kills and not needs_server


class ByFileAndSession(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives each file to one worker, as `--dist loadfile` does, and all files of one Spark session to the same.

    Killed refreshes on S3 are dealt out one by one.
    """

    @override
    def _split_scope(self, nodeid: str) -> str:
        if EACH_ALONE in nodeid:
            return nodeid
        return ONE_SPARK if ONE_SPARK in nodeid else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFileAndSession | None:
    """Return the scheduler of every run with workers; kills lie in one file and are dealt out one by one."""
    return None if config.getoption("--kills") else ByFileAndSession(config, log)


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> FolderObjectStore:
    """The demo's segments, and a bucket for tests that only read or write below a folder of their own."""
    return open_store(tmp_path_factory.mktemp("shared"))


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """The home of a world that the first worker builds and all others wait for."""
    of_all_workers = factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()
    home = of_all_workers / name / ANY_NAME
    home.parent.mkdir(exist_ok=True)
    with (home.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home.parent / "built").exists():
            build(home)
            (home.parent / "built").touch()
    return home


def copied(template: Path, home: Path) -> World:
    """A world in this folder that equals the template."""
    shutil.copytree(template, home)
    return World(settings_at(home))


def refreshed(template: Path, home: Path) -> None:
    """Copy the template and refresh all its databases; that their caches are old by then is accepted."""
    copied(template, home)
    patient = settings_at(home, fresh_days="3650")
    refresh.run(patient, databases=(), transaction=None, dry_run=False, say=silent)


@pytest.fixture(scope="session")
def world_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a built world, ready for a refresh; to be copied, never changed."""
    return built_once(
        tmp_path_factory, "template", lambda home: build_world(World(settings_at(home)), PACKAGED, silent)
    )


@pytest.fixture
def world(world_template: Path, tmp_path: Path) -> World:
    """A world of the test's own, ready for a refresh."""
    return copied(world_template, tmp_path / "home")


@pytest.fixture(scope="session")
def refreshed_template(world_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a world after one whole refresh; to be copied or read, never changed."""
    return built_once(tmp_path_factory, "refreshed", lambda home: refreshed(world_template, home))


@pytest.fixture
def refreshed_world(refreshed_template: Path, tmp_path: Path) -> World:
    """A world of the test's own after one whole refresh."""
    return copied(refreshed_template, tmp_path / "home")


@pytest.fixture(scope="session")
def feed_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a world of feed alone, with few contracts; to be copied, never changed."""

    def build(home: Path) -> None:
        write_feed_data(home.parent / "data")
        build_world(World(settings_at(home)), home.parent / "data", silent)

    return built_once(tmp_path_factory, "feed", build)


@pytest.fixture
def feed_world(feed_template: Path, tmp_path: Path) -> World:
    """A small world of the test's own, ready for a refresh that costs a third of the demo's."""
    return copied(feed_template, tmp_path / "home")


@pytest.fixture(scope="session")
def refreshed_feed_template(feed_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of the small world after one refresh; to be copied, never changed."""
    return built_once(tmp_path_factory, "refreshed-feed", lambda home: refreshed(feed_template, home))


@pytest.fixture
def refreshed_feed_world(refreshed_feed_template: Path, tmp_path: Path) -> World:
    """A small world of the test's own after one refresh."""
    return copied(refreshed_feed_template, tmp_path / "home")
