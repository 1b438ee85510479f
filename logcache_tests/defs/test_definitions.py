"""What Dagit shows before anything ran: every asset, check, job and sensor, each with words for a newcomer."""

import subprocess
import sys

import dagster as dg
import pytest

from logcache_assets.connect import connect
from logcache_assets.definitions import defs
from logcache_assets.defs.assets.validation_report import APPROVED
from logcache_assets.defs.checks import contract_check_spec
from logcache_assets.defs.resources import given_resources
from logcache_assets.defs.run_storage import open_storage
from logcache_assets.domain.rules import RULES
from logcache_assets.local_platform.world import World
from logcache_tests.worlds import definitions_of, materialize

STAGES = {
    "nightly_transaction",
    "log_cache_candidate",
    "itaipu_test_run",
    "contract_inventory",
    "validation_report",
    "log_cache_pull_request",
}
DATABASES = ("customers", "double-entry", "feed")


def specs(world: World) -> list[dg.AssetSpec]:
    """Every asset's description."""
    return list(definitions_of(world).resolve_all_asset_specs())


def test_the_definitions_load(world: World) -> None:
    """Dagster accepts the code location as a whole."""
    definitions = definitions_of(world)

    dg.Definitions.validate_loadable(definitions)

    assert definitions.resolve_job_def("refresh_log_cache").name == "refresh_log_cache"
    assert definitions.resolve_sensor_def("new_nightly_transaction").name == "new_nightly_transaction"
    assert definitions.resolve_sensor_def("open_pull_requests").name == "open_pull_requests"


def test_there_is_an_asset_per_stage_database_and_contract(world: World) -> None:
    """Six stages of the whole refresh, three per database, one per contract dataset; the others are only shown."""
    made = definitions_of(world).resolve_asset_graph().materializable_asset_keys
    keys = {key.to_user_string() for key in made}

    assert keys >= STAGES
    assert keys >= {
        f"{stage}/{database}" for stage in ("log_export", "permanent_log", "refreshed") for database in DATABASES
    }
    assert sum(key.startswith("contract/") for key in keys) == 35
    assert len(keys) == 6 + 9 + 35


def test_every_asset_speaks_to_a_newcomer(world: World) -> None:
    """Group, owner, kind and a first sentence are on every asset."""
    for spec in specs(world):
        assert spec.group_name, spec.key
        assert spec.group_name != "default", spec.key
        assert list(spec.owners) == ["team:data-platform"], spec.key
        assert spec.kinds, spec.key
        assert spec.description, spec.key
        assert spec.description.split(".")[0][0].isupper(), spec.key


def test_every_contract_has_one_check(world: World) -> None:
    """On each of the 35 contracts; `approved` on the report, where it is said once what every rule asks for."""
    graph = definitions_of(world).resolve_asset_graph()

    checks = [f"{key.asset_key.to_user_string()}:{key.name}" for key in graph.asset_check_keys]

    assert sum(check.endswith(":rules_passed") for check in checks) == 35
    assert len(RULES) == 6
    assert "validation_report:approved" in checks
    assert all(rule.name in (contract_check_spec(dg.AssetKey("contract")).description or "") for rule in RULES)
    assert all(f"{rule.name}: {rule.sentence}" in (APPROVED.description or "") for rule in RULES)


def test_definitions_are_built_once(feed_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster asks twice per code location and gets the same ones, until a file of the catalog is another."""
    monkeypatch.setenv("LOGCACHE_HOME", str(feed_world.home))
    monkeypatch.setenv("LOGCACHE_PII_KEY", feed_world.pii_key().decode())
    definition = feed_world.catalog / "feed.yaml"

    first, second = defs(), defs()
    definition.write_text(definition.read_text("utf-8").replace("name: merchants", "name: shops"), encoding="utf-8")
    changed = defs()

    assert second is first
    assert dg.AssetKey(["contract", "feed", "merchants"]) in first.resolve_asset_graph().materializable_asset_keys
    assert dg.AssetKey(["contract", "feed", "shops"]) in changed.resolve_asset_graph().materializable_asset_keys


def tick_of(world: World) -> object:
    """What one evaluation of the sensor gives."""
    sensor = definitions_of(world).resolve_sensor_def("new_nightly_transaction")
    resources = given_resources(world.settings, connect(world.settings))
    with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance, resources=resources) as context:
        return sensor(context)


def test_the_sensor_asks_for_a_refresh_once_per_night_and_base(world: World) -> None:
    """It requests a run for the good night, under a key of transaction, base commit and what was tried before."""
    tick = tick_of(world)

    assert isinstance(tick, dg.RunRequest)
    assert tick.run_key == f"{tick.tags['metapod/transaction']}:{world.repository.head('main')}:0:0"


def test_the_sensor_waits_for_what_is_proposed(refreshed_world: World) -> None:
    """A night that is in an open pull request starts nothing, and the sensor says so."""
    tick = tick_of(refreshed_world)

    assert isinstance(tick, dg.SkipReason)
    assert "already proposed in pull request #1" in str(tick.skip_message)


@pytest.mark.parametrize("stage", ["log_cache_candidate", "itaipu_test_run", "validation_report"])
def test_a_stage_without_its_upstream_says_what_to_materialize(world: World, stage: str) -> None:
    """Selected alone in a new world, a stage names the asset it lacks."""
    result = materialize(world, stage)

    failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    assert failure.user_failure_data is not None
    assert "was never materialized; materialize it first" in str(failure.user_failure_data.description)


def test_every_run_records_rows_schema_and_documents(refreshed_world: World) -> None:
    """A contract's materialization shows rows, table name, URI and schema; a stage's names its document."""
    with open_storage(refreshed_world.dagster_home) as instance:
        contract = instance.get_latest_materialization_event(dg.AssetKey(["contract", "feed", "transactions"]))
        stage = instance.get_latest_materialization_event(dg.AssetKey(["permanent_log", "feed"]))

    assert contract is not None
    assert contract.asset_materialization is not None
    assert contract.asset_materialization.metadata["dagster/row_count"].value == 3302
    assert {
        "dagster/uri",
        "dagster/table_name",
        "dagster/column_schema",
    } <= contract.asset_materialization.metadata.keys()
    assert stage is not None
    assert stage.asset_materialization is not None
    assert stage.asset_materialization.metadata["last_t/feed-s0"].value == 4836
    assert str(stage.asset_materialization.metadata["document"].value).endswith("/permanent_log/feed.json")


def test_loading_starts_no_thread() -> None:
    """Dagster forks its steps from a process that has loaded the code, and threads of polars do not survive that."""
    script = (
        "import os, polars; before = len(os.listdir('/proc/self/task')); "
        "import logcache_assets.definitions; print(before, len(os.listdir('/proc/self/task')))"
    )

    counted = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout

    before, after = counted.split()
    assert after == before
