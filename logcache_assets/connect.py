"""Builds the ports from settings, without Dagster: for the command line, and for the notebook on a cluster.

Only this module knows which adapter serves which port on which platform. Building the ports reads nothing.
"""

import sys
from pathlib import Path

from logcache_assets.adapters.personal_data_key import PersonalDataKey, find_key
from logcache_assets.adapters.sabesp import SabespItaipu
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_files import WorldFiles
from logcache_assets.ports import Ports, Tell
from logcache_assets.settings import PII_KEY_VARIABLE, Settings, child_environment

NOTEBOOK = Path(__file__).parent / "notebooks" / "export_log.py"
"""The export notebook, in Databricks' source format."""


def connect(settings: Settings) -> Ports:
    """The ports of the configured platform."""
    world = World(settings)
    return Ports(
        store=world.store,
        segment_index=world.segment_index,
        metapod=world.metapod,
        notebook_runner=world.notebook_runner(NOTEBOOK),
        itaipu=sabesp_itaipu(settings),
        repository=world.repository,
        clock=world.clock,
    )


def require_platform(settings: Settings) -> None:
    """Check that the configured platform exists; raises BadInput when no local world was built."""
    World(settings).require()


def deployment_key(settings: Settings) -> PersonalDataKey:
    """The key of personal data, which hashes PII columns and makes the tokens in reports."""
    return World(settings).pii_key()


def find_deployment_key(settings: Settings, tell: Tell) -> bytes | None:
    """The key of personal data, or None if there is none yet; reports when the local world's own key is used."""
    file = WorldFiles(settings.home_folder).pii_key
    return find_key(settings.pii_key, variable=PII_KEY_VARIABLE, file=file, tell=tell)


def sabesp_itaipu(settings: Settings) -> SabespItaipu:
    """Itaipu run by the `sabesp` that the settings name, by default the one that this package installs."""
    bucket = f"s3a://{settings.ephemeral_bucket}/"
    return SabespItaipu(
        executable=Path(settings.sabesp or Path(sys.executable).parent / "sabesp"),
        aurora_stack=settings.aurora_stack,
        run_name=settings.run_name,
        in_uri=bucket,
        out_uri=bucket,
        machines=settings.machines,
        log_folder=WorldFiles(settings.home_folder).sabesp_logs,
        environment=child_environment(settings),
        timeout_seconds=60.0 * settings.test_run_timeout_minutes,
        computes_here=settings.sabesp is None,
    )
