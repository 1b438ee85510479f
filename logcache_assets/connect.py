"""Builds the ports from settings, without Dagster: for the command line, and for the notebook on a cluster.

Only this module knows which adapter serves which port on which platform. Building the ports reads nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from logcache_assets.adapters.alerts.alert_file import AlertFile
from logcache_assets.adapters.alerts.heartbeat import Heartbeat
from logcache_assets.adapters.alerts.mail import Mail
from logcache_assets.adapters.alerts.webhook import Webhook
from logcache_assets.adapters.aws.s3_bucket_facts import S3BucketFacts
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.adapters.databricks.access import AccessToken, DatabricksAccess, ServicePrincipal
from logcache_assets.adapters.databricks.cluster import Cluster, ExistingCluster, JobCluster
from logcache_assets.adapters.databricks.job_runs import JobRuns
from logcache_assets.adapters.databricks.notebook_runner import DatabricksNotebookRunner, Patience
from logcache_assets.adapters.databricks.release import Release, Shelf
from logcache_assets.adapters.github.api import GitHubApi
from logcache_assets.adapters.github.facts import GitHubFacts
from logcache_assets.adapters.github.repository import GitHubRepository
from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.adapters.sabesp import SabespItaipu
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.domain.names import COUNTRY
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.bucket_facts import FolderFacts
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_files import WorldFiles
from logcache_assets.ports import Ports
from logcache_assets.ports.bucket_facts import BucketFacts
from logcache_assets.ports.notifier import Notifier
from logcache_assets.settings import (
    SECRETS,
    Settings,
    child_environment,
    cluster_environment,
    public_environment,
    variable_of,
)

NOTEBOOK = Path(__file__).parent / "notebooks" / "export_log.py"
"""The export notebook, in Databricks' source format."""


def connect(settings: Settings) -> Ports:
    """The ports of the configured platform."""
    world = World(settings)
    return Ports(
        store=world.store,
        segment_index=world.segment_index,
        metapod=graphql_metapod(settings) if settings.metapod == "graphql" else world.metapod,
        notebook_runner=(
            databricks_runner(settings) if settings.notebook == "databricks" else world.notebook_runner(NOTEBOOK)
        ),
        itaipu=sabesp_itaipu(settings),
        repository=world.repository if settings.repository == "local" else github_repository(settings),
        clock=SystemClock() if settings.clock == "system" else world.clock,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Whom to tell what is wrong, and the heartbeat."""

    notifiers: tuple[Notifier, ...]
    heartbeat: Heartbeat


def channels_of(settings: Settings) -> Channels:
    """The channels that the settings name, beside the file in the home, which is always written."""
    home = settings.home_folder
    sender = "Log cache" if settings.country == COUNTRY else f"Log cache {settings.country}"
    notifiers: list[Notifier] = [AlertFile(home=home)]
    if settings.alert_webhook:
        notifiers.append(Webhook(url=settings.secret("alert_webhook"), sender=sender))
    if settings.alert_mail_to:
        notifiers.append(
            Mail(
                server=settings.mail_server,
                sender=sender,
                from_address=settings.alert_mail_from or "",
                to_addresses=settings.mail_addresses,
            )
        )
    url = settings.secret("heartbeat_url") if settings.heartbeat_url else None
    return Channels(notifiers=tuple(notifiers), heartbeat=Heartbeat(home=home, url=url))


def github_repository(settings: Settings) -> GitHubRepository:
    """The itaipu repository on GitHub."""
    return GitHubRepository(settings.github_access, base_branch=settings.github_base_branch, audience=settings.audience)


def github_facts(settings: Settings) -> GitHubFacts:
    """What the repository on GitHub says of itself."""
    return GitHubFacts(GitHubApi(settings.github_access), settings.github_base_branch)


def bucket_facts(settings: Settings) -> BucketFacts:
    """What the buckets say of themselves, where the settings say that objects lie."""
    if settings.store == "local":
        return FolderFacts(WorldFiles(settings.home_folder).buckets)
    return S3BucketFacts(settings.s3_access, settings.bucket_terms)


def s3_store(settings: Settings) -> S3ObjectStore:
    """S3 itself, whatever the platform is."""
    return S3ObjectStore(settings.s3_access, terms=settings.bucket_terms, copies=settings.copy_terms)


def graphql_metapod(settings: Settings) -> GraphQLMetapod:
    """Metapod behind the address that the settings name."""
    return GraphQLMetapod(settings.metapod_transports, country=settings.country, queries=settings.metapod_queries_file)


def require_platform(settings: Settings) -> None:
    """Check that the configured platform exists, and make its home if it needs no local world.

    Raises:
        BadInput: no local world was built and one is needed, or the home cannot be made.
    """
    if settings.uses_local_world:
        World(settings).require()
        return
    try:
        settings.home_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{settings.home_folder} cannot be made ({error.strerror}); set LOGCACHE_HOME") from error


def sabesp_itaipu(settings: Settings) -> SabespItaipu:
    """Itaipu run by the `sabesp` that the settings name, by default the one that this package installs."""
    bucket = f"s3a://{settings.ephemeral_bucket}/"
    is_ours = settings.sabesp is None
    return SabespItaipu(
        executable=settings.sabesp_executable,
        aurora_stack=settings.aurora_stack,
        run_name=settings.run_name,
        in_uri=settings.sabesp_in or bucket,
        out_uri=settings.sabesp_out or bucket,
        machines=settings.machines,
        job=settings.sabesp_words("sabesp_job"),
        options=settings.sabesp_words("sabesp_options"),
        arguments=settings.sabesp_words("sabesp_arguments"),
        stop_command=settings.stop_command,
        stop_seconds=settings.sabesp_stop_seconds,
        log_folder=WorldFiles(settings.home_folder).sabesp_logs,
        environment=child_environment(settings) if is_ours else public_environment(settings),
        withheld=frozenset() if is_ours else frozenset({*map(variable_of, SECRETS), "PGPASSWORD"}),
        timeout_seconds=60.0 * settings.test_run_timeout_minutes,
        idle_timeout_seconds=60.0 * settings.sabesp_idle_minutes,
        country=settings.country,
        computes_here=is_ours,
    )


def databricks_runner(settings: Settings) -> DatabricksNotebookRunner:
    """Runs of the notebook on the workspace and the cluster that the settings name."""
    access = databricks_access(settings)
    return DatabricksNotebookRunner(
        runs=JobRuns(
            access=access, cluster=cluster_of(settings), reads=RepeatedReads(), viewers=settings.databricks_viewers
        ),
        release=release_of(settings, access),
        patience=Patience(timeout_seconds=60 * settings.export_timeout_minutes, attempts=settings.databricks_attempts),
    )


def databricks_access(settings: Settings) -> DatabricksAccess:
    """The workspace that the settings name, and who asks it; nobody signs in yet."""
    return DatabricksAccess(host=(settings.databricks_host or "").rstrip("/"), identity=_identity(settings))


def own_release(settings: Settings) -> Release:
    """This version of wheel and notebook, where the settings put them on Databricks."""
    return release_of(settings, databricks_access(settings))


def _identity(settings: Settings) -> AccessToken | ServicePrincipal:
    if settings.databricks_client_id is None:
        return AccessToken(token=settings.secret("databricks_token"))
    return ServicePrincipal(
        client_id=settings.databricks_client_id,
        client_secret=settings.secret("databricks_client_secret"),
        azure_tenant=settings.databricks_azure_tenant,
    )


def release_of(settings: Settings, access: DatabricksAccess) -> Release:
    """This version, where the settings put it."""
    return Release(
        access=access,
        shelf=Shelf(folder=settings.databricks_folder, wheels=settings.databricks_wheels),
        notebook=NOTEBOOK,
        store=s3_store(settings),
    )


def cluster_of(settings: Settings) -> Cluster:
    """The cluster that the settings describe."""
    environment = cluster_environment(settings)
    if settings.databricks_cluster is not None:
        shown = {name: value for name, value in environment.items() if "{{" not in value}
        return ExistingCluster(cluster_id=settings.databricks_cluster, environment=shown)
    return JobCluster(
        spark_version=settings.databricks_spark_version,
        workers=settings.databricks_workers,
        node_type=settings.databricks_node_type,
        policy=settings.databricks_policy,
        pool=settings.databricks_pool,
        instance_profile=settings.databricks_instance_profile,
        tags=settings.tags_of_clusters,
        environment=environment,
    )
