"""Stores for tests that write, and hypothesis settings without a deadline."""

from pathlib import Path

import pytest
from hypothesis import settings

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_tests.engine.world import open_store

settings.register_profile("busy computers", deadline=None)
settings.load_profile("busy computers")


@pytest.fixture
def store(tmp_path: Path) -> FolderObjectStore:
    """A store with the demo's segments and a bucket of this test."""
    return open_store(tmp_path)
