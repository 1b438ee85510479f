"""The bodies of the Jobs API 2.2 that the stand-in takes; a field that is not here is refused."""

from typing import Annotated, Literal

import msgspec

from logcache_tests.servers.databricks_answers import ApiError

_PARAMETERS_BYTES = 1 << 20


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all bodies."""


class NotebookTask(_Strict, frozen=True, kw_only=True):
    """`notebook_task`."""

    notebook_path: Annotated[str, msgspec.Meta(pattern="^/")]
    base_parameters: dict[str, str] = {}
    source: Literal["WORKSPACE"] = "WORKSPACE"


class Library(_Strict, frozen=True, kw_only=True):
    """One of `libraries`."""

    whl: Annotated[str, msgspec.Meta(pattern=r"^(/Workspace/|/Volumes/|s3://).*\.whl$")]


class AwsAttributes(_Strict, frozen=True, kw_only=True):
    """`aws_attributes`."""

    instance_profile_arn: str | None = None


class NewCluster(_Strict, frozen=True, kw_only=True):
    """`new_cluster`."""

    spark_version: Annotated[str, msgspec.Meta(pattern=r"^\d+\.\d+\.x-")]
    num_workers: Annotated[int, msgspec.Meta(ge=0)]
    node_type_id: str | None = None
    instance_pool_id: str | None = None
    driver_instance_pool_id: str | None = None
    policy_id: str | None = None
    apply_policy_default_values: bool = False
    data_security_mode: Literal["SINGLE_USER", "USER_ISOLATION", "NONE"] = "NONE"
    aws_attributes: AwsAttributes = AwsAttributes()
    custom_tags: dict[str, str] = {}
    spark_conf: dict[str, str] = {}
    spark_env_vars: dict[str, str] = {}


class Task(_Strict, frozen=True, kw_only=True):
    """One of `tasks`."""

    task_key: Annotated[str, msgspec.Meta(pattern=r"^[\w-]{1,100}$")]
    notebook_task: NotebookTask
    libraries: list[Library] = []
    new_cluster: NewCluster | None = None
    existing_cluster_id: str | None = None


class Queue(_Strict, frozen=True, kw_only=True):
    """`queue`."""

    enabled: bool


class Access(_Strict, frozen=True, kw_only=True):
    """One of `access_control_list`."""

    group_name: str
    permission_level: Literal["CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE"]


class SubmitRun(_Strict, frozen=True, kw_only=True):
    """The body of runs/submit."""

    tasks: Annotated[list[Task], msgspec.Meta(min_length=1, max_length=1)]
    run_name: str = "Untitled"
    idempotency_token: str | None = None
    timeout_seconds: Annotated[int, msgspec.Meta(ge=0)] = 0
    queue: Queue = Queue(enabled=False)
    access_control_list: list[Access] = []


class RunId(_Strict, frozen=True, kw_only=True):
    """The body of runs/cancel."""

    run_id: int


def require_valid(asked: SubmitRun) -> None:
    """Refuse what the documentation refuses; raises ApiError."""
    task = asked.tasks[0]
    if asked.idempotency_token is not None and len(asked.idempotency_token) > 64:
        raise _invalid("The idempotency token must have at most 64 characters.")
    if (task.new_cluster is None) == (task.existing_cluster_id is None):
        raise _invalid("Exactly one of new_cluster and existing_cluster_id must be specified.")
    if len(msgspec.json.encode(task.notebook_task.base_parameters)) > _PARAMETERS_BYTES:
        raise _invalid("base_parameters cannot exceed 1 MB.")
    if task.new_cluster is not None:
        _require_machines(task.new_cluster)


def _require_machines(cluster: NewCluster) -> None:
    if cluster.instance_pool_id is not None and cluster.node_type_id is not None:
        raise _invalid("The field 'node_type_id' cannot be supplied when an instance pool ID is provided.")
    if not (cluster.instance_pool_id or cluster.node_type_id or cluster.policy_id):
        raise _invalid("Missing required field: node_type_id")
    if cluster.num_workers == 0 and cluster.spark_conf.get("spark.databricks.cluster.profile") != "singleNode":
        raise _invalid("num_workers must be at least 1, unless the cluster is a single node cluster.")


def _invalid(message: str) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)
