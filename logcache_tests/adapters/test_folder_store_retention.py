"""After how many days the local object store deletes objects: read from its lifecycle file."""

from pathlib import Path

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.domain.lifecycle import ExpiryRule, Lifecycle
from logcache_assets.errors import BadInput


@pytest.fixture
def store(tmp_path: Path) -> FolderObjectStore:
    """A store with one empty bucket."""
    store = FolderObjectStore(tmp_path / "buckets", SystemClock())
    store.create_bucket("bucket")
    return store


def test_retention_is_read_from_the_lifecycle_file(store: FolderObjectStore, tmp_path: Path) -> None:
    """The file is read on every call; without the file or the bucket there is no rule."""
    assert store.lifecycle("bucket") == Lifecycle()

    (tmp_path / "lifecycle.json").write_text('{"bucket": 7}')

    assert store.lifecycle("bucket") == Lifecycle((ExpiryRule(days=7),))
    assert store.lifecycle("other") == Lifecycle()


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"bucket": "7"}', '{"bucket": 0}', '{"bucket": 7.5}', '{"bucket": true}', '{"bucket": null}']
)
def test_a_malformed_lifecycle_file_is_named(store: FolderObjectStore, tmp_path: Path, text: str) -> None:
    """A retention that cannot be read is an error, not None."""
    (tmp_path / "lifecycle.json").write_text(text)

    with pytest.raises(BadInput, match=r"lifecycle\.json.*whole days"):
        store.lifecycle("bucket")


def test_the_lifecycle_file_can_lie_elsewhere(tmp_path: Path) -> None:
    """Its path is a parameter."""
    (tmp_path / "rules.json").write_text('{"bucket": 14}')

    store = FolderObjectStore(tmp_path / "buckets", SystemClock(), lifecycle=tmp_path / "rules.json")

    assert store.lifecycle("bucket") == Lifecycle((ExpiryRule(days=14),))
