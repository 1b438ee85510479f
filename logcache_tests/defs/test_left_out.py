"""A fault of one database leaves out that database alone, whichever stage finds it; the others go on to a pull request.

The world has three databases. Each fault is one of customers; double-entry and feed are refreshed.
"""

from collections.abc import Callable
from dataclasses import replace

import dagster as dg
import pytest
from msgspec.structs import replace as with_fields

from logcache_assets.cli import local, refresh, status
from logcache_assets.cli.refresh_result import Refreshed
from logcache_assets.domain.documents import Candidate
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.log_cache_map import MAP_PATH, entry_of, render_map, with_entries
from logcache_assets.domain.names import raw_entities_dataset
from logcache_assets.domain.selections import ALL
from logcache_assets.domain.standing import StandingCheck
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.local_platform.faults import WRONG_VALUE
from logcache_assets.local_platform.timeline import EARLIEST
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import read_base_map, read_map
from logcache_tests.conftest import silent
from logcache_tests.defs.test_attempts import tick_of
from logcache_tests.worlds import definitions_of, materialize, refusal_of, settings_at

CUSTOMERS = parse_instance("customers-s0")
OTHERS = ("double-entry", "feed")


def night_of(world: World) -> str:
    """The newest nightly transaction."""
    return world.metapod.transactions(TransactionType.DAILY, since=EARLIEST)[0].id


def abort_raw_dataset(world: World) -> None:
    """A raw dataset of the night is aborted."""
    name = raw_entities_dataset(CUSTOMERS)
    world.metapod_store.abort_dataset(night_of(world), name, aborted_at=world.clock.now())


def open_gap(world: World) -> None:
    """The index loses the item of a segment that the night had read, behind the active cache."""
    lost = world.segment_index.segments(CUSTOMERS)[-2]
    world.segment_items.remove(lost.instance, lost.last_t)


def excise(world: World) -> None:
    """The first segment is extracted again after the night."""
    first = world.segment_index.segments(CUSTOMERS)[0]
    now_ms = int(world.clock.now().timestamp() * 1000)
    world.segment_items.put([replace(first, timestamp_ms=now_ms)])


def garble_raw_log(world: World) -> None:
    """A file of the raw log is no Parquet."""
    night = world.metapod.transaction(night_of(world))
    folder = night.datasets[raw_entities_dataset(CUSTOMERS)].path or ""
    world.store.write(next(item.uri for item in world.store.list_data(folder)), b"garbled")


def edit_entry(world: World) -> None:
    """Somebody edits the entry on the base branch by hand."""
    base = read_base_map(world.repository).entries
    entry = entry_of(base, CUSTOMERS)
    assert entry is not None
    edited = with_entries(base, {CUSTOMERS: with_fields(entry, last_t=entry.last_t - 1)})
    world.repository.commit_to_base({MAP_PATH: render_map(edited)}, "Edit")


def spoil_contract(world: World) -> None:
    """Itaipu's test run computes a contract wrong."""
    world.faults.arm(WRONG_VALUE, "contract-customers/customers")


FAULTS = [
    pytest.param(abort_raw_dataset, Stage.NIGHT, "was aborted", id="aborted in the night"),
    pytest.param(open_gap, Stage.NIGHT, "the segment index has a gap", id="a gap in the index"),
    pytest.param(excise, Stage.NIGHT, "extracted again after the cache was read", id="excised after the night"),
    pytest.param(garble_raw_log, Stage.EXPORT, "cannot be read", id="a raw log that cannot be read"),
    pytest.param(edit_entry, Stage.CANDIDATE, "the map says last_t", id="an entry edited by hand"),
    pytest.param(spoil_contract, Stage.VERDICT, "contract-customers/customers", id="a wrong contract"),
]


def candidate_of(world: World) -> Candidate:
    """The candidate of the night."""
    uri = world.settings.locations.candidate(transaction=night_of(world), selection=ALL)
    return Documents(world.store).read(uri, Candidate)


def refreshed(world: World) -> object:
    """The result of `logcache refresh`."""
    return refresh.run(world.settings, databases=(), transaction=None, dry_run=False, say=silent)


@pytest.mark.parametrize(("damage", "stage", "why"), FAULTS)
def test_the_others_are_proposed(world: World, damage: Callable[[World], None], stage: Stage, why: str) -> None:
    """The pull request lists what was left out; one step is red, and with it the run."""
    damage(world)
    active = entry_of(read_base_map(world.repository).entries, CUSTOMERS)

    result = materialize(world)

    failed = [event.step_key for event in result.all_events if event.is_step_failure]
    assert failed == ["refreshed"], refusal_of(result)
    (request,) = world.repository.open_pull_requests()
    candidate = candidate_of(world)
    assert not result.success
    assert "customers is left out" in refusal_of(result)
    assert why in refusal_of(result)
    assert candidate.databases == OTHERS
    assert [(left.database, left.stage) for left in candidate.left_out] == [("customers", stage)]
    assert entry_of(read_map(world.repository, ref=request.branch), CUSTOMERS) == active
    assert "## Left out" in request.body
    assert why in request.body


def test_its_assets_and_checks_say_so(world: World) -> None:
    """Every stage's asset of it is materialized as left out; its stage checks and all its contracts' are red."""
    abort_raw_dataset(world)

    result = materialize(world)

    checks = result.get_asset_check_evaluations()
    red = {c.asset_key.to_user_string() for c in checks if not c.passed and c.check_name not in set(StandingCheck)}
    states = {
        event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata["state"].value
        for event in result.get_asset_materialization_events()
        if event.asset_key and "state" in event.step_materialization_data.materialization.metadata
    }
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    assert {f"{stage}/customers": "left out" for stage in ("log_export", "permanent_log")}.items() <= states.items()
    assert {"log_export/customers", "permanent_log/customers", "contract/customers/customers"} <= red
    assert {name.split("/")[1] for name in red} == {"customers"}
    assert "contract/customers/customers" not in made
    assert {"refreshed/feed", "refreshed/double-entry"} <= made
    assert "refreshed/customers" not in made


def test_it_joins_the_pull_request_when_it_is_repaired(world: World) -> None:
    """Until then everybody says what it waits for."""
    lost = world.segment_index.segments(CUSTOMERS)[-2]
    open_gap(world)
    first = refreshed(world)
    waits, told = tick_of(world), status.run(world.settings).next
    world.segment_items.put([lost])
    due = tick_of(world)

    second = refreshed(world)

    assert isinstance(first, Refreshed)
    assert list(first.left_out) == ["customers"]
    assert isinstance(waits, dg.SkipReason)
    assert waits.skip_message == told
    assert "is already proposed in pull request #1" in told
    assert "without customers, whose active caches stay: customers-s0: the segment index has a gap" in told
    assert isinstance(due, dg.RunRequest)
    assert isinstance(second, Refreshed)
    assert second.left_out == {}
    assert [found.database for found in second.databases] == ["customers", "double-entry", "feed"]
    assert second.pull_request == first.pull_request
    assert candidate_of(world).news[0] == "customers, which was left out"


def test_it_is_retried_alone_by_selecting_its_assets(world: World) -> None:
    """Its assets and those of every refresh: a pull request of its own, and its own checks are green again."""
    lost = world.segment_index.segments(CUSTOMERS)[-2]
    open_gap(world)
    materialize(world)
    world.segment_items.put([lost])
    graph = definitions_of(world).resolve_asset_graph()
    own = [key for key in graph.materializable_asset_keys if graph.get(key).tags["database"] in ("customers", "every")]

    result = materialize(world, *(key.to_user_string() for key in own))

    red = [found.asset_check_key for found in result.get_asset_check_evaluations() if not found.passed]
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    assert result.success, refusal_of(result)
    assert red == []
    assert made == set(own)
    alone, others = (shown.title for shown in world.repository.open_pull_requests())
    assert alone.startswith("Refresh the log cache of customers to ")
    assert "customers" not in others


def test_a_refused_database_is_not_computed_again_for_nothing(world: World) -> None:
    """The base moved in the rules of nobody: the others are committed again, and the refused one stays out."""
    spoil_contract(world)
    refreshed(world)
    former = candidate_of(world)
    entries = read_base_map(world.repository).entries
    moved = with_entries(entries, {parse_instance("cards-s0"): next(iter(entries["s0"].values()))})
    world.repository.commit_to_base({MAP_PATH: render_map(moved)}, "Add cards")

    result = refreshed(world)

    later = candidate_of(world)
    assert isinstance(result, Refreshed)
    assert list(result.left_out) == ["customers"]
    assert later.sha != former.sha
    assert later.carried is not None
    assert later.carried.sha == former.tested_sha
    assert len(world.metapod_store.find_transactions(types=[TransactionType.CUSTOM])) == 1


@pytest.mark.parametrize("damage", [open_gap, spoil_contract])
def test_all_or_nothing_takes_nothing(world: World, damage: Callable[[World], None]) -> None:
    """For those who want that: no pull request, and no entry on any branch but a refused candidate's."""
    strict = World(settings_at(world.home, all_or_nothing="true"))
    damage(strict)

    result = materialize(strict)

    assert not result.success
    assert list(strict.repository.open_pull_requests()) == []
    assert "refreshed" not in [event.step_key for event in result.all_events if event.is_step_success]


def test_a_repaired_database_is_refreshed_after_the_others_were_merged(world: World) -> None:
    """The merged ones are up to date, and nothing is red."""
    lost = world.segment_index.segments(CUSTOMERS)[-2]
    open_gap(world)
    refreshed(world)
    local.merge(world.settings, None)
    world.segment_items.put([lost])

    result = refreshed(world)

    assert isinstance(result, Refreshed)
    assert ([found.database for found in result.databases], result.left_out) == (["customers"], {})
    assert candidate_of(world).up_to_date == OTHERS


def test_the_report_on_the_rest_can_be_made_again(world: World) -> None:
    """The inventory is that of the narrowed candidate, too: the verdict is the same, and nothing is in the way."""
    spoil_contract(world)
    refreshed(world)

    again = materialize(world, "validation_report")

    assert again.success, refusal_of(again)
    assert [shown.obstacles for shown in status.run(world.settings).pull_requests] == [[]]
