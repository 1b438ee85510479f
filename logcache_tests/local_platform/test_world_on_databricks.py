"""A world on S3 whose notebook runs on Databricks: the real SDK, and a strict stand-in that runs what was uploaded."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from logcache_assets.cli import databricks as databricks_command
from logcache_assets.cli import refresh
from logcache_assets.connect import databricks_runner
from logcache_assets.domain.log_cache_map import MAP_PATH, instances_of, parse_map
from logcache_assets.domain.log_documents import LogExport
from logcache_assets.engine.drivers.spark import LOCAL_SETTINGS
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_assets.refresh.document_store import Documents
from logcache_assets.settings import SECRETS, variable_of
from logcache_tests.conftest import silent
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.databricks import Workspace, databricks, submitted
from logcache_tests.servers.fixtures import or_skipped
from logcache_tests.servers.hadoop_aws import s3a_settings
from logcache_tests.servers.server import Server
from logcache_tests.worlds import materialize, refusal_of, settings_at, write_feed_data

LAST_T = {"feed-s0": 4836, "feed-s1": 4770}
"""What Datomic had when the night began."""


@contextmanager
def world_on(
    s3: Server, folder: Path, *, spark: dict[str, str] | None = None, **variables: str
) -> Iterator[tuple[World, Workspace]]:
    """A small world whose objects lie on a server, and a workspace to which this version was uploaded."""
    empty_buckets(s3)
    write_feed_data(folder / "data")
    machines = {**s3.credentials.variables, "AWS_REGION": s3.region}
    secrets = {("logcache", "pii-key"): PII_KEY.decode()}
    with databricks(folder / "cluster", credentials=machines, secrets=secrets, spark=spark) as workspace:
        own = {name.removeprefix("LOGCACHE_").lower(): value for name, value in workspace.variables.items()}
        settings = settings_at(folder / "home", store="s3", s3_endpoint=s3.endpoint_url, **own, **variables)
        world = World(settings)
        build_world(world, folder / "data", silent)
        databricks_command.upload(settings)
        yield world, workspace


def test_the_raw_logs_are_described_by_a_run_on_databricks(moto_server: Server, tmp_path: Path) -> None:
    """The asset names the run's page; the cluster is given where objects lie, and no secret."""
    with world_on(moto_server, tmp_path) as (world, workspace):
        result = materialize(world, "nightly_transaction", "log_export/feed")

        assert refusal_of(result) == ""
        (found,) = result.asset_materializations_for_node("log_export")
        (run,) = workspace.jobs.runs.values()
        assert found.metadata["notebook_run"] == dg.MetadataValue.url(run.url)
        assert {name: found.metadata[f"last_t/{name}"].value for name in LAST_T} == LAST_T
        (asked,) = submitted(workspace)
    given = asked["tasks"][0]["new_cluster"]["spark_env_vars"]
    assert given["LOGCACHE_STORE"] == "s3"
    assert given["LOGCACHE_S3_ENDPOINT"] == moto_server.endpoint_url
    assert given.keys() & {variable_of(name) for name in SECRETS} == set()
    assert not {PII_KEY.decode(), workspace.token} & set(given.values())


@pytest.fixture
def s3a(versitygw_server: Server) -> Iterator[dict[str, str]]:
    """Spark's settings to read S3 itself."""
    with or_skipped(s3a_settings(versitygw_server)) as settings:
        yield settings


COMPARED_THERE = {"validation_driver": "databricks", "databricks_pii_key": "{{secrets/logcache/pii-key}}"}


@pytest.mark.servers
@pytest.mark.parametrize(
    ("variables", "runs"),
    [
        pytest.param({}, ["request"], id="export"),
        pytest.param(COMPARED_THERE, ["request", "comparison"], id="export and comparison"),
        pytest.param({**COMPARED_THERE, "validation_cluster_bytes": "1000000000"}, ["request"], id="small contracts"),
    ],
)
def test_a_whole_refresh_with_the_notebook_on_spark(
    versitygw_server: Server, tmp_path: Path, variables: dict[str, str], runs: list[str]
) -> None:
    """The unchanged notebook runs on Spark over S3; the pull request has the t that Datomic had at the night."""
    with world_on(versitygw_server, tmp_path, spark=LOCAL_SETTINGS, **variables) as (world, workspace):
        refresh.run(world.settings, databases=(), transaction=None, dry_run=False, say=silent)

        done = list(workspace.jobs.runs.values())
        assert [run.state.result for run in done] == ["SUCCESS"] * len(runs)
        assert [name for run in done for name in run.task.notebook_task.base_parameters] == runs
        assert list(world.store.list_uris(world.settings.scratch_of_runs)) == []
    (request,) = world.repository.open_pull_requests()
    entries = parse_map(world.repository.read(MAP_PATH, ref=request.head_sha), where="map")
    assert {instance.name: entry.last_t for instance, entry in instances_of(entries)} == LAST_T


COUNT = """\
# Databricks notebook source
import json
rows = {}
for name, uri in json.loads(dbutils.widgets.get("logs")).items():
    log = spark.read.parquet(uri.replace("s3://", "s3a://"))
    rows[name] = [log.count(), log.agg({"t": "max"}).first()[0]]
dbutils.notebook.exit(json.dumps(rows))
"""


@pytest.mark.servers
def test_sparks_own_reader_finds_what_the_notebook_found(
    versitygw_server: Server, s3a: dict[str, str], tmp_path: Path
) -> None:
    """Datoms and last t of each raw log, read from S3 by Spark through s3a, with the cluster's rights."""
    (tmp_path / "count.py").write_text(COUNT, encoding="utf-8")
    with world_on(versitygw_server, tmp_path, spark={**LOCAL_SETTINGS, **s3a}) as (world, _):
        result = materialize(world, "nightly_transaction", "log_export/feed")
        assert refusal_of(result) == ""
        (found,) = result.asset_materializations_for_node("log_export")
        documents, uri = Documents(world.store), str(found.metadata["document"].value)
        exported = {logs.instance: logs.log for logs in documents.read(uri, LogExport).instances}
        own = databricks_runner(world.settings)
        count = replace(own, release=replace(own.release, notebook=tmp_path / "count.py"))
        list(count.release.upload())

        logs = json.dumps({name: log.uri for name, log in exported.items()})
        counted = count.run({"logs": logs}, token="count", tell=silent, tell_output=silent)  # noqa: S106 - no secret

    assert json.loads(counted.result) == {name: [log.rows, log.last_t] for name, log in exported.items()}
    assert {name: log.last_t for name, log in exported.items()} == LAST_T
