"""Fixtures of the whole suite: a world is built once per worker, every test gets a copy of its own."""

import shutil
from pathlib import Path

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.cli import refresh
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.history import build_world
from logcache_assets.local_platform.world import World
from logcache_tests.engine.world import open_store
from logcache_tests.worlds import settings_at


def silent(_line: str) -> None:
    """A test has nobody to tell."""


LONG = ("test_end_to_end.py", "engine_spark/", "defs/")
"""Files with few tests that take long: begun last they would leave the other worker idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first."""
    items.sort(key=lambda item: next((n for n, part in enumerate(LONG) if part in str(item.path)), len(LONG)))


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> FolderObjectStore:
    """The demo's segments, and a bucket for tests that only read or write below a folder of their own."""
    return open_store(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def world_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a built world, ready for a refresh; to be copied, never changed."""
    home = tmp_path_factory.mktemp("template") / "home"
    build_world(World(settings_at(home)), PACKAGED, silent)
    return home


@pytest.fixture
def world(world_template: Path, tmp_path: Path) -> World:
    """A world of the test's own, ready for a refresh."""
    home = tmp_path / "home"
    shutil.copytree(world_template, home)
    return World(settings_at(home))


@pytest.fixture(scope="session")
def refreshed_template(world_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a world after one whole refresh; to be copied or read, never changed."""
    home = tmp_path_factory.mktemp("refreshed") / "home"
    shutil.copytree(world_template, home)
    refresh.run(settings_at(home), databases=(), transaction=None, dry_run=False, say=silent)
    return home


@pytest.fixture
def refreshed_world(refreshed_template: Path, tmp_path: Path) -> World:
    """A world of the test's own after one whole refresh."""
    home = tmp_path / "home"
    shutil.copytree(refreshed_template, home)
    return World(settings_at(home))
