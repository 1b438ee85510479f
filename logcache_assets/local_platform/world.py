"""The local world: one folder with a twin of every outside system, and paths to them.

buckets/<bucket>/<key>   objects           segment_index.sqlite   the segment index
metapod.sqlite           metapod           itaipu.git, pull_requests/   the itaipu repository
clock                    the world's date  notebook_runs/, sabesp_logs/  what was run
catalog/                 definitions       undelivered/           segments of the days to come
dagster/                 Dagster's storage faults/                armed accidents
"""

from pathlib import Path

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.metapod import GraphQLMetapod
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.local_platform.faults import CutShortObjectStore, Faults
from logcache_assets.local_platform.itaipu_repository import LocalItaipuRepository
from logcache_assets.local_platform.metapod_service import local_transport
from logcache_assets.local_platform.metapod_store import MetapodStore
from logcache_assets.local_platform.notebook_runner import LocalNotebookRunner
from logcache_assets.local_platform.segment_index import LocalSegmentIndex
from logcache_assets.settings import Settings, child_environment


class World:
    """Paths and twins of a local world; creating the object reads nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.home_folder
        self.buckets = self.home / "buckets"
        self.catalog = self.home / "catalog"
        self.undelivered = self.home / "undelivered"
        self.reextraction = self.home / "reextraction"
        self.dagster_home = settings.dagster_folder
        self.clock = LocalClock(self.home / "clock")
        self.faults = Faults(self.home / "faults")
        self.store: FolderObjectStore = CutShortObjectStore(
            self.buckets, self.clock, permanent_bucket=settings.permanent_bucket, faults=self.faults
        )
        self.segment_index = LocalSegmentIndex(self.home / "segment_index.sqlite")
        self.metapod_store = MetapodStore(self.home / "metapod.sqlite")
        self.repository = LocalItaipuRepository(self.home / "itaipu.git", self.home / "pull_requests", self.clock)

    @property
    def exists(self) -> bool:
        """True if a world was built here."""
        return (self.home / "clock").is_file() and (self.home / "itaipu.git").is_dir()

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
        return LocalNotebookRunner(notebook, self.home / "notebook_runs", child_environment(self.settings))
