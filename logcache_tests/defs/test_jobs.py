"""How long a whole refresh may take: each of its parts as long as that part may."""

from pathlib import Path

import pytest

from logcache_assets.defs.jobs import max_runtime_seconds
from logcache_tests.worlds import settings_at

ON_S3 = {"store": "s3", "notebook": "databricks", "databricks_host": "https://dbc.example", "databricks_pool": "p"}


@pytest.mark.parametrize(
    ("driver", "databases", "hours"),
    [
        pytest.param("local", 3, 4 + 6 + 6 + 2, id="an export, a copy, a test run, and the rest"),
        pytest.param("databricks", 1, 2 * 4 + 6 + 6 + 2, id="and a comparison on a cluster"),
        pytest.param("databricks", 3, 4 * 4 + 6 + 6 + 2, id="and one for each database"),
    ],
)
def test_a_sound_refresh_is_not_ended(tmp_path: Path, driver: str, databases: int, hours: int) -> None:
    """With the limits that hold by default: 240 minutes, 6 hours, 360 minutes."""
    settings = settings_at(tmp_path, validation_driver=driver, **ON_S3)

    assert max_runtime_seconds(settings, databases=databases) == hours * 3600
