"""Between rounds, what many tasks wrote for many buckets is put together, so that no task opens all files."""

from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.contracts import gathering
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.contracts.gathering import Batch, Part, gather, plan_batches, write_rows
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.ports import PolarsSource
from logcache_tests.engine.app import Change, Rows, define, log_of, sources_of
from logcache_tests.engine.builds import build
from logcache_tests.engine.elsewhere import ElsewhereDriver
from logcache_tests.engine.world import OWN_BUCKET, driver_in

PLACE = f"s3://{OWN_BUCKET}/gathered"
USERS, FRIENDS = 200, 20
FIRST = 17592186044418
DEFINITION = define(
    {"attribute": "user/friends", "ref": "user/name"},
    {"attribute": "user/friend", "ref": "user/limit"},
)


def parts_of(*sizes: list[int]) -> list[Part]:
    """Files a, b, … with so many bytes of rows for the buckets 0, 1, …; none where there are 0."""
    return [Part("abcdefgh"[n], {b: size for b, size in enumerate(its) if size}) for n, its in enumerate(sizes)]


FOUR = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        pytest.param(parts_of(), [], id="nothing"),
        pytest.param(parts_of([9, 9, 9, 9]), [], id="one file is opened by all anyway"),
        pytest.param(parts_of([9, 9], [9, 9]), [], id="two buckets of two files open no fewer"),
        pytest.param(parts_of(*[[5, 5, 5, 5]] * 4), [Batch((0, 1, 2, 3), FOUR)], id="all fit"),
        pytest.param(
            parts_of(*[[7, 7, 7, 6, 6, 6]] * 4), [Batch((0, 1, 2), FOUR), Batch((3, 4, 5), FOUR)], id="in two batches"
        ),
        pytest.param(parts_of(*[[30, 25, 30, 25]] * 4), [], id="each bucket fills a batch alone"),
        pytest.param(
            parts_of(*[[5, 0, 5, 5, 0, 5]] * 3, [0, 5, 0, 0, 0, 0]),
            [Batch((0, 1, 2, 3, 5), FOUR)],
            id="only files that have rows are opened",
        ),
        pytest.param(parts_of([9, 0, 0, 0], [0, 9, 0, 0], [0, 0, 9, 0], [0, 0, 0, 9]), [], id="a file for each bucket"),
    ],
)
def test_batches_are_neighbours_that_fit(parts: list[Part], wanted: list[Batch]) -> None:
    """Up to 84 bytes at once, where that opens fewer files."""
    assert list(plan_batches(parts, at_most=84)) == wanted


@pytest.mark.parametrize("at_most", [1, 400, 900, 1_000_000])
def test_a_bucket_finds_its_rows_in_their_order(
    at_most: int, store: FolderObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all files, one after the other, however they are put together."""
    monkeypatch.setattr(gathering, "GATHERED_BYTES", at_most)
    rows = [[(bucket, 100 * file + bucket) for bucket in range(8) if (bucket + file) % 3] for file in range(6)]
    frames = [pl.DataFrame(its, {"at": pl.Int64, "e": pl.Int64}, orient="row") for its in rows]
    written = [
        ("app-s0", write_rows(frame, "at", Folder(store, PLACE), f"{n}.parquet")) for n, frame in enumerate(frames)
    ]

    files = gather(iter(written), "at", driver_in(store), lambda key: Folder(store, f"{PLACE}/{key}"))["app-s0"]

    for bucket in range(8):
        read = pl.scan_parquet([store.path_of(uri) for uri in files[bucket]]).filter(pl.col("at") == bucket).collect()
        assert read["e"].to_list() == [e for its in rows for at, e in its if at == bucket]


class NotingStore(FolderObjectStore):
    """A store, in a folder beside its clock, that notes which files of refs polars opens."""

    def __init__(self, store: FolderObjectStore) -> None:
        buckets = store.path_of("s3://any").parent
        super().__init__(buckets, LocalClock(buckets.parent / "clock"))
        self.opened: list[str] = []

    @override
    def polars_source(self, uri: str) -> PolarsSource:
        if "/referred/" in uri:
            self.opened.append(uri)
        return super().polars_source(uri)


def many_friends() -> list[Change]:
    """Each user refers to twenty others, whose names are shown, and to another one, whose limit is."""
    changes: list[Change] = []
    for n in range(USERS):
        user = FIRST + n
        changes += [(user, "user/id", f"u{n:03}", 1001, True), (user, "user/name", f"n{n:03}", 1001, True)]
        changes += [(user, "user/limit", f"{n}.5", 1001, True)]
        changes += [(user, "user/friends", str(FIRST + friend), 1002, True) for friend in friends_of(n)]
        changes += [(user, "user/friend", str(FIRST + (n * 3 + 1) % USERS), 1002, True)]
    return changes


def friends_of(n: int) -> list[int]:
    """Numbers of the friends of a user."""
    return [(n * 7 + k * 9) % USERS for k in range(FRIENDS)]


def users_shown() -> Rows:
    """Every row of the entity contract."""
    return [
        {
            "user__id": f"u{n:03}",
            "prototype": "s0",
            "user__friends": sorted(f"n{friend:03}" for friend in friends_of(n)),
            "user__friend": Decimal(f"{(n * 3 + 1) % USERS}.5"),
        }
        for n in range(USERS)
    ]


def opened_with(buckets: int, store: FolderObjectStore, driver_of: Callable[[FolderObjectStore], Driver]) -> int:
    """How many files of refs a build of so many buckets opens; its rows are checked."""
    noting = NotingStore(store)
    log = log_of(*many_friends())
    wanted = ContractBuild(
        definition=DEFINITION,
        sources=sources_of(DEFINITION, noting, [log]),
        pii_key=b"k",
        kinds=("entity",),
        bucket_datoms=-(-len(log) // buckets),
    )

    users = build(wanted, noting, driver=driver_of(noting))["contract-app/users"]

    assert len(users.files) == buckets
    assert users.frame.sort("user__id").to_dicts() == users_shown()
    return len(noting.opened)


def elsewhere_in(store: FolderObjectStore) -> Driver:
    """A driver whose tasks share no memory."""
    return ElsewhereDriver(driver_in(store).scratch)


@pytest.mark.parametrize("buckets", [8, 16])
def test_files_are_opened_in_proportion_to_buckets(buckets: int, store: FolderObjectStore) -> None:
    """Of three files that each bucket writes, gathering opens each once, and then every bucket three."""
    assert opened_with(buckets, store, driver_in) == 6 * buckets


def test_without_gathering_every_bucket_opens_all_files(
    store: FolderObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What gathering saves; the rows are the same."""
    monkeypatch.setattr(gathering, "GATHERED_BYTES", 1)

    assert opened_with(16, store, driver_in) > 2 * 16 * 16


@pytest.mark.parametrize("at_most", [10_000, 20_000])
def test_some_buckets_at_a_time_show_the_same(
    at_most: int, store: FolderObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not all rows fit in memory at once."""
    monkeypatch.setattr(gathering, "GATHERED_BYTES", at_most)

    assert 6 * 16 < opened_with(16, store, driver_in) < 2 * 16 * 16


def test_tasks_that_share_no_memory_find_what_was_gathered(store: FolderObjectStore) -> None:
    """As on Spark."""
    assert opened_with(8, store, elsewhere_in) == 0
