"""The stand-in's clusters, policies, pools, runtimes and machines, and whom it takes the asker for."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from logcache_tests.servers.databricks_answers import ApiError, Asked


@dataclass(frozen=True, kw_only=True)
class Compute:
    """What a cluster may be made of."""

    clusters: Collection[str]
    policies: Collection[str] = ("policy-1",)
    pools: Collection[str] = ("pool-1",)
    runtimes: Collection[str] = ("15.4.x-scala2.12", "16.4.x-scala2.12")
    node_types: Collection[str] = ("r6id.xlarge", "r6id.2xlarge")

    @property
    def routes(self) -> dict[tuple[str, str], Callable[[Asked], object]]:
        """Method and path → what answers."""
        return {
            ("GET", "/api/2.0/preview/scim/v2/Me"): lambda _: {"userName": "logcache", "active": True},
            ("GET", "/api/2.1/clusters/get"): self.cluster,
            ("GET", "/api/2.0/policies/clusters/get"): self.policy,
            ("GET", "/api/2.0/instance-pools/get"): self.pool,
            ("GET", "/api/2.1/clusters/spark-versions"): lambda _: {"versions": [{"key": k} for k in self.runtimes]},
            ("GET", "/api/2.1/clusters/list-node-types"): self.machines,
        }

    def cluster(self, asked: Asked) -> object:
        """A cluster that is there."""
        cluster = asked.required("cluster_id")
        if cluster not in self.clusters:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Cluster {cluster} does not exist")
        return {"cluster_id": cluster, "state": "TERMINATED"}

    def policy(self, asked: Asked) -> object:
        """A cluster policy."""
        policy = asked.required("policy_id")
        if policy not in self.policies:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Can't find a cluster policy with id: {policy}.")
        return {"policy_id": policy, "name": "logcache"}

    def pool(self, asked: Asked) -> object:
        """An instance pool."""
        pool = asked.required("instance_pool_id")
        if pool not in self.pools:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Can't find an instance pool with id: {pool}.")
        return {"instance_pool_id": pool, "instance_pool_name": "logcache"}

    def machines(self, _: Asked) -> object:
        """The types of machines."""
        of_all = {"memory_mb": 32768, "num_cores": 4.0, "description": "", "instance_type_id": ""}
        return {"node_types": [{"node_type_id": name, **of_all} for name in self.node_types]}
