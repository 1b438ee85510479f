"""The local world: a twin of every outside system in one folder; world_files.py has its layout."""

from pathlib import Path

from logcache_assets.adapters.aws.dynamodb_index import DynamoDbSegmentIndex
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.adapters.personal_data_key import PersonalDataKey
from logcache_assets.deployment_key import deployment_key
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.local_platform.dynamodb_items import DynamoDbSegmentItems
from logcache_assets.local_platform.faults import CutShortObjectStore, Faults
from logcache_assets.local_platform.itaipu_repository import LocalItaipuRepository
from logcache_assets.local_platform.metapod_service import local_transport
from logcache_assets.local_platform.metapod_store import MetapodStore
from logcache_assets.local_platform.notebook_runner import LocalNotebookRunner
from logcache_assets.local_platform.segment_index import LocalSegmentIndex
from logcache_assets.local_platform.segment_items import SegmentItems
from logcache_assets.local_platform.world_buckets import FolderBuckets, S3Buckets, WorldBuckets
from logcache_assets.local_platform.world_files import WorldFiles
from logcache_assets.local_platform.world_store import world_store_on_s3
from logcache_assets.ports import ObjectStore, SegmentIndex
from logcache_assets.settings import Settings, child_environment


class World:
    """Paths and twins of a local world; creating the object reads nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.files = files = WorldFiles(settings.home_folder)
        self.home = files.home
        self.buckets, self.catalog = files.buckets, files.catalog
        self.undelivered, self.reextraction = files.undelivered, files.reextraction
        self.dagster_home = settings.dagster_folder
        self.clock = LocalClock(files.clock)
        self.faults = Faults(files.faults)
        self.store, self.world_buckets = _store_of(settings, files, self.clock, self.faults)
        self.segment_index, self.segment_items = _index_of(settings, files)
        self.metapod_store = MetapodStore(files.metapod)
        self.repository = LocalItaipuRepository(files.repository, files.pull_requests, self.clock)

    @property
    def exists(self) -> bool:
        """True if a world was built here."""
        return self.files.clock.is_file() and self.files.repository.is_dir()

    def require(self) -> None:
        """Raise BadInput if no world was built here."""
        if not self.exists:
            raise BadInput(f"there is no local world in {self.home}; make one with `logcache local reset`")

    @property
    def metapod(self) -> GraphQLMetapod:
        """The production client, connected to the local GraphQL service."""
        return GraphQLMetapod(local_transport(self.metapod_store), country=self.settings.country)

    def notebook_runner(self, notebook: Path) -> LocalNotebookRunner:
        """Return a runner that starts the notebook in its own process."""
        limit = self.settings.export_time.total_seconds()
        environment = child_environment(self.settings)
        return LocalNotebookRunner(notebook, self.files.notebook_runs, environment, timeout_seconds=limit)

    def pii_key(self) -> PersonalDataKey:
        """The configured key of personal data, or else the world's own, which is made when first needed."""
        return deployment_key(self.settings)


def _store_of(
    settings: Settings, files: WorldFiles, clock: LocalClock, faults: Faults
) -> tuple[ObjectStore, WorldBuckets]:
    """The object store that the settings name, and its buckets as the local world makes them."""
    bucket = settings.permanent_bucket
    if settings.store == "local":
        store = CutShortObjectStore(files.buckets, clock, permanent_bucket=bucket, faults=faults)
        return store, FolderBuckets(store, files.lifecycle)
    access, terms, copies = settings.s3_access, settings.bucket_terms, settings.copy_terms
    if settings.clock == "system":
        return S3ObjectStore(access, terms=terms, copies=copies), S3Buckets(access)
    on_s3 = world_store_on_s3(access, files, permanent_bucket=bucket, terms=terms, copies=copies)
    return on_s3, S3Buckets(access)


def _index_of(settings: Settings, files: WorldFiles) -> tuple[SegmentIndex, SegmentItems]:
    """The segment index that the settings name, and its items as the extractor writes them."""
    if settings.segment_index == "local":
        local = LocalSegmentIndex(files.segment_index)
        return local, local
    table = settings.table_of_segments(settings.segment_table or "")
    return DynamoDbSegmentIndex(table), DynamoDbSegmentItems(table)
