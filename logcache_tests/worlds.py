"""Local worlds for tests: the one simulator of the whole suite, and how stages are run in it."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.catalog import load_catalog
from logcache_assets.connect import connect
from logcache_assets.definitions import build_definitions
from logcache_assets.defs.command_runs import failures_of
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.world import World
from logcache_assets.settings import Settings, load_settings
from logcache_tests.engine.expected import PII_KEY

FEED_DEFINITION = """\
database: feed
prototypes: [s0, s1]
entities:
  - name: accounts
    primary_key: account/id
    snapshot: true
    attributes:
      - {attribute: account/customer-id}
      - {attribute: account/status, ref: db/ident, history: true}
  - name: merchants
    primary_key: merchant/code
    attributes:
      - {attribute: merchant/category, history: true}
      - {attribute: merchant/rate}
"""
"""Two of feed's three entities, with a contract of every kind: five contracts instead of the demo's 35."""


def path_of(world: World, uri: str) -> Path:
    """The file of an object in a world whose objects lie in its folder."""
    assert isinstance(world.store, FolderObjectStore)
    return world.store.path_of(uri)


def write_feed_data(folder: Path) -> None:
    """Write a data folder with the demo's log of feed and `FEED_DEFINITION`."""
    others = shutil.ignore_patterns("customers*", "double-entry*", "reextraction")
    shutil.copytree(PACKAGED, folder, ignore=others)
    (folder / "contracts" / "feed.yaml").write_text(FEED_DEFINITION, encoding="utf-8")
    lines = (PACKAGED / "index.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    feed = [line for line in lines if json.loads(line)["database"] == "feed"]
    (folder / "index.jsonl").write_text("".join(feed), encoding="utf-8")
    cutoffs = json.loads((PACKAGED / "cutoffs.json").read_text(encoding="utf-8"))
    feed_cutoffs = {name: cuts for name, cuts in cutoffs.items() if name.startswith("feed-")}
    (folder / "cutoffs.json").write_text(json.dumps(feed_cutoffs), encoding="utf-8")


def settings_at(home: Path, **variables: str) -> Settings:
    """Settings of a local world, independent of the process's environment."""
    own = {"LOGCACHE_HOME": str(home), "LOGCACHE_PII_KEY": PII_KEY.decode()}
    return load_settings(own | {f"LOGCACHE_{name.upper()}": value for name, value in variables.items()})


def definitions_of(world: World) -> dg.Definitions:
    """The code location over a world."""
    return build_definitions(world.settings, catalog=load_catalog(world.catalog), ports=connect(world.settings))


def materialize(
    world: World, *assets: str, config: Mapping[str, Mapping[str, str]] | None = None
) -> dg.ExecuteInProcessResult:
    """Materialize these assets, or all, in the world's own Dagster storage; `config` is that of their steps."""
    job = definitions_of(world).resolve_job_def(REFRESH_JOB)
    selection = [dg.AssetKey.from_user_string(asset) for asset in assets] or None
    configured = {op: {"config": dict(own)} for op, own in (config or {}).items()}
    with open_storage(world.dagster_home) as instance:
        return job.execute_in_process(
            instance=instance,
            asset_selection=selection,
            raise_on_error=False,
            run_config={"loggers": {"plain": {}}, "ops": configured},
        )


def refusal_of(result: dg.ExecuteInProcessResult) -> str:
    """Why a run failed, as a user reads it; empty when it succeeded."""
    return "" if result.success else "; ".join(failures_of(result))


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes, to prove that nothing was written."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
