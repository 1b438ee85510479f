"""The local world: a twin of every outside system in one folder; world_files.py has its layout."""

from pathlib import Path

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.metapod import GraphQLMetapod
from logcache_assets.adapters.personal_data_key import PersonalDataKey, read_or_make_key
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.local_platform.faults import CutShortObjectStore, Faults
from logcache_assets.local_platform.itaipu_repository import LocalItaipuRepository
from logcache_assets.local_platform.metapod_service import local_transport
from logcache_assets.local_platform.metapod_store import MetapodStore
from logcache_assets.local_platform.notebook_runner import LocalNotebookRunner
from logcache_assets.local_platform.segment_index import LocalSegmentIndex
from logcache_assets.local_platform.world_files import WorldFiles
from logcache_assets.settings import PII_KEY_VARIABLE, Settings, child_environment


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
        self.store: FolderObjectStore = CutShortObjectStore(
            files.buckets, self.clock, permanent_bucket=settings.permanent_bucket, faults=self.faults
        )
        self.segment_index = LocalSegmentIndex(files.segment_index)
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
        return GraphQLMetapod(local_transport(self.metapod_store))

    def notebook_runner(self, notebook: Path) -> LocalNotebookRunner:
        """Return a runner that starts the notebook in its own process."""
        return LocalNotebookRunner(notebook, self.files.notebook_runs, child_environment(self.settings))

    def pii_key(self) -> PersonalDataKey:
        """The configured key of personal data, or else the world's own, which is made when first needed."""
        return read_or_make_key(self.settings.pii_key, variable=PII_KEY_VARIABLE, file=self.files.pii_key)
