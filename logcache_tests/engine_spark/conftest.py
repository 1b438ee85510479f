"""One Spark session for all tests: starting it costs more than most of them."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.drivers.spark import SparkDriver, spark_driver
from logcache_assets.errors import BadInput
from logcache_tests.engine.world import OWN_BUCKET, open_store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> FolderObjectStore:
    """The demo's segments, and a bucket to write into."""
    return open_store(tmp_path_factory.mktemp("spark"))


@pytest.fixture(scope="session")
def session(store: FolderObjectStore) -> Iterator["SparkSession"]:
    """Spark on this computer; where it cannot start its tests are skipped, but a build server must have it."""
    with pytest.MonkeyPatch.context() as environment:
        # Workers import the tests' own tasks, wherever pytest was started.
        environment.setenv("PYTHONPATH", str(Path(__file__).parents[2]), prepend=os.pathsep)
        try:
            with spark_driver(Folder(store, f"s3://{OWN_BUCKET}/scratch")) as driver:
                yield driver.session
        except BadInput as missing:
            if "CI" in os.environ:
                raise
            pytest.skip(str(missing))


@pytest.fixture
def spark(session: "SparkSession", store: FolderObjectStore) -> SparkDriver:
    """The one session, and a scratch folder of the test's own."""
    return SparkDriver(session, Folder(store, f"s3://{OWN_BUCKET}/scratch/{uuid.uuid4()}"))
