"""The stand-in of Databricks, with a small notebook."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from logcache_tests.adapters.notebook_worlds import DatabricksWorld, databricks_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DatabricksWorld]:
    """A workspace of the test's own."""
    with databricks_world(tmp_path) as made:
        yield made
