"""One Spark session for all tests: starting it costs more than all of them."""

import os
import shutil
import uuid
from collections.abc import Iterator

import pytest

from logcache_assets.engine.drivers import Folder
from logcache_assets.engine.spark import SparkDriver, local_session
from logcache_assets.local_platform.object_store import LocalObjectStore
from logcache_tests.engine.world import OWN_BUCKET, open_store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> LocalObjectStore:
    """The demo's segments, and a bucket to write into."""
    return open_store(tmp_path_factory.mktemp("spark"))


@pytest.fixture(scope="session")
def spark(store: LocalObjectStore) -> Iterator[SparkDriver]:
    """A driver on this computer; without Java there is nothing to test, but a build server must have it."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        if "CI" in os.environ:
            pytest.fail("Spark's tests need Java, and this build server has none; install Java 17")
        pytest.skip("Spark needs Java, and this computer has none")
    session = local_session()
    yield SparkDriver(session, Folder(store, f"s3://{OWN_BUCKET}/spark/{uuid.uuid4()}"))
    session.stop()
