"""How a world is built and goes on: nights run, days deliver."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, time, timedelta
from pathlib import Path

import polars as pl
import pytest

from logcache_assets.adapters.home_lock import holding
from logcache_assets.connect import connect
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.log_cache_map import MAP_PATH, parse_map
from logcache_assets.domain.transactions import DatasetState, Transaction, TransactionType
from logcache_assets.engine.storage.parquet import count_rows, list_parquet, read_parquet_files
from logcache_assets.errors import BadInput, LogCacheError, Refused
from logcache_assets.local_platform.demo_data import PACKAGED
from logcache_assets.local_platform.timeline import EARLIEST
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import (
    RETENTION_DAYS,
    build_world,
    deliver,
    run_day,
    run_night,
    undelivered,
)
from logcache_tests.conftest import silent
from logcache_tests.engine.expected import EXPECTED, expected_counts
from logcache_tests.worlds import files_of, settings_at

CUTOFFS: dict[str, dict[str, int]] = json.loads((PACKAGED / "cutoffs.json").read_text(encoding="utf-8"))
CONTRACTS = EXPECTED / "night" / "columns.json"
FEED = ("feed-s0", "feed-s1")


@pytest.fixture(scope="module")
def lasting_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Feed alone, with the day's delivery ending where the night did: more days are to come."""
    folder = tmp_path_factory.mktemp("data") / "lasting"
    shutil.copytree(PACKAGED, folder, ignore=shutil.ignore_patterns("customers*", "double-entry*", "reextraction"))
    lines = (PACKAGED / "index.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    feed = [line for line in lines if '"database":"feed"' in line]
    (folder / "index.jsonl").write_text("".join(feed), encoding="utf-8")
    cutoffs = {name: CUTOFFS[name] | {"end": CUTOFFS[name]["night"]} for name in FEED}
    (folder / "cutoffs.json").write_text(json.dumps(cutoffs), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def lasting_template(lasting_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a world with days to come; to be copied, never changed."""
    home = tmp_path_factory.mktemp("lasting") / "home"
    build_world(World(settings_at(home)), lasting_data, silent)
    return home


@pytest.fixture
def lasting_world(lasting_template: Path, tmp_path: Path) -> World:
    """A world of the test's own, with days to come."""
    shutil.copytree(lasting_template, tmp_path / "home")
    return World(settings_at(tmp_path / "home"))


def nights_of(world: World) -> tuple[Transaction, ...]:
    """Every DAILY transaction, newest first."""
    return world.metapod.transactions(TransactionType.DAILY, since=EARLIEST)


def index_ends(world: World) -> dict[str, int]:
    """Where the segment index ends, per instance that it knows."""
    ends = {name: world.segment_index.newest_t(parse_instance(name)) for name in CUTOFFS}
    return {name: t for name, t in ends.items() if t}


def read_dataset(world: World, transaction: Transaction, name: str) -> pl.DataFrame:
    """All rows of a committed dataset."""
    path = transaction.datasets[name].path
    assert path is not None
    return read_parquet_files(list_parquet(path, world.store), world.store)


def items_of_feed() -> list[dict[str, str | int]]:
    """Every index item of feed in the packaged data."""
    items = map(json.loads, (PACKAGED / "index.jsonl").read_text(encoding="utf-8").splitlines())
    return [item for item in items if item["database"] == "feed"]


def test_a_new_world_has_a_cache_at_old_and_segments_up_to_end(world_template: Path) -> None:
    """The map on main ends at the cut-offs `old`, the index at `end`, and nothing is left to come."""
    world = World(settings_at(world_template))

    entries = parse_map(world.repository.read(MAP_PATH, ref="main"), where=MAP_PATH)

    cached = {
        f"{database}-{prototype}": entries[prototype][database].last_t
        for prototype in entries
        for database in entries[prototype]
    }
    assert cached == {name: cuts["old"] for name, cuts in CUTOFFS.items()}
    assert index_ends(world) == {name: cuts["end"] for name, cuts in CUTOFFS.items()}
    assert undelivered(world) == ()
    assert tuple(world.repository.open_pull_requests()) == ()


def test_a_new_worlds_night_was_before_its_day(world_template: Path) -> None:
    """It read segments at 00:30; the clock stands at a later 14:00, after the last extraction, within the retention."""
    world = World(settings_at(world_template))

    night, now = nights_of(world)[0], world.clock.now()

    assert night.started_at.time() == time(0, 30)
    assert (now.time(), now.tzinfo) == (time(14, 0), UTC)
    assert night.started_at < now
    assert (now - night.started_at).days < RETENTION_DAYS
    assert all(s.extracted_at <= now for n in CUTOFFS for s in world.segment_index.segments(parse_instance(n)))


def test_a_nightly_run_leaves_every_dataset_committed(world_template: Path) -> None:
    """Two raw datasets per instance and the 35 contracts, with target date, path and columns."""
    night = nights_of(World(settings_at(world_template)))[0]

    raw = {f"raw-{name}/{kind}" for name in CUTOFFS for kind in ("log", "materialized-entities")}
    contracts = set(json.loads(CONTRACTS.read_text(encoding="utf-8")))
    assert set(night.datasets) == raw | contracts
    assert {d.state for d in night.datasets.values()} == {DatasetState.COMMITTED}
    assert all(d.path and d.columns for d in night.datasets.values())
    assert night.target_date == night.started_at.date()


def test_the_same_data_builds_the_same_world(lasting_data: Path, lasting_template: Path, tmp_path: Path) -> None:
    """Map, transactions and date are equal, so that texts about the demo stay true."""
    again, first = World(settings_at(tmp_path / "home")), World(settings_at(lasting_template))

    build_world(again, lasting_data, silent)

    assert again.repository.read(MAP_PATH, ref="main") == first.repository.read(MAP_PATH, ref="main")
    assert [night.id for night in nights_of(again)] == [night.id for night in nights_of(first)]
    assert again.clock.now() == first.clock.now()


def test_a_world_is_built_from_its_own_data_alone(lasting_template: Path) -> None:
    """No other database is in its index, its catalog or its map."""
    world = World(settings_at(lasting_template))

    assert index_ends(world) == {name: CUTOFFS[name]["night"] for name in FEED}
    assert [file.name for file in world.catalog.iterdir()] == ["feed.yaml"]
    assert {d for databases in json.loads(world.repository.read(MAP_PATH, ref="main")).values() for d in databases} == {
        "feed"
    }


def test_a_day_delivers_what_was_extracted_until_two_in_the_afternoon(lasting_world: World) -> None:
    """Each with its file; the rest stays undelivered; the clock goes on by a day."""
    before, held = (
        lasting_world.clock.now(),
        sum(len(lasting_world.segment_index.segments(parse_instance(n))) for n in FEED),
    )

    delivered = run_day(lasting_world)

    now_ms = lasting_world.clock.now().timestamp() * 1000
    late = {item["path"] for item in items_of_feed() if int(item["timestamp"]) > now_ms}
    found = [s for name in FEED for s in lasting_world.segment_index.segments(parse_instance(name))]
    assert (lasting_world.clock.now() - before).days == 1
    assert len(found) == held + delivered
    assert {s.path for s in found} == {item["path"] for item in items_of_feed()} - late
    assert {s.path for s in undelivered(lasting_world)} == late
    assert all(lasting_world.store.head(s.path).size_bytes for s in found)


def test_a_night_ends_where_the_index_ended_when_it_began(lasting_world: World) -> None:
    """Segments that arrive while it runs are in no dataset, so raw datasets and contracts end at the same t."""
    began = index_ends(lasting_world)

    transaction = run_night(lasting_world, tell=lambda _: deliver(lasting_world, undelivered(lasting_world)))

    night = lasting_world.metapod.transaction(transaction)
    shown = read_dataset(lasting_world, night, "contract-feed/transactions-snapshot")
    assert all(t > began[name] for name, t in index_ends(lasting_world).items())
    for name in FEED:
        assert read_dataset(lasting_world, night, f"raw-{name}/log")["t"].max() == began[name]
        last_t = shown.filter(prototype=parse_instance(name).prototype)["db__t"].max()
        assert isinstance(last_t, int)
        assert last_t <= began[name]


def test_days_deliver_everything_in_the_end(lasting_world: World) -> None:
    """Then a day brings nothing any more, and only the clock goes on."""
    left = len(undelivered(lasting_world))
    assert left

    delivered = sum(run_day(lasting_world) for _ in range(31))

    now = lasting_world.clock.now()
    assert delivered == left
    assert index_ends(lasting_world) == {name: CUTOFFS[name]["end"] for name in FEED}
    assert run_day(lasting_world) == 0
    assert (lasting_world.clock.now() - now).days == 1


def test_a_night_reads_what_is_there_and_commits_it(lasting_world: World) -> None:
    """A DAILY transaction with Datomic's own number of datoms at the cut-off; the clock stands in its morning."""
    before = lasting_world.clock.now()

    transaction = run_night(lasting_world, tell=silent)

    night, ports = nights_of(lasting_world)[0], connect(lasting_world.settings)
    assert night.id == transaction
    assert (night.started_at - before, lasting_world.clock.now() - before) == (
        timedelta(hours=10, minutes=30),
        timedelta(hours=23, minutes=30),
    )
    assert {d.state for d in night.datasets.values()} == {DatasetState.COMMITTED}
    for name in FEED:
        rows = count_rows(str(night.datasets[f"raw-{name}/log"].path), ports.store)
        assert rows == expected_counts("night", name)["datoms"]


def test_a_night_changes_neither_map_nor_index(lasting_world: World) -> None:
    """It only reads them."""
    before = lasting_world.repository.head("main"), index_ends(lasting_world), undelivered(lasting_world)

    run_night(lasting_world, tell=silent)

    assert (lasting_world.repository.head("main"), index_ends(lasting_world), undelivered(lasting_world)) == before


def test_a_folder_that_is_no_world_is_left_alone(tmp_path: Path, lasting_data: Path) -> None:
    """Whoever names the wrong folder in LOGCACHE_HOME loses nothing."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "draft.txt").write_text("precious", encoding="utf-8")

    with pytest.raises(BadInput) as refusal:
        build_world(World(settings_at(tmp_path)), lasting_data, silent)

    assert str(refusal.value) == (
        f"{tmp_path} holds letters and is no local world, so it is not removed; name an empty folder in LOGCACHE_HOME"
    )
    assert files_of(tmp_path) == {"letters/draft.txt": b"precious"}


def test_malformed_data_leaves_the_world_as_it_was(lasting_world: World, lasting_data: Path, tmp_path: Path) -> None:
    """The data is read and checked before anything is removed."""
    shutil.copytree(lasting_data, tmp_path / "spoilt")
    (tmp_path / "spoilt" / "cutoffs.json").write_text("{}", encoding="utf-8")
    before = files_of(lasting_world.home)

    with pytest.raises(BadInput, match=r"has no cut-offs of feed-s0"):
        build_world(lasting_world, tmp_path / "spoilt", silent)

    assert files_of(lasting_world.home) == before


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        pytest.param(0, "is not a readable Avro file", id="before the cut-off old"),
        pytest.param(40, "its nightly run gave up 14 datasets: aborted dataset", id="before the cut-off night"),
    ],
)
def test_a_corrupt_segment_leaves_the_world_as_it_was(
    lasting_world: World, lasting_data: Path, tmp_path: Path, segment: int, said: str
) -> None:
    """What only the building itself finds out is found out beside the former world, and nothing is left of it."""
    shutil.copytree(lasting_data, tmp_path / "spoilt")
    item = json.loads((tmp_path / "spoilt" / "index.jsonl").read_text(encoding="utf-8").splitlines()[segment])
    (tmp_path / "spoilt" / "buckets" / item["path"].removeprefix("s3://")).write_bytes(b"Obj\x01")
    before = files_of(lasting_world.home)

    with pytest.raises(LogCacheError, match=said):
        build_world(lasting_world, tmp_path / "spoilt", silent)

    assert files_of(lasting_world.home) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "spoilt"]


def test_a_world_is_replaced_whole(lasting_world: World, lasting_data: Path) -> None:
    """Nothing of the former one is left: no date, no accident, no file."""
    run_day(lasting_world)
    lasting_world.faults.arm("truncated-copy", "on")
    (lasting_world.home / "dagster" / "history.db").write_bytes(b"old")

    build_world(lasting_world, lasting_data, silent)

    assert lasting_world.faults.armed("truncated-copy") is None
    assert not (lasting_world.home / "dagster" / "history.db").exists()
    assert len(nights_of(lasting_world)) == 2
    assert index_ends(lasting_world) == {name: CUTOFFS[name]["night"] for name in FEED}


def test_a_world_in_which_a_refresh_works_is_not_replaced(lasting_world: World, lasting_data: Path) -> None:
    """It would lose the ground under its feet."""
    with holding(lasting_world.home):
        before = files_of(lasting_world.home)

        with pytest.raises(Refused, match=r"another refresh of .* is going on"):
            build_world(lasting_world, lasting_data, silent)

        assert files_of(lasting_world.home) == before
    assert [path.name for path in lasting_world.home.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("moved", [False, True], ids=["while it built", "after the former world was moved aside"])
def test_a_reset_that_was_killed_can_be_repeated(lasting_world: World, lasting_data: Path, *, moved: bool) -> None:
    """What it left beside the home, half built and half removed, is gone afterwards."""
    home, parent = lasting_world.home, lasting_world.home.parent
    (parent / ".home.building" / "buckets").mkdir(parents=True)
    if moved:
        home.rename(parent / ".home.replaced")
        (parent / ".home.replaced" / "clock").unlink()

    build_world(lasting_world, lasting_data, silent)

    assert lasting_world.exists
    assert [path.name for path in parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("go_on", [pytest.param(run_day, id="day"), pytest.param(lambda w: w.require(), id="require")])
def test_without_a_world_nothing_happens(tmp_path: Path, go_on: Callable[[World], object]) -> None:
    """The refusal names the folder and the command that makes a world; no file is made."""
    with pytest.raises(BadInput) as refusal:
        go_on(World(settings_at(tmp_path / "home")))

    assert str(refusal.value) == (
        f"there is no local world in {tmp_path / 'home'}; make one with `logcache local reset`"
    )
    assert not (tmp_path / "home").exists()
