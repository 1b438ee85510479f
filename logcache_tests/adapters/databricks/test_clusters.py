"""What a run's cluster is made of, what it is told, and what Databricks refuses."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from logcache_assets.connect import cluster_of, databricks_runner
from logcache_assets.errors import WrongUsage
from logcache_assets.ports import NotebookError, NotebookRun, NotebookRunner, NotebookWrongData
from logcache_assets.settings import Settings, load_settings
from logcache_tests.adapters.notebook_worlds import COUNT, TOKEN, DatabricksWorld
from logcache_tests.servers.databricks import PROFILE, submitted
from logcache_tests.servers.databricks_runs import SUCCESS

EXIT = COUNT + "dbutils.notebook.exit('result')"
KEY = "an invented key of a bank"
SHOW_KEY = "import os\ndbutils.notebook.exit(str(len(os.environ.get('LOGCACHE_PII_KEY', ''))))"


def settings_of(world: DatabricksWorld, **variables: str) -> Settings:
    """The settings of a world, with more of Databricks'."""
    given = {f"LOGCACHE_DATABRICKS_{name.upper()}": value for name, value in variables.items()}
    kept = {name: value for name, value in world.workspace.variables.items() if given.get(name) != ""}
    chosen = {name: value for name, value in given.items() if value}
    return load_settings({"LOGCACHE_STORE": "s3", **kept, **chosen})


def run_on(world: DatabricksWorld, source: str = EXIT, **variables: str) -> NotebookRun:
    """Run a notebook on the cluster that these settings describe."""
    world.cluster = cluster_of(settings_of(world, environment=f"STARTS={world.folder / 'starts'}", **variables))
    return world.run(source)


def asked_for(world: DatabricksWorld) -> dict[str, Any]:
    """The cluster of the only submission."""
    (body,) = submitted(world.workspace)
    cluster: dict[str, Any] = body["tasks"][0]["new_cluster"]
    return cluster


def test_a_cluster_is_made_as_the_settings_say(world: DatabricksWorld) -> None:
    """Node type, workers, runtime, policy, rights, tags; only so much is asked for."""
    run_on(world, workers="7", policy="policy-1", tags="team=data, cost=log cache", spark_version="15.4.x-scala2.12")

    made = asked_for(world)
    environment = made.pop("spark_env_vars")
    assert made == {
        "spark_version": "15.4.x-scala2.12",
        "num_workers": 7,
        "node_type_id": "r6id.xlarge",
        "policy_id": "policy-1",
        "apply_policy_default_values": True,
        "data_security_mode": "SINGLE_USER",
        "aws_attributes": {"instance_profile_arn": PROFILE},
        "custom_tags": {"team": "data", "cost": "log cache"},
    }
    assert environment["LOGCACHE_PERMANENT_BUCKET"] == "nu-spark-metapod"


def test_a_group_may_see_the_pages_of_runs(world: DatabricksWorld) -> None:
    """Without it only whoever signs in and administrators do."""
    for viewers in ("", "data-platform"):
        runner = databricks_runner(settings_of(world, viewers=viewers))
        list(runner.release.upload())
        world.workspace.jobs.endings.append(SUCCESS)
        with pytest.raises(NotebookWrongData, match="without a result"):
            runner.run({}, token=viewers or TOKEN, tell=print, tell_output=print)

    lists = [body.get("access_control_list") for body in submitted(world.workspace)]
    assert lists == [None, [{"group_name": "data-platform", "permission_level": "CAN_VIEW"}]]


def test_a_pool_says_on_which_machines(world: DatabricksWorld) -> None:
    """Databricks refuses a node type beside it."""
    run_on(world, pool="pool-1")

    made = asked_for(world)
    assert (made["instance_pool_id"], made["driver_instance_pool_id"]) == ("pool-1", "pool-1")
    assert "node_type_id" not in made


def test_one_machine_can_be_enough(world: DatabricksWorld) -> None:
    """Without workers the driver does the work."""
    run_on(world, workers="0")

    made = asked_for(world)
    assert made["spark_conf"] == {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"}
    assert made["custom_tags"] == {"ResourceClass": "SingleNode"}


def test_a_cluster_that_is_there_is_given_the_settings(world: DatabricksWorld) -> None:
    """As a parameter of the notebook, because its machines have other variables; nothing secret is among it."""
    world.workspace.jobs.clusters = {"0123-shared": {"STARTS": str(world.folder / "starts")}}
    source = "dbutils.widgets.text('settings', '{}')\ndbutils.notebook.exit(dbutils.widgets.get('settings'))"

    given = run_on(world, source, cluster="0123-shared", pii_key="{{secrets/logcache/pii}}").result

    (body,) = submitted(world.workspace)
    assert body["tasks"][0]["existing_cluster_id"] == "0123-shared"
    assert "new_cluster" not in body["tasks"][0]
    assert '"LOGCACHE_STORE":"s3"' in given.replace(" ", "")
    assert "PII_KEY" not in given


def test_the_key_of_personal_data_is_named_and_never_sent(world: DatabricksWorld) -> None:
    """The cluster's machines find it in their secret scope; the request has the name alone."""
    world.workspace.jobs.secrets = {("logcache", "pii"): KEY}

    found = run_on(world, SHOW_KEY, pii_key="{{secrets/logcache/pii}}").result

    assert found == str(len(KEY))
    assert asked_for(world)["spark_env_vars"]["LOGCACHE_PII_KEY"] == "{{secrets/logcache/pii}}"
    assert not [asked for asked in world.workspace.asked if KEY.encode() in asked.content]


def test_a_key_of_this_computer_is_not_passed_on(world: DatabricksWorld) -> None:
    """Only its reference in a vault would be."""
    own = load_settings({**world.workspace.variables, "LOGCACHE_STORE": "s3", "LOGCACHE_PII_KEY": KEY})
    in_vault = load_settings(
        {**world.workspace.variables, "LOGCACHE_STORE": "s3", "LOGCACHE_PII_KEY": "ssm:/logcache/pii"}
    )

    assert "LOGCACHE_PII_KEY" not in cluster_of(own).environment
    assert KEY not in repr(cluster_of(own))
    assert cluster_of(in_vault).environment["LOGCACHE_PII_KEY"] == "ssm:/logcache/pii"


def test_a_key_in_the_setting_of_clusters_is_refused() -> None:
    """It would be shown on every cluster's page; the message does not show it."""
    with pytest.raises(WrongUsage, match="LOGCACHE_DATABRICKS_PII_KEY is no reference") as told:
        load_settings({"LOGCACHE_DATABRICKS_PII_KEY": KEY})

    assert KEY not in str(told.value)


def test_profile_and_role_of_this_computer_are_not_passed_on() -> None:
    """A cluster has rights of its own; what it needs besides is a setting, which wins."""
    settings = load_settings(
        {
            "LOGCACHE_AWS_PROFILE": "me",
            "LOGCACHE_AWS_ROLE": "arn:aws:iam::123456789012:role/me",
            "LOGCACHE_AWS_REGION": "sa-east-1",
            "LOGCACHE_DATABRICKS_ENVIRONMENT": "LOGCACHE_AWS_ROLE=arn:aws:iam::123456789012:role/cluster,A=b=c",
        }
    )

    environment = cluster_of(settings).environment

    assert "LOGCACHE_AWS_PROFILE" not in environment
    assert environment["LOGCACHE_AWS_ROLE"].endswith("/cluster")
    assert (environment["LOGCACHE_AWS_REGION"], environment["A"]) == ("sa-east-1", "b=c")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param({"cluster": "0000-gone"}, "Cluster 0000-gone does not exist", id="cluster"),
        pytest.param({"policy": "gone"}, "a cluster policy with id: gone", id="policy"),
        pytest.param({"pool": "gone"}, "an instance pool with id: gone", id="pool"),
        pytest.param(
            {"instance_profile": "arn:aws:iam::123456789012:instance-profile/other"},
            "instance-profile/other was not registered",
            id="instance profile",
        ),
    ],
)
def test_a_part_that_is_not_there_is_told(world: DatabricksWorld, variables: dict[str, str], sentence: str) -> None:
    """Whether by a run or by the doctor; nothing is started."""
    with pytest.raises(NotebookWrongData, match=f"refuses what was asked .*{sentence}.*LOGCACHE_DATABRICKS_"):
        run_on(world, **variables)

    assert world.workspace.jobs.runs == {}


def test_a_secret_that_is_not_there_is_told(world: DatabricksWorld) -> None:
    """The run's own end tells it."""
    with pytest.raises(NotebookWrongData, match="Secret does not exist with scope and key"):
        run_on(world, pii_key="{{secrets/gone/pii}}")


def wrongs_of(runner: NotebookRunner) -> Iterator[str]:
    """What a runner's checks find wrong."""
    for ask in runner.checks().values():
        try:
            ask()
        except NotebookError as error:
            yield str(error)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param({"token": "dapi-wrong"}, "does not accept who asks .*Invalid access token", id="token"),
        pytest.param({"cluster": "0000-gone"}, "does not know .*Cluster 0000-gone does not exist", id="cluster"),
        pytest.param({"policy": "gone"}, "does not know .*policy gone.*with id: gone", id="policy"),
        pytest.param({"pool": "gone"}, "does not know .*pool gone.*with id: gone", id="pool"),
        pytest.param({"node_type": "r6id.huge"}, "no machines of the type r6id.huge", id="node type"),
        pytest.param({"spark_version": "99.9.x-scala2.13"}, "no runtime 99.9.x-scala2.13", id="runtime"),
        pytest.param({"folder": "/Workspace/Shared/elsewhere"}, "does not have this version", id="not uploaded"),
    ],
)
def test_the_doctor_finds_what_is_wrong(world: DatabricksWorld, variables: dict[str, str], sentence: str) -> None:
    """Before any cluster starts."""
    well = databricks_runner(settings_of(world))
    list(well.release.upload())
    assert {name: bool(ask()) for name, ask in well.checks().items()} == {
        "signed in": True,
        "uploaded": True,
        "cluster": True,
    }

    found = "; ".join(wrongs_of(databricks_runner(settings_of(world, **variables))))

    assert re.search(sentence, found)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"LOGCACHE_STORE": "local"}, "no cluster reads this computer's folders"),
        ({"LOGCACHE_DATABRICKS_NODE_TYPE": ""}, "LOGCACHE_DATABRICKS_NODE_TYPE"),
        ({"LOGCACHE_DATABRICKS_CLIENT_ID": "me"}, "TOKEN and LOGCACHE_DATABRICKS_CLIENT_ID are both set"),
        ({"LOGCACHE_DATABRICKS_TAGS": "team"}, "LOGCACHE_DATABRICKS_TAGS has a part that is no name=value"),
        ({"LOGCACHE_DATABRICKS_ENVIRONMENT": "A"}, "LOGCACHE_DATABRICKS_ENVIRONMENT has a part"),
        ({"LOGCACHE_DATABRICKS_FOLDER": "/Shared/logcache"}, "LOGCACHE_DATABRICKS_FOLDER is"),
        ({"LOGCACHE_DATABRICKS_WHEELS": "dbfs:/wheels"}, "LOGCACHE_DATABRICKS_WHEELS is"),
        ({"LOGCACHE_DATABRICKS_HOST": "dbc.example"}, "LOGCACHE_DATABRICKS_HOST is"),
    ],
)
def test_settings_with_which_nothing_can_run_are_refused(
    world: DatabricksWorld, variables: dict[str, str], sentence: str
) -> None:
    """When they are read, with the variable's name."""
    given = {**world.workspace.variables, "LOGCACHE_STORE": "s3", **variables}

    with pytest.raises(WrongUsage, match=sentence):
        load_settings(given)


def test_a_policy_may_say_the_machines(world: DatabricksWorld) -> None:
    """Then no node type is needed."""
    given = {n: v for n, v in world.workspace.variables.items() if n != "LOGCACHE_DATABRICKS_NODE_TYPE"}
    settings = load_settings({**given, "LOGCACHE_STORE": "s3", "LOGCACHE_DATABRICKS_POLICY": "policy-1"})
    world.cluster = cluster_of(settings)

    assert world.runner("dbutils.notebook.exit('')").run({}, token=TOKEN, tell=print, tell_output=print).result == ""
    assert asked_for(world)["policy_id"] == "policy-1"
