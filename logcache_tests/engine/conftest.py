"""One store for tests that only read or write below a folder of their own."""

from pathlib import Path

import pytest
from hypothesis import settings

from logcache_assets.local_platform.object_store import LocalObjectStore
from logcache_tests.engine.world import open_store

settings.register_profile("busy computers", deadline=None)
settings.load_profile("busy computers")


@pytest.fixture
def store(tmp_path: Path) -> LocalObjectStore:
    """The demo's segments, and an own bucket of this test."""
    return open_store(tmp_path)


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> LocalObjectStore:
    """The demo's segments, and a bucket for caches that several tests read."""
    return open_store(tmp_path_factory.mktemp("engine"))
