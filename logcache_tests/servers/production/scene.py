"""Everything of production at once: a local world, every system of which is reached over a network as a bank's is.

S3 and DynamoDB are real servers; metapod is behind TLS and asks for a certificate; Databricks is a stand-in that runs
the uploaded notebook, GitHub one over the world's own git repository. The world's Itaipu, its nights and its date stay
what they are.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from logcache_assets.cli.databricks import upload
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_assets.settings import child_environment
from logcache_tests.conftest import silent
from logcache_tests.servers.buckets import empty_buckets, no_tables
from logcache_tests.servers.databricks import Workspace, databricks
from logcache_tests.servers.github.hub import GitHub
from logcache_tests.servers.github.server import served_github
from logcache_tests.servers.metapod_server import TlsMetapod, tls_metapod
from logcache_tests.servers.server import REGION, Server
from logcache_tests.worlds import settings_at

PREFIX = "LOGCACHE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """The world, and the servers by which it is reached."""

    world: World
    """Its settings name every server."""
    s3: Server
    github: GitHub
    metapod: TlsMetapod
    databricks: Workspace

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the deployment has in its environment."""
        return {**self.s3.credentials.variables, "AWS_REGION": REGION, **child_environment(self.world.settings)}


@contextmanager
def production(
    folder: Path,
    *,
    s3: Server,
    dynamodb: Server,
    write_data: Callable[[Path], None],
    spark: Mapping[str, str] | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[Production]:
    """Build a world on these servers and start the others, for the duration of the block.

    Args:
        folder: an empty one.
        s3: is emptied before and afterwards.
        dynamodb: likewise.
        write_data: writes the log of the world into a folder.
        spark: settings of the session that notebooks have; None for no Spark.
        more: settings of the deployment.
    """
    empty_buckets(s3)
    no_tables(dynamodb)
    write_data(folder / "data")
    on_servers = {
        "store": "s3",
        "s3_endpoint": s3.endpoint_url,
        "segment_index": "dynamodb",
        "segment_table": "segments",
        "dynamodb_endpoint": dynamodb.endpoint_url,
    }
    built = World(settings_at(folder / "home", **on_servers))
    build_world(built, folder / "data", silent)
    (folder / "certificates").mkdir()
    with ExitStack() as servers:
        metapod = servers.enter_context(tls_metapod(built.metapod_store, folder / "certificates"))
        github = servers.enter_context(served_github(built.files.repository, now=built.clock.now))
        rights = {**s3.credentials.variables, "AWS_REGION": REGION}
        vault = {("logcache", "pii-key"): built.settings.pii_key or ""}
        cluster = databricks(folder / "cluster", credentials=rights, secrets=vault, spark=spark)
        workspace = servers.enter_context(cluster)
        found = {**metapod.variables, **github.variables, **workspace.variables}
        own = {name.removeprefix(PREFIX).lower(): value for name, value in found.items()}
        world = World(settings_at(folder / "home", **on_servers, **own, **(more or {})))
        upload(world.settings)
        yield Production(world=world, s3=s3, github=github, metapod=metapod, databricks=workspace)
    empty_buckets(s3)
    no_tables(dynamodb)
