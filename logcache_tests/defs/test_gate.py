"""The gate before the pull request fails closed: it reads the current state of everything that can be read again."""

import json
import shutil
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from logcache_assets.defs.run_storage import open_storage
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.world import World
from logcache_tests.worlds import definitions_of, files_of, materialize, path_of, refusal_of

PULL_REQUEST = "log_cache_pull_request"


def report_of(world: World) -> str:
    """URI of the stored verdict."""
    listed = world.store.list_objects(f"s3://{world.settings.permanent_bucket}/cache/_refresh/")
    return next(item.uri for item in listed if "/validation_report/" in item.uri and item.uri.endswith(".json"))


def edit_verdict(world: World) -> None:
    """Somebody edits the stored verdict by hand."""
    uri = report_of(world)
    verdict = json.loads(world.store.read(uri))
    verdict["databases"] = ["customers"]
    world.store.write(uri, json.dumps(verdict, indent=2, sort_keys=True).encode())


def delete_verdict(world: World) -> None:
    """The stored verdict is gone."""
    path_of(world, report_of(world)).unlink()


def move_base(world: World) -> None:
    """Somebody else merges to main first."""
    world.repository.commit_to_base({"README.md": "hello\n"}, "Say hello")


def move_branch(world: World) -> None:
    """Somebody pushes to the candidate's branch after the validation."""
    request, base = next(world.repository.open_pull_requests()), world.repository.head("main")
    text = world.repository.read(MAP_PATH, ref="main")
    world.repository.commit(branch=request.branch, parent=str(base), files={MAP_PATH: text}, message="Take it back")


def leave_window(world: World) -> None:
    """It is night: contracts are being computed."""
    world.clock.set(world.clock.now() + timedelta(hours=11))


def start_contracts(world: World) -> None:
    """Another job computes a contract."""
    other = "4c0bb4ae-0000-4000-8000-000000000001"
    world.metapod_store.open_transaction(other, "other", TransactionType.CUSTOM, started_at=world.clock.now())
    world.metapod_store.register_dataset(other, "contract-feed/accounts")


def damage_copy(world: World) -> None:
    """A copied file is cut short after the validation."""
    listed = world.store.list_objects(f"s3://{world.settings.permanent_bucket}/cache/feed-s0/4836")
    uri = next(item.uri for item in listed if "/log/" in item.uri)
    world.store.write(uri, world.store.read(uri)[:1000])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(edit_verdict, "is not what its stage wrote", id="verdict edited by hand"),
        pytest.param(delete_verdict, "validation_report/all.json", id="verdict gone"),
        pytest.param(move_base, "the base branch moved", id="base branch moved"),
        pytest.param(move_branch, "is no longer the validated commit", id="candidate branch moved"),
        pytest.param(leave_window, "outside the publish window 13:00-23:00 UTC", id="outside the window"),
        pytest.param(start_contracts, "contract-feed/accounts of CUSTOM transaction", id="contracts being computed"),
        pytest.param(damage_copy, "is not what was copied", id="copied file damaged"),
    ],
)
def test_the_gate_refuses(refreshed_feed_world: World, change: object, reason: str) -> None:
    """Whatever changed since the validation refuses the pull request, whose text stays as it was."""
    assert callable(change)
    change(refreshed_feed_world)
    before = files_of(refreshed_feed_world.home / "pull_requests")

    result = materialize(refreshed_feed_world, PULL_REQUEST)

    assert reason in refusal_of(result)
    assert files_of(refreshed_feed_world.home / "pull_requests") == before


@pytest.mark.parametrize(
    ("assets", "missing"),
    [
        pytest.param(("contract/feed/accounts", "validation_report", PULL_REQUEST), "contract_inventory", id="report"),
        pytest.param(("contract/feed/accounts", PULL_REQUEST), "validation_report", id="pull request"),
        pytest.param(("contract_inventory", PULL_REQUEST), "validation_report", id="pull request after the inventory"),
    ],
)
def test_nothing_goes_on_from_older_documents_than_its_own_run_makes(
    refreshed_feed_world: World, assets: tuple[str, ...], missing: str
) -> None:
    """A check that fails in this run must not stand beside a pull request that an older verdict opened."""
    before = files_of(refreshed_feed_world.home / "pull_requests")

    result = materialize(refreshed_feed_world, *assets)

    assert f"but not {missing}, which is made from it (C29); select {missing} too" in refusal_of(result)
    assert files_of(refreshed_feed_world.home / "pull_requests") == before


def test_a_contract_of_a_database_that_the_candidate_lacks_is_refused(refreshed_feed_world: World) -> None:
    """Nothing was computed for it, so a green run with skipped checks would say something that nobody knows."""
    shutil.copy(PACKAGED / "contracts" / "customers.yaml", refreshed_feed_world.catalog)

    result = materialize(refreshed_feed_world, "contract/customers/customers")

    assert "customers: it is not in the newest candidate" in refusal_of(result)
    assert "which is of feed: its contracts were not computed; refresh it" in refusal_of(result)
    assert result.get_asset_materialization_events() == []
    assert result.get_asset_check_evaluations() == []


def test_a_check_may_be_run_alone(refreshed_feed_world: World) -> None:
    """As Dagit's Execute does: its result is the same, and nothing is materialized."""
    key = dg.AssetCheckKey(dg.AssetKey(["contract", "feed", "accounts"]), "rules_passed")
    job = definitions_of(refreshed_feed_world).resolve_implicit_global_asset_job_def()
    alone = job.get_subset(asset_selection=set(), asset_check_selection={key})
    with open_storage(refreshed_feed_world.dagster_home) as instance:
        result = alone.execute_in_process(instance=instance, raise_on_error=False)

    assert [(check.asset_check_key, check.passed) for check in result.get_asset_check_evaluations()] == [(key, True)]
    assert result.get_asset_materialization_events() == []


def test_an_edited_report_is_not_proposed(refreshed_feed_world: World) -> None:
    """The pull request's text is made from the verdict, whose digest is known."""
    uri = report_of(refreshed_feed_world).removesuffix("json") + "md"
    refreshed_feed_world.store.write(uri, b"# Approved: trust me")
    before = files_of(refreshed_feed_world.home / "pull_requests")

    result = materialize(refreshed_feed_world, PULL_REQUEST)

    assert refusal_of(result) == ""
    assert files_of(refreshed_feed_world.home / "pull_requests") == before


def test_the_gate_passes_when_nothing_changed(refreshed_feed_world: World) -> None:
    """Run again on the same candidate it finds its own pull request and leaves it alone."""
    before = files_of(refreshed_feed_world.home / "pull_requests")

    result = materialize(refreshed_feed_world, PULL_REQUEST)

    assert refusal_of(result) == ""
    assert files_of(refreshed_feed_world.home / "pull_requests") == before


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        pytest.param({"selection": "feed"}, "the databases 'feed' of a refresh and not its transaction", id="half"),
        pytest.param({"transaction": "nobodys"}, "no refresh of that transaction and selection", id="unknown"),
    ],
)
def test_a_refresh_that_nobody_prepared_is_refused(
    refreshed_feed_world: World, config: dict[str, str], sentence: str
) -> None:
    """What is typed into the launchpad counts, or is refused; nothing else is published in its place."""
    before = files_of(refreshed_feed_world.home / "pull_requests")

    result = materialize(refreshed_feed_world, PULL_REQUEST, config={PULL_REQUEST: config})

    assert sentence in refusal_of(result)
    assert files_of(refreshed_feed_world.home / "pull_requests") == before


def keys_of(world: World) -> set[dg.AssetKey]:
    """The keys of all assets."""
    return set(definitions_of(world).resolve_asset_graph().get_all_asset_keys())


def is_after_the_test_run(key: dg.AssetKey) -> bool:
    """True for contracts, the inventory, the report and the pull request."""
    return key.path[0] in {"contract", "contract_inventory", "validation_report", PULL_REQUEST}


def abort_accounts(world: World) -> list[str]:
    """Abort a contract of the test run, and return the assets that are made from its contracts."""
    (world.home / "pull_requests" / "1.json").unlink()
    since = world.clock.now() - timedelta(days=1)
    test_run = world.metapod.transactions(TransactionType.CUSTOM, since=since)[0]
    world.metapod_store.abort_dataset(test_run.id, "contract-feed/accounts", aborted_at=world.clock.now())
    return [key.to_user_string() for key in keys_of(world) if is_after_the_test_run(key)]


def shown_of(result: dg.ExecuteInProcessResult) -> dict[str, tuple[str, Any]]:
    """The steps that failed, each with its sentence and metadata."""
    events = [event for event in result.all_events if event.is_step_failure]
    failures = {str(event.step_key): event.step_failure_data.user_failure_data for event in events}
    return {step: (str(shown.description), shown.metadata) for step, shown in failures.items() if shown}


def test_a_refused_verdict_is_one_failure_with_a_table(refreshed_feed_world: World) -> None:
    """The step that refuses is the last one: nobody reads of dependencies, and the first line is the cause."""
    assets = abort_accounts(refreshed_feed_world)

    result = materialize(refreshed_feed_world, *assets)

    [(step, (sentence, metadata))] = shown_of(result).items()
    [row] = metadata["problems"].value.records
    assert step == PULL_REQUEST
    assert sentence.startswith("contract-feed/accounts: it is aborted in the test run")
    assert sentence.splitlines()[-1].startswith("no pull request was opened: the verdict is not approved")
    assert (row.data["database"], row.data["subject"]) == ("feed", "accounts")
    assert "it is aborted in the test run" in str(row.data["found"])
    assert str(metadata["report"].value).endswith("/validation_report/all.html")
    assert "**it is … the test run**" in str(metadata["runbook"].value)


def test_a_refused_verdict_opens_nothing(refreshed_feed_world: World) -> None:
    """An aborted contract fails that contract only; the report is made and names it; nothing is proposed."""
    everything_after = abort_accounts(refreshed_feed_world)

    result = materialize(refreshed_feed_world, *everything_after)

    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    failed = {c.asset_key.to_user_string() for c in result.get_asset_check_evaluations() if not c.passed}
    assert "contract-feed/accounts: it is aborted in the test run" in refusal_of(result)
    assert {"contract/feed/merchants", "contract_inventory", "validation_report"} <= made
    assert "contract/feed/accounts" not in made
    assert failed == {"contract/feed/accounts", "validation_report"}
    assert tuple(refreshed_feed_world.repository.open_pull_requests()) == ()
