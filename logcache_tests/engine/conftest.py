"""A store for tests that write, and patience with busy computers."""

from pathlib import Path

import pytest
from hypothesis import settings

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_tests.engine.world import open_store

settings.register_profile("busy computers", deadline=None)
settings.load_profile("busy computers")


@pytest.fixture
def store(tmp_path: Path) -> FolderObjectStore:
    """The demo's segments, and an own bucket of this test."""
    return open_store(tmp_path)
