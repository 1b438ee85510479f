"""Room on this computer for what a build cannot hold in memory, gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.engine.drivers import Folder, LocalDriver
from logcache_assets.local_platform.object_store import LocalObjectStore


@contextmanager
def scratch_folder() -> Iterator[Folder]:
    """An empty folder below the computer's folder for temporary files (TMPDIR)."""
    with tempfile.TemporaryDirectory(prefix="logcache-") as folder:
        store = LocalObjectStore(Path(folder), SystemClock())
        store.create_bucket("scratch")
        yield Folder(store, "s3://scratch")


@contextmanager
def local_driver() -> Iterator[LocalDriver]:
    """A driver with room of its own."""
    with scratch_folder() as scratch:
        yield LocalDriver(scratch)
