"""The settings of Databricks, where the notebook runs."""

import re
from typing import Annotated, Literal

import msgspec

from logcache_assets.domain.secret_references import is_reference
from logcache_assets.errors import WrongUsage
from logcache_assets.settings.github import GitHubSettings
from logcache_assets.settings.secrets import SECRETS, variable_of

Host = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^/\s]+/?$",
        description="the address of a workspace, such as https://acme.cloud.databricks.com",
    ),
]
Name = Annotated[str, msgspec.Meta(min_length=1)]
WorkspaceFolder = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^/Workspace/\S+$", description="a folder of the workspace, such as /Workspace/Shared/logcache"
    ),
]
WheelFolder = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?:/Volumes/\S+/\S+/\S+|s3://\S+)$",
        description="a folder of a volume, /Volumes/catalog/schema/volume, or one on S3, s3://bucket/folder",
    ),
]
InstanceProfile = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^arn:aws[\w-]*:iam::\d{12}:instance-profile/\S+$",
        description="the ARN of an instance profile, such as arn:aws:iam::123456789012:instance-profile/reader",
    ),
]

_SECRET_ON_CLUSTER = re.compile(r"\{\{secrets/[\w.@-]+/[\w.@-]+\}\}")
_PAIR = re.compile(r"\s*([^=,\s]+)\s*=\s*([^,]*?)\s*")

ON_A_CLUSTER = (
    "store",
    "segment_index",
    "clock",
    "country",
    "ephemeral_bucket",
    "permanent_bucket",
    "aws_region",
    "aws_max_attempts",
    "s3_endpoint",
    "dynamodb_endpoint",
    "segment_table",
    "segment_table_index",
    "segment_partition_key",
    "segment_sort_key",
    "ephemeral_account",
    "permanent_account",
    "permanent_kms_key",
    "permanent_storage_class",
    "permanent_tags",
    "multipart_copy_bytes",
    "copies_at_once",
)
"""The settings that a notebook on a cluster is given: where objects lie, and which index names segments.

Profile and role are this computer's own.
"""


class DatabricksSettings(GitHubSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How Databricks is reached, and on which cluster the notebook runs there."""

    notebook: Literal["local", "databricks"] = "local"
    """Where the notebook runs: in a process on this computer, or on Databricks."""
    databricks_host: Host | None = None
    """URL of the workspace."""
    databricks_token: str | None = None
    """Secret; a personal access token."""
    databricks_client_id: Name | None = None
    """Of a service principal, instead of a token."""
    databricks_client_secret: str | None = None
    """Secret; the service principal's."""
    databricks_azure_tenant: Name | None = None
    """Of Azure's service principals alone."""
    databricks_folder: WorkspaceFolder = "/Workspace/Shared/logcache"
    """Folder of the workspace for notebooks, and for wheels unless the next setting names one."""
    databricks_wheels: WheelFolder | None = None
    """A volume's folder, or one on S3."""
    databricks_cluster: Name | None = None
    """Id of a cluster that is there; default: one is made for each run."""
    databricks_spark_version: Name = "16.4.x-scala2.12"
    """Databricks' runtime; its Python must be 3.11 or newer."""
    databricks_node_type: Name | None = None
    """Type of the machines, unless a policy or a pool says it."""
    databricks_workers: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 4
    """Machines beside the driver."""
    databricks_policy: Name | None = None
    """Id of a cluster policy."""
    databricks_pool: Name | None = None
    """Id of an instance pool."""
    databricks_instance_profile: InstanceProfile | None = None
    """ARN of the cluster's rights on AWS."""
    databricks_tags: str = ""
    """Tags of the cluster, `team=data,cost=logcache`."""
    databricks_viewers: Name | None = None
    """A group that may see the pages of runs."""
    databricks_environment: str = ""
    """More variables of the cluster, `LOGCACHE_AWS_ROLE=arn:…`."""
    databricks_pii_key: str | None = None
    """Where a cluster finds the key of personal data: `{{secrets/scope/key}}`, or a vault's secret."""
    databricks_attempts: Annotated[int, msgspec.Meta(gt=0, le=10)] = 3
    """How many runs are started at most when Databricks or the cloud fails."""

    @property
    def tags_of_clusters(self) -> dict[str, str]:
        """The tags of a cluster."""
        return pairs(self.databricks_tags, "LOGCACHE_DATABRICKS_TAGS")

    @property
    def more_on_clusters(self) -> dict[str, str]:
        """More variables of a cluster."""
        return pairs(self.databricks_environment, "LOGCACHE_DATABRICKS_ENVIRONMENT")


def pairs(text: str, variable: str) -> dict[str, str]:
    """Read `name=value,name=value`; raises WrongUsage, which names the variable."""
    found = {}
    for part in filter(str.strip, text.split(",")):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            raise WrongUsage(f"{variable} has a part that is no name=value; write name=value,name=value")
        found[pair[1]] = pair[2]
    return found


def require_databricks(settings: DatabricksSettings, *, store: str) -> None:
    """Refuse settings with which no notebook can run on Databricks; raises WrongUsage."""
    if settings.databricks_pii_key is not None and not _is_on_cluster(settings.databricks_pii_key):
        raise WrongUsage(
            "LOGCACHE_DATABRICKS_PII_KEY is no reference, and a key would be shown on a cluster's page; write "
            "{{secrets/scope/key}}, secretsmanager:NAME or ssm:NAME"
        )
    settings.tags_of_clusters  # noqa: B018 - they are read now, and wrong ones told
    for variable, value in settings.more_on_clusters.items():
        if variable in map(variable_of, SECRETS) and not _is_on_cluster(value):
            raise WrongUsage(
                f"LOGCACHE_DATABRICKS_ENVIRONMENT has {variable}, a secret, which would be shown on a cluster's page; "
                "write {{secrets/scope/key}}, secretsmanager:NAME or ssm:NAME"
            )
    if settings.notebook != "databricks":
        return
    if store == "local":
        raise WrongUsage(
            "LOGCACHE_NOTEBOOK is databricks and LOGCACHE_STORE is local, and no cluster reads this computer's "
            "folders; set LOGCACHE_STORE=s3"
        )
    _require_one_identity(settings)
    if not any(
        (
            settings.databricks_cluster,
            settings.databricks_policy,
            settings.databricks_pool,
            settings.databricks_node_type,
        )
    ):
        raise WrongUsage(
            "LOGCACHE_DATABRICKS_NODE_TYPE is not set, and no policy, pool or cluster says on which machines the "
            "notebook runs; set one of them"
        )


def _require_one_identity(settings: DatabricksSettings) -> None:
    """Refuse two ways to sign in; one that is missing is told when it is needed, since secrets may lie elsewhere."""
    if settings.databricks_token is not None and settings.databricks_client_id is not None:
        raise WrongUsage(
            "LOGCACHE_DATABRICKS_TOKEN and LOGCACHE_DATABRICKS_CLIENT_ID are both set, and one of them signs in to "
            "Databricks; unset the other"
        )


def _is_on_cluster(value: str) -> bool:
    return bool(_SECRET_ON_CLUSTER.fullmatch(value)) or is_reference(value)
