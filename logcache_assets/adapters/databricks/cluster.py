"""The cluster of a run: one that is made for it and ends with it, or one that is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from databricks.sdk.service.compute import ClusterSpec

_ONE_MACHINE = {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"}
"""What Databricks demands of a cluster without workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCluster:
    """A cluster that Databricks makes for one run."""

    spark_version: str
    """Of Databricks' runtime, `16.4.x-scala2.12`."""
    workers: int
    """Machines beside the driver; with 0 the driver does the work."""
    node_type: str | None = None
    """None where the policy or the pool says it."""
    policy: str | None = None
    """Id of a cluster policy."""
    pool: str | None = None
    """Id of an instance pool, for workers and driver."""
    instance_profile: str | None = None
    """ARN; the cluster's rights on AWS."""
    tags: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of every machine, in which `{{secrets/scope/key}}` names a secret."""

    def spec(self) -> "ClusterSpec":
        """The same for the SDK."""
        from databricks.sdk.service import compute  # noqa: PLC0415 - see access.py

        alone = self.workers == 0
        return compute.ClusterSpec(
            spark_version=self.spark_version,
            num_workers=self.workers,
            node_type_id=None if self.pool else self.node_type,
            instance_pool_id=self.pool,
            driver_instance_pool_id=self.pool,
            policy_id=self.policy,
            apply_policy_default_values=True if self.policy else None,
            # Only so may Python on a cluster use the cluster's own rights on AWS.
            data_security_mode=compute.DataSecurityMode.SINGLE_USER,
            aws_attributes=compute.AwsAttributes(instance_profile_arn=self.instance_profile)
            if self.instance_profile
            else None,
            custom_tags={**self.tags, **({"ResourceClass": "SingleNode"} if alone else {})} or None,
            spark_conf=dict(_ONE_MACHINE) if alone else None,
            spark_env_vars=dict(self.environment),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingCluster:
    """A cluster that others keep; its machines' variables are theirs, so the notebook is given ours."""

    cluster_id: str
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables without secrets."""


Cluster = JobCluster | ExistingCluster
