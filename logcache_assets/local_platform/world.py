"""The local world: one folder with a twin of every outside system, and paths to them.

buckets/<bucket>/<key>   objects           segment_index.sqlite   the segment index
metapod.sqlite           metapod           itaipu.git, pull_requests/   the itaipu repository
clock                    the world's date  notebook_runs/, sabesp_logs/  what was run
catalog/                 definitions       undelivered/           segments of the days to come
dagster/                 Dagster's storage faults/                accidents waiting to happen
"""

import secrets
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
from logcache_assets.ports import Tell
from logcache_assets.settings import Settings, child_environment


class World:
    """Paths and twins of one local world; building one reads nothing."""

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
        """Whether a world was built here."""
        return (self.home / "clock").is_file() and (self.home / "itaipu.git").is_dir()

    def require(self) -> None:
        """Refuse to go on without a world."""
        if not self.exists:
            raise BadInput(f"there is no local world in {self.home}; make one with `logcache local reset`")

    @property
    def metapod(self) -> GraphQLMetapod:
        """The client that production uses, over the local GraphQL service."""
        return GraphQLMetapod(local_transport(self.metapod_store))

    def notebook_runner(self, notebook: Path) -> LocalNotebookRunner:
        """Runs a notebook in a process of its own."""
        return LocalNotebookRunner(notebook, self.home / "notebook_runs", child_environment(self.settings))


def find_pii_key(settings: Settings, tell: Tell) -> bytes | None:
    """The key of personal data, if there is one already; one that nobody named is told."""
    file = settings.home_folder / "pii_key"
    if settings.pii_key is None and not file.is_file():
        return None
    if settings.pii_key is None:
        tell(f"Personal data is taken to be hashed with the local world's key, {file}; LOGCACHE_PII_KEY names another")
    return pii_key(settings)


def pii_key(settings: Settings) -> bytes:
    """The key of personal data: the configured one, else the local world's own, made when first needed."""
    if settings.pii_key:
        return settings.pii_key.encode()
    file = settings.home_folder / "pii_key"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32), encoding="utf-8")
    return file.read_text(encoding="utf-8").strip().encode()
