"""A whole refresh of the demo world, against what a real Datomic answers."""

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from logcache_assets.catalog import load_catalog
from logcache_assets.cli import refresh
from logcache_assets.cli.refresh_result import Due, NothingToRefresh, Refreshed
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.domain.transactions import Transaction, TransactionType
from logcache_assets.errors import Refused
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.timeline import EARLIEST
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import run_day, run_night
from logcache_tests.conftest import silent
from logcache_tests.engine.expected import expected_counts, expected_types, find_differences, united
from logcache_tests.worlds import files_of

CUTOFFS = json.loads((PACKAGED / "cutoffs.json").read_text(encoding="utf-8"))
BRANCH_MAP_CHANGES = ("last_t", "log", "manifest_sha256", "materialized_entities", "source_read_at", "transaction")


def newest(world: World, kind: TransactionType) -> Transaction:
    """The newest transaction of a type."""
    return world.metapod.transactions(kind, since=EARLIEST)[0]


def differences(world: World, transaction: Transaction, cut: str) -> Iterator[str]:
    """Every cell of every contract of a transaction that is not Datomic's answer."""
    for definition in load_catalog(world.catalog):
        for table in contract_tables(definition):
            files = world.store.list_objects(f"{transaction.datasets[table.dataset].path}/")
            yield from find_differences(table, united(world.store.read(file.uri) for file in files), cut)


def test_every_contract_of_the_night_is_datomics_answer(refreshed_world: World) -> None:
    """The night's contracts equal what Datomic gives as of the cut-off `night`, cell for cell."""
    night = newest(refreshed_world, TransactionType.DAILY)

    found = list(differences(refreshed_world, night, "night"))

    assert found == []
    assert {n for n in night.datasets if n.startswith("contract-")} == set(expected_types("night"))


def test_every_contract_of_the_test_run_is_datomics_answer(refreshed_world: World) -> None:
    """The test run's contracts, computed from the candidate's caches, equal what Datomic gives at `end`."""
    test_run = newest(refreshed_world, TransactionType.CUSTOM)

    found = list(differences(refreshed_world, test_run, "end"))

    assert found == []
    assert set(test_run.datasets) == set(expected_types("end"))


@pytest.mark.parametrize("instance", CUTOFFS)
def test_a_permanent_log_holds_what_datomic_counts(refreshed_world: World, instance: str) -> None:
    """Manifest and map state Datomic's own numbers for the log at `night`."""
    counts = expected_counts("night", instance)
    database, _, prototype = instance.rpartition("-")
    branch = next(refreshed_world.repository.open_pull_requests()).branch

    entry = json.loads(refreshed_world.repository.read(MAP_PATH, ref=branch))[prototype][database]
    manifest = json.loads(refreshed_world.store.read(entry["log"].removesuffix("/log") + "/manifest.json"))

    assert entry["last_t"] == counts["max_t"] == CUTOFFS[instance]["night"]
    assert manifest["log"]["rows"] == counts["datoms"]
    assert manifest["last_t"] == counts["max_t"]


def test_a_refresh_leaves_main_as_it_was(world_template: Path, refreshed_world: World) -> None:
    """Only a merge publishes: main's commit is the one from before."""
    before = (world_template / "itaipu.git" / "refs" / "heads" / "main").read_text(encoding="utf-8")

    assert refreshed_world.repository.head("main") == before.strip()
    assert [p.state for p in refreshed_world.repository.open_pull_requests()] == ["open"]


def test_a_second_refresh_changes_nothing(refreshed_world: World) -> None:
    """What is proposed already is said, and not a byte of the world changes."""
    before = files_of(refreshed_world.home)

    result = refresh.run(refreshed_world.settings, databases=(), transaction=None, dry_run=False, say=silent)

    assert isinstance(result, NothingToRefresh)
    assert "pull request #1" in result.reason
    assert files_of(refreshed_world.home) == before


def test_a_dry_run_changes_nothing(world: World) -> None:
    """It names the transaction and leaves the world alone."""
    before = files_of(world.home)

    result = refresh.run(world.settings, databases=(), transaction=None, dry_run=True, say=silent)

    assert isinstance(result, Due)
    assert result.transaction == newest(world, TransactionType.DAILY).id
    assert files_of(world.home) == before


def test_a_partial_refresh_keeps_other_entries_byte_for_byte(world: World) -> None:
    """Refreshing feed changes the values of feed's two entries and no other line of the map."""
    before = world.repository.read(MAP_PATH, ref="main").splitlines()

    result = refresh.run(world.settings, databases=("feed",), transaction=None, dry_run=False, say=silent)

    assert isinstance(result, Refreshed)
    after = world.repository.read(MAP_PATH, ref=result.branch).splitlines()
    changed = [n for n, lines in enumerate(zip(before, after, strict=True)) if lines[0] != lines[1]]
    old, new = (json.loads("\n".join(lines)) for lines in (before, after))
    assert len(changed) == 2 * len(BRANCH_MAP_CHANGES)
    assert {p: {d for d in old[p] if old[p][d] != new[p][d]} for p in old} == {
        "global": set(),
        "s0": {"feed"},
        "s1": {"feed"},
    }
    assert {d.partition("/")[0] for d in newest(world, TransactionType.CUSTOM).datasets} == {"contract-feed"}


def test_a_merged_refresh_is_active_and_the_next_night_is_due(refreshed_world: World) -> None:
    """Merging publishes; after another night the caches go on to the end of the log, from the merged ones."""
    refreshed_world.repository.merge(1)
    done = refresh.run(refreshed_world.settings, databases=(), transaction=None, dry_run=False, say=silent)
    run_night(refreshed_world, tell=silent)
    run_day(refreshed_world)

    result = refresh.run(refreshed_world.settings, databases=(), transaction=None, dry_run=False, say=silent)

    assert isinstance(done, NothingToRefresh)
    assert "already points to transaction" in done.reason
    assert isinstance(result, Refreshed)
    entries = json.loads(refreshed_world.repository.read(MAP_PATH, ref=result.branch))
    assert {
        f"{database}-{prototype}": entry["last_t"]
        for prototype, databases in entries.items()
        for database, entry in databases.items()
    } == {instance: cuts["end"] for instance, cuts in CUTOFFS.items()}
    assert list(differences(refreshed_world, newest(refreshed_world, TransactionType.CUSTOM), "end")) == []


def test_two_refreshes_of_one_world_take_turns(world: World) -> None:
    """The second says that another is going on, and changes nothing."""
    with (world.home / "refresh.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = files_of(world.home)

        with pytest.raises(Refused, match=r"another refresh of .* is going on"):
            refresh.run(world.settings, databases=(), transaction=None, dry_run=False, say=silent)

        assert files_of(world.home) == before
