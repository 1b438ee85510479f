"""The twins of the outside world on the local platform, as Dagster resources."""

from pathlib import Path

import dagster as dg
from pydantic import Field
from typing_extensions import override

from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.ports import (
    Clock,
    ItaipuRepository,
    Metapod,
    NotebookRunner,
    ObjectStore,
    SegmentIndex,
)
from logcache_assets.settings import load_settings


class LocalStoreResource(dg.ConfigurableResource[ObjectStore]):
    """Objects by s3:// URI on the local platform: one folder per bucket."""

    buckets: str = Field(description="The folder of the bucket folders")
    permanent_bucket: str = Field(
        description="The bucket of the caches and the documents; nothing in it is overwritten or deleted"
    )
    clock_file: str = Field(description="File with the date of the local world")
    faults: str = Field(description="Folder of the accidents that `logcache local break` armed")

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

    file: str = Field(description="SQLite file of the index")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> SegmentIndex:
        from logcache_assets.local_platform.segment_index import LocalSegmentIndex  # noqa: PLC0415 - of one platform

        return LocalSegmentIndex(Path(self.file))


class LocalMetapodResource(dg.ConfigurableResource[Metapod]):
    """The metadata service on the local platform: its GraphQL schema over a SQLite file, in this process."""

    file: str = Field(description="SQLite file of the transactions and datasets")
    country: str = Field(description="Whose datasets are read")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Metapod:
        from logcache_assets.local_platform.metapod_service import local_transport  # noqa: PLC0415 - of one platform
        from logcache_assets.local_platform.metapod_store import MetapodStore  # noqa: PLC0415 - as above

        return GraphQLMetapod(local_transport(MetapodStore(Path(self.file))), country=self.country)


class LocalNotebookRunnerResource(dg.ConfigurableResource[NotebookRunner]):
    """Runs the export notebook on the local platform: a process per run."""

    notebook: str = Field(description="File of the export notebook")
    runs: str = Field(description="Folder of the runs, each with its parameters, output and result")
    environment: dict[str, str] = Field(description="Variables of the process, added to those of the run")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> NotebookRunner:
        from logcache_assets.local_platform.notebook_runner import LocalNotebookRunner  # noqa: PLC0415 - of one platform

        limit = load_settings(self.environment).export_time.total_seconds()
        return LocalNotebookRunner(Path(self.notebook), Path(self.runs), self.environment, timeout_seconds=limit)


class LocalRepositoryResource(dg.ConfigurableResource[ItaipuRepository]):
    """The itaipu repository on the local platform: a bare git repository, and pull requests as files beside it."""

    git_dir: str = Field(description="Folder of the bare git repository")
    pull_requests: str = Field(description="Folder of the pull requests, a page and a record each")
    clock_file: str = Field(description="File with the date of the local world")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> ItaipuRepository:
        from logcache_assets.local_platform.clock import LocalClock  # noqa: PLC0415 - of one platform only
        from logcache_assets.local_platform.itaipu_repository import LocalItaipuRepository  # noqa: PLC0415 - as above

        return LocalItaipuRepository(Path(self.git_dir), Path(self.pull_requests), LocalClock(Path(self.clock_file)))


class LocalClockResource(dg.ConfigurableResource[Clock]):
    """The date of the local world: one line in a file, which `logcache local` advances."""

    file: str = Field(description="File with the date")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> Clock:
        from logcache_assets.local_platform.clock import LocalClock  # noqa: PLC0415 - of one platform only

        return LocalClock(Path(self.file))
