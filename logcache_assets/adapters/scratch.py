"""Temporary folders for what a build cannot hold in memory; they are removed afterwards."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.engine.drivers.driver import Driver, Folder, LocalDriver
from logcache_assets.ports import ObjectStore, ObjectStoreError, Tell


@contextmanager
def scratch_folder() -> Iterator[Folder]:
    """Create an empty folder below TMPDIR for the duration of the block."""
    with tempfile.TemporaryDirectory(prefix="logcache-") as folder:
        store = FolderObjectStore(Path(folder), SystemClock())
        store.create_bucket("scratch")
        yield Folder(store, "s3://scratch")


@contextmanager
def stored_scratch(store: ObjectStore, prefix_uri: str, tell: Tell) -> Iterator[Folder]:
    """Yield a new folder in an object store, which every machine reaches, and remove it when the block ends or fails.

    Args:
        store: the object store.
        prefix_uri: below which folders of work lie (domain/scratch_folders.py), with its slash.
        tell: takes a line if the folder cannot be removed. Its objects then expire with their bucket's.
    """
    folder = Folder(store, f"{prefix_uri}{uuid.uuid4()}")
    try:
        yield folder
    finally:
        try:
            store.remove_scratch(folder.uri)
        except ObjectStoreError as error:
            tell(f"{folder.uri} stays until its bucket's objects expire: {error}")


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
