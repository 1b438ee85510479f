"""Local worlds for tests: the one simulator of the whole suite, and how stages are run in it."""

from pathlib import Path

import dagster as dg

from logcache_assets.catalog import load_catalog
from logcache_assets.connect import connect
from logcache_assets.definitions import build_definitions
from logcache_assets.defs.command_runs import failures_of
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.local_platform.world import World
from logcache_assets.settings import Settings, load_settings
from logcache_tests.engine.expected import PII_KEY


def settings_at(home: Path, **variables: str) -> Settings:
    """Settings of a local world, independent of the process's environment."""
    own = {"LOGCACHE_HOME": str(home), "LOGCACHE_PII_KEY": PII_KEY.decode()}
    return load_settings(own | {f"LOGCACHE_{name.upper()}": value for name, value in variables.items()})


def definitions_of(world: World) -> dg.Definitions:
    """The code location over a world."""
    return build_definitions(world.settings, catalog=load_catalog(world.catalog), ports=connect(world.settings))


def materialize(world: World, *assets: str) -> dg.ExecuteInProcessResult:
    """Materialize these assets, or all, in the world's own Dagster storage."""
    job = definitions_of(world).resolve_job_def(REFRESH_JOB)
    selection = [dg.AssetKey.from_user_string(asset) for asset in assets] or None
    with open_storage(world.dagster_home) as instance:
        return job.execute_in_process(
            instance=instance,
            asset_selection=selection,
            raise_on_error=False,
            run_config={"loggers": {"plain": {}}},
        )


def refusal_of(result: dg.ExecuteInProcessResult) -> str:
    """Why a run failed, as a user reads it; empty when it succeeded."""
    return "" if result.success else "; ".join(failures_of(result))


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes, to prove that nothing was written."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
