"""Keys that the log itself gives to several entities are compared as it tells; any other repetition is a fault."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.engine.compare.same_t import compare_same_t
from logcache_assets.engine.compare.tokens import row_tokens
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_tests.engine.app import A, B, Change, define, log_of, sources_of
from logcache_tests.engine.days import (
    TOKEN_KEY,
    Day,
    Explaining,
    compare,
    compute_day,
    failed_rules,
    faults_of,
    refuse_other_warnings,
    without,
)
from logcache_tests.engine.elsewhere import ElsewhereDriver
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.world import driver_in, write_cache

C = B + 5
DEFINITION = define({"attribute": "user/name", "history": True}, {"attribute": "user/nick", "pii": True})
USERS, HISTORY, SNAPSHOT = (f"contract-app/{n}" for n in ("users", "user-name-history", "users-snapshot"))
NAMED: list[Change] = [(e, "user/name", f"name of {e % 10}", 1001, True) for e in (A, B, C)]
SHARED: list[Change] = [(e, "user/id", key, 1001, True) for e, key in ((A, "a"), (B, "a"), (C, "c"))]
NICKS: list[Change] = [(e, "user/nick", f"nick {e % 10}", 1001, True) for e in (A, B)]


def renamed(e: int, t: int, name: str) -> list[Change]:
    """A user gets another name."""
    return [(e, "user/name", name, t, True), (e, "user/name", f"name of {e % 10}", t, False)]


def days(store: FolderObjectStore, *changes: Change, ends: tuple[int, int] = (1001, 1010)) -> tuple[Day, Day]:
    """Two days of a log, the second of them read through a cache that ends with the first."""
    log = log_of(*NAMED, *changes, (C, "user/age", "7", 1010, True))
    (whole,) = sources_of(DEFINITION, store, [log])
    cache = write_cache(whole, store, folder="cache", last_t=ends[0], bucket_datoms=10)
    yesterday = compute_day(DEFINITION, [replace(whole, until_t=ends[0])], store)
    return yesterday, compute_day(DEFINITION, [replace(whole, until_t=ends[1], cache=cache)], store)


def keys_of(figures: ContractFigures) -> tuple[int, int]:
    """How many keys of today are shared, and how many repeat without the log saying so."""
    return figures.today.shared_keys, figures.today.duplicate_keys


CASES: dict[str, tuple[list[Change], dict[str, int]]] = {
    "nothing touches them": ([*SHARED, *NICKS], {USERS: 1, HISTORY: 1, SNAPSHOT: 1}),
    "one of them changes": ([*SHARED, *NICKS, *renamed(B, 1005, "z")], {USERS: 1, HISTORY: 1, SNAPSHOT: 1}),
    "both change alike": (
        [*SHARED, *renamed(A, 1005, "z"), *renamed(B, 1005, "z")],
        {USERS: 1, HISTORY: 2, SNAPSHOT: 2},
    ),
    "one of them loses it": ([*SHARED, *NICKS, (A, "user/id", "a", 1005, False)], {HISTORY: 1, SNAPSHOT: 1}),
    "another one gets it": (
        [*SHARED, *NICKS, (C, "user/id", "a", 1005, True), (C, "user/id", "c", 1005, False)],
        {USERS: 2, HISTORY: 1, SNAPSHOT: 1},
    ),
    "a key gets a second entity": (
        [*SHARED[::2], (B, "user/id", "a", 1005, True)],
        {USERS: 1},
    ),
    "a key moves within one tx": (
        [
            *SHARED[::2],
            (B, "user/id", "b", 1001, True),
            (B, "user/id", "a", 1005, True),
            (B, "user/id", "b", 1005, False),
            (A, "user/id", "a", 1005, False),
            *renamed(A, 1005, "z"),
            *renamed(B, 1005, "y"),
        ],
        {HISTORY: 1},
    ),
}


@pytest.mark.parametrize(
    ("pii_key", "elsewhere"),
    [pytest.param(PII_KEY, False, id="with the key, here"), pytest.param(None, True, id="without it, elsewhere")],
)
@pytest.mark.parametrize(("changes", "shared"), [pytest.param(*case, id=name) for name, case in CASES.items()])
def test_keys_that_the_log_shares_are_explained(
    changes: list[Change],
    shared: dict[str, int],
    pii_key: bytes | None,
    elsewhere: bool,  # noqa: FBT001
    store: FolderObjectStore,
) -> None:
    """No row is at fault, and a warning names the key by its token."""
    yesterday, today = days(store, *changes)
    driver = ElsewhereDriver(driver_in(store).scratch) if elsewhere else None

    found = compare(yesterday, today, store, Explaining(pii_key=pii_key, driver=driver))

    assert list(faults_of(found)) == []
    assert {name: keys_of(figures) for name, figures in found.items() if keys_of(figures) != (0, 0)} == {
        name: (count, 0) for name, count in shared.items()
    }
    token = tuple(row_tokens(TOKEN_KEY, pl.DataFrame({"user__id": ["a"], "prototype": ["s0"]})))
    assert {figures.today.sharing for name, figures in found.items() if name in shared} <= {token}
    assert all(failed_rules(name, figures) == [] for name, figures in found.items())


def rows_with_key(day: Day, dataset: str, key: str) -> Sequence[int]:
    """The numbers of the rows that have a key."""
    return day.frame(dataset).with_row_index().filter(pl.col("user__id") == key)["index"].to_list()


DAMAGED = [
    pytest.param(case, dataset, id=f"{case}, {dataset}")
    for case, datasets in {
        "nothing touches them": (USERS, HISTORY),
        "one of them changes": (USERS, SNAPSHOT),
        "a key gets a second entity": (USERS,),
        "a key moves within one tx": (HISTORY,),
    }.items()
    for dataset in datasets
]


@pytest.mark.parametrize(("case", "dataset"), DAMAGED)
def test_damage_to_a_shared_key_is_found(case: str, dataset: str, store: FolderObjectStore) -> None:
    """Whichever of its rows is lost, or shows nonsense or what another entity of the key shows."""
    yesterday, today = (day.only(dataset) for day in days(store, *CASES[case][0]))
    frame = today.frame(dataset)

    for row in rows_with_key(today, dataset, "a"):
        names = [*frame["user__name"].drop_nulls(), "nonsense"]
        other = next(name for name in names if name != frame["user__name"][row])
        cell = pl.when(pl.int_range(pl.len()) == row).then(pl.lit(other)).otherwise("user__name")
        for damaged in (without(frame, row), frame.with_columns(cell.alias("user__name"))):
            found = compare(yesterday, today.showing({dataset: damaged}, store), store)

            assert list(faults_of(found)) != []


@pytest.mark.parametrize(("key", "dataset"), [("a", USERS), ("c", USERS), ("a", HISTORY), ("c", SNAPSHOT)])
def test_a_repetition_that_the_log_does_not_say_blocks(key: str, dataset: str, store: FolderObjectStore) -> None:
    """Of a key with one entity, and of one with two."""
    yesterday, today = (day.only(dataset) for day in days(store, *SHARED))
    frame = today.frame(dataset)
    doubled = today.showing({dataset: pl.concat([frame, frame.filter(pl.col("user__id") == key).head(1)])}, store)

    found = compare(yesterday, doubled, store)[dataset]

    assert found.today.duplicate_keys > 0
    assert found.prototypes is None
    assert "sound_table" in failed_rules(dataset, found)


def test_shared_keys_are_the_same_at_the_same_t(store: FolderObjectStore) -> None:
    """The contract that is recomputed from a cache repeats keys as yesterday's does, row by row."""
    yesterday, today = days(store, *SHARED, *renamed(B, 1005, "z"))
    sources = tuple(replace(source, until_t=1001) for source in today.sources)
    again = ContractBuild(definition=DEFINITION, sources=sources, pii_key=PII_KEY)
    frame = yesterday.frame(USERS)
    wrong = yesterday.showing({USERS: pl.concat([frame.head(1), frame.head(1), frame.tail(1)])}, store)

    def differing(day: Day) -> dict[str, int]:
        runtime = Runtime(store=store, driver=driver_in(store), warn=refuse_other_warnings)
        found = compare_same_t(again, day.tables, token_key=TOKEN_KEY, runtime=runtime)
        return {name: same_t.differing for name, same_t in found.items()}

    assert differing(yesterday) == dict.fromkeys((USERS, HISTORY, SNAPSHOT), 0)
    assert differing(wrong) == {USERS: 1, HISTORY: 0, SNAPSHOT: 0}


@pytest.mark.parametrize("pii_key", [pytest.param(PII_KEY, id="with the key"), pytest.param(None, id="without it")])
@pytest.mark.parametrize("names", [("x", "y"), ("y", "x"), ("x", None), (None, "x")])
@pytest.mark.parametrize("ends", [pytest.param((1001, 1005), id="to many"), pytest.param((1005, 1010), id="to one")])
def test_rows_of_one_key_are_told_apart_by_columns_of_a_new_type(
    ends: tuple[int, int], names: tuple[str | None, str | None], pii_key: bytes | None, store: FolderObjectStore
) -> None:
    """A name becomes a list of names, and one name again; whose it is shows in no other column, nor in the order.

    So does a nickname, which is personal data.
    """
    named = [(e, "user/name", name, 1001, True) for e, name in zip((A, B), names, strict=True) if name]
    many = [(a, 41, kind, 1005, kind == "36") for a in (73, 87) for kind in ("36", "35")]
    one = [(a, 41, kind, 1010, kind == "35") for a in (73, 87) for kind in ("35", "36")]
    log = log_of(*SHARED, *named, *NICKS, schema_changes=[*many, *one])
    (whole,) = sources_of(DEFINITION, store, [log])

    yesterday, today = (compute_day(DEFINITION, [replace(whole, until_t=t)], store) for t in ends)
    turned = today.showing({name: today.frame(name).reverse() for name in today.tables}, store)
    found = compare(yesterday, turned, store, Explaining(pii_key=pii_key))

    assert list(faults_of(found)) == []
