"""Temporary folders for what a build cannot hold in memory; they are removed afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.engine.drivers.driver import Driver, Folder, LocalDriver


@contextmanager
def scratch_folder() -> Iterator[Folder]:
    """Create an empty folder below TMPDIR for the duration of the block."""
    with tempfile.TemporaryDirectory(prefix="logcache-") as folder:
        store = FolderObjectStore(Path(folder), SystemClock())
        store.create_bucket("scratch")
        yield Folder(store, "s3://scratch")


@contextmanager
def local_driver() -> Iterator[LocalDriver]:
    """Yield a local driver with its own temporary folder."""
    with scratch_folder() as scratch:
        yield LocalDriver(scratch)


DriverName = Literal["local", "spark"]


@contextmanager
def open_driver(name: DriverName) -> Iterator[Driver]:
    """Yield the driver of this name, with its own temporary folder; Spark runs on this computer."""
    if name == "local":
        with local_driver() as driver:
            yield driver
        return
    from logcache_assets.engine.drivers.spark import spark_driver  # noqa: PLC0415 - an optional dependency

    with scratch_folder() as scratch, spark_driver(scratch) as driver:
        yield driver
