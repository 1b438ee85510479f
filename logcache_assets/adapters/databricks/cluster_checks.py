"""Asks Databricks whether what a cluster is made of exists, before a run would find out that it does not."""

from collections.abc import Callable, Iterator

from logcache_assets.adapters.databricks.access import DatabricksAccess
from logcache_assets.adapters.databricks.answers import answered
from logcache_assets.adapters.databricks.cluster import Cluster, ExistingCluster, JobCluster
from logcache_assets.ports import NotebookWrongData


def who_asks(access: DatabricksAccess) -> str:
    """Whom Databricks takes us for."""
    with answered("who asks", access.host, access.blanked):
        return f"{access.client.current_user.me().user_name} at {access.host}"


def find_cluster(access: DatabricksAccess, cluster: Cluster) -> str:
    """What the cluster is made of; raises NotebookError if a part of it is not there."""
    found = []
    for asked, ask in _questions(access, cluster):
        with answered(asked, access.host, access.blanked):
            ask()
        found.append(asked)
    return ", ".join(found)


def _questions(access: DatabricksAccess, cluster: Cluster) -> Iterator[tuple[str, Callable[[], object]]]:
    client = access.client
    if isinstance(cluster, ExistingCluster):
        yield f"cluster {cluster.cluster_id}", lambda: client.clusters.get(cluster.cluster_id)
        return
    yield f"runtime {cluster.spark_version}", lambda: _require_runtime(access, cluster)
    if (policy := cluster.policy) is not None:
        yield f"policy {policy}", lambda: client.cluster_policies.get(policy)
    if (pool := cluster.pool) is not None:
        yield f"pool {pool}", lambda: client.instance_pools.get(pool)
    elif cluster.node_type is not None:
        yield f"{cluster.workers + 1} {cluster.node_type}", lambda: _require_node_type(access, cluster)


def _require_runtime(access: DatabricksAccess, cluster: JobCluster) -> None:
    known = [version.key for version in access.client.clusters.spark_versions().versions or ()]
    if cluster.spark_version not in known:
        raise NotebookWrongData(
            f"Databricks has no runtime {cluster.spark_version}; correct LOGCACHE_DATABRICKS_SPARK_VERSION"
        )


def _require_node_type(access: DatabricksAccess, cluster: JobCluster) -> None:
    known = [kind.node_type_id for kind in access.client.clusters.list_node_types().node_types or ()]
    if cluster.node_type not in known:
        raise NotebookWrongData(
            f"Databricks has no machines of the type {cluster.node_type}; correct LOGCACHE_DATABRICKS_NODE_TYPE"
        )
