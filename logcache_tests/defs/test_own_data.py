"""A world of other data: other databases, prototypes and definitions, through the same code."""

import json
import shutil
from pathlib import Path

from logcache_assets.cli import refresh
from logcache_assets.cli.refresh_result import Refreshed
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_tests.conftest import silent
from logcache_tests.worlds import settings_at

DEFINITION = """\
database: ledger-t5b
prototypes: [s7, global]
entities:
  - name: books
    primary_key: book/name
    snapshot: true
    attributes:
      - {attribute: book/currency}
      - {attribute: book/accounts, ref: account/id, history: true}
"""
RENAMED = {"double-entry-s0": "s7", "double-entry-s1": "global"}


def write_ledger(folder: Path) -> None:
    """The demo's double-entry logs as another database on other prototypes, without re-extractions."""
    (folder / "contracts").mkdir(parents=True)
    (folder / "contracts" / "ledger-t5b.yaml").write_text(DEFINITION, encoding="utf-8")
    cutoffs = json.loads((PACKAGED / "cutoffs.json").read_text(encoding="utf-8"))
    renamed = {f"ledger-t5b-{prototype}": cutoffs[name] for name, prototype in RENAMED.items()}
    (folder / "cutoffs.json").write_text(json.dumps(renamed), encoding="utf-8")
    lines = []
    for line in (PACKAGED / "index.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        if item["db_prototype"] in RENAMED:
            prototype, source = RENAMED[item["db_prototype"]], item["path"]
            item |= {"database": "ledger-t5b", "prototype": prototype, "db_prototype": f"ledger-t5b-{prototype}"}
            item["path"] = source.replace("s3://nu-spark-datomic-logs", "s3://other-logs")
            lines.append(json.dumps(item) + "\n")
            file = folder / "buckets" / item["path"].removeprefix("s3://")
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PACKAGED / "buckets" / source.removeprefix("s3://"), file)
    (folder / "index.jsonl").write_text("".join(lines), encoding="utf-8")


def test_a_world_of_other_data_is_refreshed_by_the_same_code(tmp_path: Path) -> None:
    """A database named like a shard, on s7 and global, with one entity: a refresh goes to the cut-offs `night`."""
    write_ledger(tmp_path / "data")
    world = World(settings_at(tmp_path / "home"))
    build_world(world, tmp_path / "data", silent)

    result = refresh.run(world.settings, databases=(), transaction=None, dry_run=False, say=silent)

    assert isinstance(result, Refreshed)
    entries = json.loads(world.repository.read(MAP_PATH, ref=result.branch))
    assert {p: {d: e["last_t"] for d, e in databases.items()} for p, databases in entries.items()} == {
        "s7": {"ledger-t5b": 5636},
        "global": {"ledger-t5b": 5069},
    }
    assert [found.contracts_passed for found in result.databases] == [3]
