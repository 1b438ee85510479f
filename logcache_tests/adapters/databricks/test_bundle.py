"""`deploy/databricks.yml` has only fields that Databricks knows, and says what the settings say.

The SDK's own classes drop what they do not know, so what comes back from them is the whole file only if it is right.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from databricks.sdk.service import catalog, compute, jobs

from logcache_assets.adapters.databricks.cluster import JobCluster
from logcache_assets.connect import cluster_of
from logcache_assets.settings import load_settings

FILE = Path(__file__).parents[3] / "deploy" / "databricks.yml"
BUNDLE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
RESOURCES = BUNDLE["resources"]
OF_BUNDLES = {"permissions", "grants", "lifecycle"}
"""Fields of a resource that bundles have beside those of the API."""
SCOPE_FIELDS = {"name", "backend_type"}
"""The SDK has no class of a scope that is made."""
KNOWN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "jobs": lambda given: jobs.JobSettings.from_dict(given).as_dict(),
    "cluster_policies": lambda given: compute.Policy.from_dict(given).as_dict(),
    "volumes": lambda given: catalog.VolumeInfo.from_dict(given).as_dict(),
    "secret_scopes": lambda given: {name: value for name, value in given.items() if name in SCOPE_FIELDS},
}


@pytest.mark.parametrize("kind", RESOURCES)
def test_the_api_knows_every_field(kind: str) -> None:
    """A field that is misspelled would be passed over."""
    for given in RESOURCES[kind].values():
        of_api = {name: value for name, value in given.items() if name not in OF_BUNDLES}

        assert KNOWN[kind](of_api) == of_api


def test_every_variable_is_declared_and_used() -> None:
    """Each has a description; a target sets only what is declared."""
    used = set(re.findall(r"\$\{var\.(\w+)\}", FILE.read_text(encoding="utf-8")))

    assert used == BUNDLE["variables"].keys()
    assert all(variable["description"] for variable in BUNDLE["variables"].values())
    for target in BUNDLE["targets"].values():
        assert target.get("variables", {}).keys() <= BUNDLE["variables"].keys()


def test_there_is_a_target_for_trying_and_one_for_production() -> None:
    """Production runs as the service principal; trying is what happens unless somebody says otherwise."""
    assert {name: target["mode"] for name, target in BUNDLE["targets"].items()} == {
        "dev": "development",
        "prod": "production",
    }
    assert BUNDLE["targets"]["dev"]["default"] is True
    assert BUNDLE["targets"]["prod"]["run_as"] == {"service_principal_name": "${var.service_principal}"}


def test_the_policy_allows_the_clusters_of_our_runs() -> None:
    """By its own rules, with the settings' defaults: runtime, access mode, workers."""
    definition = RESOURCES["cluster_policies"]["logcache"]["definition"].replace("${var.most_workers}", "16")
    rules = json.loads(re.sub(r"\$\{var\.\w+\}", "x", definition))
    cluster = cluster_of(load_settings({"LOGCACHE_DATABRICKS_NODE_TYPE": "r6id.xlarge"}))
    assert isinstance(cluster, JobCluster)
    made = cluster.spec().as_dict()

    assert made["data_security_mode"] == rules["data_security_mode"]["value"]
    assert rules["num_workers"]["minValue"] <= made["num_workers"] <= rules["num_workers"]["maxValue"]
    assert made["spark_version"] == BUNDLE["variables"]["spark_version"]["default"]


def test_the_key_of_personal_data_is_a_reference() -> None:
    """In the scope that the file makes."""
    (task,) = RESOURCES["jobs"]["log_export"]["tasks"]
    scope = RESOURCES["secret_scopes"]["logcache"]["name"]

    assert task["new_cluster"]["spark_env_vars"]["LOGCACHE_PII_KEY"] == f"{{{{secrets/{scope}/pii-key}}}}"
