"""bench/dagster_share.py: the baseline is a whole refresh without Dagster, and the worlds are as large as they say."""

import subprocess
import sys
from pathlib import Path

from logcache_assets.domain.documents import Candidate, Verdict
from logcache_assets.domain.selections import ALL
from logcache_assets.local_platform.demo_data import read_demo_data
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.document_store import Documents
from logcache_tests.bench.bank import BENCH, load_script

WITHOUT_DAGSTER = """
import runpy, sys
runpy.run_path(sys.argv[1], run_name="__main__")
sys.exit(any(name.partition(".")[0] == "dagster" for name in sys.modules))
"""


def test_the_baseline_is_a_whole_refresh_that_imports_no_dagster(feed_world: World) -> None:
    """It ends with an approved verdict and a pull request, and its process never loaded Dagster."""
    command = [sys.executable, "-c", WITHOUT_DAGSTER, str(BENCH / "plain_refresh.py")]
    variables = {"LOGCACHE_HOME": str(feed_world.home), "LOGCACHE_PII_KEY": feed_world.pii_key().decode()}

    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout == "Pull request #1\n"
    (night,) = {
        item.uri.split("/")[5] for item in feed_world.store.list_objects(feed_world.settings.locations.documents)
    }
    documents, named = Documents(feed_world.store), {"transaction": night, "selection": ALL}
    candidate = documents.read(feed_world.settings.locations.candidate(**named), Candidate)
    assert documents.read(feed_world.settings.locations.verdict(**named), Verdict).approved
    assert feed_world.repository.pull_request(1).branch == candidate.branch


def test_a_world_has_as_many_databases_as_asked_for(tmp_path: Path) -> None:
    """Each has two instances and the definition of its original, and no two share a segment."""
    load_script("copied_databases").write_data(tmp_path / "data", databases=5)

    data = read_demo_data(tmp_path / "data")

    copies = {definition.database: definition for definition in data.catalog}
    assert set(copies) == {"customers", "double-entry", "feed", "customers-copy1", "double-entry-copy1"}
    assert copies["customers-copy1"].entities == copies["customers"].entities
    assert len(data.instances) == 10
    assert len({segment.path for segment in data.segments}) == len(data.segments)


def test_dagsters_own_is_what_a_way_takes_beyond_the_baseline() -> None:
    """25 CPU seconds where the refresh alone takes 20: a fifth is Dagster's."""
    bench, measured = load_script("dagster_share"), load_script("measure")
    plain = measured.Cost(wall_seconds=1, cpu_seconds=20, peak_mb=1)
    whole = measured.Cost(wall_seconds=1, cpu_seconds=25, peak_mb=1)

    row = str(bench.Share(way="logcache refresh", cost=whole, plain=plain))

    assert row == "| logcache refresh | 25.0 | 5.0 | 20% |"
