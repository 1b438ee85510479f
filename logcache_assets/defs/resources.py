"""The ports as Dagster resources, so that Dagit's Resources page says where every system is.

A resource's fields tell a person where to find the system. A secret is an environment variable, of which the page
shows only the name. A new adapter gets a resource class here. connect.py builds the ports without Dagster.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from typing_extensions import override

from logcache_assets.adapters.metapod import GraphQLMetapod
from logcache_assets.connect import NOTEBOOK, deployment_key, sabesp_itaipu
from logcache_assets.defs.turns import Turn, TurnResource
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.world_files import WorldFiles
from logcache_assets.ports import (
    Clock,
    Itaipu,
    ItaipuRepository,
    Metapod,
    NotebookRunner,
    ObjectStore,
    Ports,
    SegmentIndex,
)
from logcache_assets.settings import PII_KEY_VARIABLE, Settings, load_settings, public_environment


class SettingsResource(dg.ConfigurableResource[Settings]):
    """The settings of this deployment: every LOGCACHE_ variable except the secret."""

    values: dict[str, str]
    """Variable → value."""

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Settings:
        return load_settings(self.values)


class PersonalDataKeyResource(dg.ConfigurableResource[bytes]):
    """Key of the HMAC that hashes personal data in contracts and makes the tokens in reports."""

    key: str = ""
    """The key; if empty, the local world's own key is used, which lies in its home folder."""
    home: str
    """Folder of the local world."""

    @override
    def create_resource(self, context: dg.InitResourceContext) -> bytes:
        if isinstance(self.key, dg.EnvVar):
            # Outside a run Dagster leaves the variable's name here, and a name must never become the key.
            raise BadInput(
                f"the key of personal data was not read from {PII_KEY_VARIABLE}: build this resource with "
                "process_config_and_initialize(), or use connect.deployment_key"
            )
        own = {PII_KEY_VARIABLE: self.key} if self.key else {}
        return deployment_key(load_settings({"LOGCACHE_HOME": self.home, **own}))


class LocalStoreResource(dg.ConfigurableResource[ObjectStore]):
    """Objects by s3:// URI on the local platform: one folder per bucket."""

    buckets: str
    """The folder of the bucket folders."""
    permanent_bucket: str
    clock_file: str
    faults: str
    """Folder of the accidents that `logcache local break` armed."""

    @override
    def create_resource(self, context: dg.InitResourceContext) -> ObjectStore:
        from logcache_assets.local_platform.clock import LocalClock  # noqa: PLC0415 - of one platform only
        from logcache_assets.local_platform.faults import CutShortObjectStore, Faults  # noqa: PLC0415 - as above

        return CutShortObjectStore(
            Path(self.buckets),
            LocalClock(Path(self.clock_file)),
            permanent_bucket=self.permanent_bucket,
            faults=Faults(Path(self.faults)),
        )


class LocalSegmentIndexResource(dg.ConfigurableResource[SegmentIndex]):
    """The index of Avro segments on the local platform: a SQLite file."""

    file: str

    @override
    def create_resource(self, context: dg.InitResourceContext) -> SegmentIndex:
        from logcache_assets.local_platform.segment_index import LocalSegmentIndex  # noqa: PLC0415 - of one platform

        return LocalSegmentIndex(Path(self.file))


class LocalMetapodResource(dg.ConfigurableResource[Metapod]):
    """The metadata service on the local platform: its GraphQL schema over a SQLite file, in this process."""

    file: str

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Metapod:
        from logcache_assets.local_platform.metapod_service import local_transport  # noqa: PLC0415 - of one platform
        from logcache_assets.local_platform.metapod_store import MetapodStore  # noqa: PLC0415 - as above

        return GraphQLMetapod(local_transport(MetapodStore(Path(self.file))))


class LocalNotebookRunnerResource(dg.ConfigurableResource[NotebookRunner]):
    """Runs the export notebook on the local platform: a process per run."""

    notebook: str
    runs: str
    """Folder of the runs, each with its parameters, output and result."""
    environment: dict[str, str]
    """Variables of the process, added to those of the run."""

    @override
    def create_resource(self, context: dg.InitResourceContext) -> NotebookRunner:
        from logcache_assets.local_platform.notebook_runner import LocalNotebookRunner  # noqa: PLC0415 - of one platform

        return LocalNotebookRunner(Path(self.notebook), Path(self.runs), self.environment)


class SabespResource(dg.ConfigurableResource[Itaipu]):
    """Starts test runs of Itaipu with the `sabesp` command."""

    executable: str
    log_folder: str
    """Gets one file per run with its whole output."""
    environment: dict[str, str]
    """The settings of a test run: stack, run name, machines, buckets, time limit."""

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Itaipu:
        configured = sabesp_itaipu(load_settings(self.environment))
        return dataclasses.replace(configured, executable=Path(self.executable), log_folder=Path(self.log_folder))


class LocalRepositoryResource(dg.ConfigurableResource[ItaipuRepository]):
    """The itaipu repository on the local platform: a bare git repository, and pull requests as files beside it."""

    git_dir: str
    pull_requests: str
    clock_file: str

    @override
    def create_resource(self, context: dg.InitResourceContext) -> ItaipuRepository:
        from logcache_assets.local_platform.clock import LocalClock  # noqa: PLC0415 - of one platform only
        from logcache_assets.local_platform.itaipu_repository import LocalItaipuRepository  # noqa: PLC0415 - as above

        return LocalItaipuRepository(Path(self.git_dir), Path(self.pull_requests), LocalClock(Path(self.clock_file)))


class LocalClockResource(dg.ConfigurableResource[Clock]):
    """The date of the local world: one line in a file, which `logcache local` advances."""

    file: str

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Clock:
        from logcache_assets.local_platform.clock import LocalClock  # noqa: PLC0415 - of one platform only

        return LocalClock(Path(self.file))


def configured_resources(settings: Settings) -> dict[str, object]:
    """Resources for the deployment that this process's environment describes."""
    files = WorldFiles(settings.home_folder)
    clock_file = str(files.clock)
    itaipu, values = sabesp_itaipu(settings), public_environment(settings)
    return {
        "settings": SettingsResource(values=values),
        "pii_key": PersonalDataKeyResource(
            key=dg.EnvVar(PII_KEY_VARIABLE) if settings.pii_key else "",
            home=str(files.home),
        ),
        "store": LocalStoreResource(
            buckets=str(files.buckets),
            permanent_bucket=settings.permanent_bucket,
            clock_file=clock_file,
            faults=str(files.faults),
        ),
        "segment_index": LocalSegmentIndexResource(file=str(files.segment_index)),
        "metapod": LocalMetapodResource(file=str(files.metapod)),
        "runner": LocalNotebookRunnerResource(
            notebook=str(NOTEBOOK), runs=str(files.notebook_runs), environment=values
        ),
        "itaipu": SabespResource(
            executable=str(itaipu.executable), log_folder=str(itaipu.log_folder), environment=values
        ),
        "repository": LocalRepositoryResource(
            git_dir=str(files.repository), pull_requests=str(files.pull_requests), clock_file=clock_file
        ),
        "clock": LocalClockResource(file=clock_file),
        "turn": TurnResource(home=str(files.home)),
    }


def given_resources(settings: Settings, ports: Ports, turn: Turn | None = None) -> Mapping[str, object]:
    """Resources for existing ports, for example those of the command line or of a test.

    Args:
        settings: of the deployment.
        ports: the outside world.
        turn: that the caller holds; by default each run takes its own.
    """
    return {
        "settings": settings,
        "pii_key": deployment_key(settings),
        "store": ports.store,
        "segment_index": ports.segment_index,
        "metapod": ports.metapod,
        "runner": ports.notebook_runner,
        "itaipu": ports.itaipu,
        "repository": ports.repository,
        "clock": ports.clock,
        "turn": turn or TurnResource(home=str(settings.home_folder)),
    }
