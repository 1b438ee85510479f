"""In several buckets, rows are explained by what they refer to anywhere, and no more than that is read of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.engine.contracts.column_timelines import Shown
from logcache_assets.engine.contracts.entity_reader import InstanceReader
from logcache_assets.engine.contracts.referred import Behind, Referred
from logcache_assets.engine.storage.buckets import BUCKET_DATOMS, Bucket
from logcache_tests.engine.app import Change, define, log_of
from logcache_tests.engine.days import AS_USUAL, Day, accused, compare, compute_day, faults_of
from logcache_tests.engine.elsewhere import ElsewhereDriver
from logcache_tests.engine.generated import source_of, write_segments
from logcache_tests.engine.world import driver_in, write_cache

COUNT = 40
FIRST = 17592186044418
YESTERDAY_T, TODAY_T = 1004, 1009
NAMED, FRIENDS = "contract-app/users", "contract-app/user-friend-history"
DEFINITION = define(
    {"attribute": "user/name"},
    {"attribute": "user/friend", "ref": "user/name", "history": True},
    {"attribute": "user/friends", "ref": "user/nick"},
)
KEY = ["user__id", "prototype"]
FEW = 30
"""Datoms of a bucket, which make several."""


def user(n: int) -> int:
    """The entity of a user; in a circle."""
    return FIRST + n % COUNT


def earlier() -> list[Change]:
    """Yesterday: everybody has a name, a nick, the next one as a friend, and two further ones as friends."""
    changes: list[Change] = []
    for n in range(COUNT):
        changes += [(user(n), "user/id", f"u{n:02}", 1001, True), (user(n), "user/name", f"name {n}", 1002, True)]
        changes += [
            (user(n), "user/nick", f"nick {n}", 1002, True),
            (user(n), "user/friend", str(user(n + 1)), 1003, True),
        ]
        changes += [(user(n), "user/friends", str(user(n + m)), 1004, True) for m in (2, 3)]
    return changes


def later() -> list[Change]:
    """Since then: user 5 has another name, and soon a third; 6 loses its nick; 10 has 30 as a friend, 20 none."""
    return [
        (user(5), "user/name", "another", 1005, True),
        (user(5), "user/name", "name 5", 1005, False),
        (user(6), "user/nick", "nick 6", 1006, False),
        (user(10), "user/friend", str(user(30)), 1007, True),
        (user(10), "user/friend", str(user(11)), 1007, False),
        (user(20), "user/friend", str(user(21)), 1008, False),
        (user(5), "user/name", "a third", 1009, True),
        (user(5), "user/name", "another", 1009, False),
    ]


REASONS = {
    "u05": "new-transaction",
    "u10": "new-transaction",
    "u20": "new-transaction",
    "u04": "referred-entity",
    "u03": "referred-entity",
}
"""The rows that differ: 6 has no cell that shows its own nick, 4 has 5 as a friend, 3 and 4 have 6 among theirs."""


def days(store: FolderObjectStore, *, bucket_datoms: int) -> tuple[Day, Day]:
    """Both days; today's log is read through a cache of yesterday's."""
    log, (instance,) = log_of(*earlier(), *later()), DEFINITION.instances
    source = source_of(*write_segments(log, [YESTERDAY_T, 1006, 1008, TODAY_T], store, instance=instance))
    folder = f"cache-{bucket_datoms}"
    cache = write_cache(source, store, folder=folder, last_t=YESTERDAY_T, bucket_datoms=bucket_datoms)
    yesterday = compute_day(DEFINITION, [replace(source, until_t=YESTERDAY_T)], store)
    return yesterday, compute_day(DEFINITION, [replace(source, until_t=TODAY_T, cache=cache)], store)


def changed_keys(yesterday: Day, today: Day) -> set[str]:
    """The keys of users whose rows differ."""
    both = yesterday.frame(NAMED).join(today.frame(NAMED), on=KEY, suffix=" now")
    names = [name for name in yesterday.frame(NAMED).columns if name not in KEY]
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name} now")) for name in names)
    return set(both.filter(differs)["user__id"])


@pytest.mark.parametrize("bucket_datoms", [BUCKET_DATOMS, FEW], ids=["one bucket", "several buckets"])
def test_a_row_is_explained_by_an_entity_of_any_bucket(bucket_datoms: int, store: FolderObjectStore) -> None:
    """The reasons are those by hand, and nothing is at fault."""
    yesterday, today = days(store, bucket_datoms=bucket_datoms)

    found = compare(yesterday, today, store)

    assert changed_keys(yesterday, today) == REASONS.keys()
    assert found[NAMED].reasons == Counter(REASONS.values())
    assert list(faults_of(found)) == []


def figures(store: FolderObjectStore, *, bucket_datoms: int, elsewhere: bool) -> Mapping[str, ContractFigures]:
    """The comparison where today's tables are still yesterday's, so that every change is missed."""
    yesterday, today = days(store, bucket_datoms=bucket_datoms)
    driver = driver_in(store)
    chosen = ElsewhereDriver(driver.scratch) if elsewhere else driver
    return compare(yesterday, replace(today, tables=yesterday.tables), store, replace(AS_USUAL, driver=chosen))


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in this process", "elsewhere"])
def test_faults_are_the_same_in_any_number_of_buckets(store: FolderObjectStore, *, elsewhere: bool) -> None:
    """Figures, patterns, and the t and segments that a faulty row's value comes from."""
    whole = figures(store, bucket_datoms=BUCKET_DATOMS, elsewhere=False)

    found = figures(store, bucket_datoms=FEW, elsewhere=elsewhere)

    assert found == whole
    by_columns = {p.columns: (p.rows, p.first_t, p.last_t) for p in found[NAMED].patterns}
    assert sum(fault.rows for fault in accused(found[NAMED])) == len(REASONS)
    assert by_columns["user__name",] == (1, 1009, 1009)
    assert by_columns["user__friends",] == (1, 1006, 1006)


def test_what_is_read_of_referred_entities_is_what_is_asked_for(
    store: FolderObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No attribute behind a ref is read of the whole instance, or twice of a bucket, and little of it is kept."""
    read: list[tuple[Behind, Bucket]] = []
    kept: dict[Behind, set[int]] = {}
    read_behind, read_files = InstanceReader.read_behind, Referred.read

    def noted(reader: InstanceReader, behind: Behind, bucket: Bucket) -> Shown:
        read.append((behind, bucket))
        return read_behind(reader, behind, bucket)

    def noted_files(referred: Referred, behind: Behind, bucket: Bucket, nothing: Shown) -> Shown:
        found = read_files(referred, behind, bucket, nothing)
        kept.setdefault(behind, set()).update(found.timeline["e"])
        return found

    yesterday, today = days(store, bucket_datoms=FEW)
    monkeypatch.setattr(InstanceReader, "read_behind", noted)
    monkeypatch.setattr(Referred, "read", noted_files)

    compare(yesterday, today, store)

    assert min(bucket.of for _, bucket in read) > 1
    assert max(Counter(read).values()) == 1
    # What 3, 4, 5, 6, 10 and 20 refer to, or did after yesterday's t: their rows may differ.
    assert {e - FIRST for e in kept["user/name", False]} == {4, 5, 6, 7, 11, 21, 30}
    assert {e - FIRST for e in kept["user/nick", False]} == {5, 6, 7, 8, 9, 12, 13, 22, 23}


def test_where_a_faulty_row_comes_from_is_found_without_the_whole_instance(
    store: FolderObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the rows of a table that is looked up again read what they refer to, bucket by bucket."""
    read: list[Bucket] = []
    read_behind = InstanceReader.read_behind

    def noted(reader: InstanceReader, behind: Behind, bucket: Bucket) -> Shown:
        read.append(bucket)
        return read_behind(reader, behind, bucket)

    yesterday, today = days(store, bucket_datoms=FEW)
    monkeypatch.setattr(InstanceReader, "read_behind", noted)
    compare(yesterday, today, store)
    explaining = len(read)

    compare(yesterday, replace(today, tables=yesterday.tables), store)

    assert len(read) > 2 * explaining
    assert min(bucket.of for bucket in read) > 1


def test_nothing_is_read_of_referred_entities_where_no_row_may_differ(
    store: FolderObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two days of one t."""
    read: list[Bucket] = []

    def noted(_: InstanceReader, __: Behind, bucket: Bucket) -> Shown:
        read.append(bucket)
        raise AssertionError

    yesterday, _ = days(store, bucket_datoms=FEW)
    (source,) = yesterday.sources
    cache = write_cache(source, store, folder="again", last_t=YESTERDAY_T, bucket_datoms=FEW)
    monkeypatch.setattr(InstanceReader, "read_behind", noted)

    found = compare(yesterday, replace(yesterday, sources=(replace(source, cache=cache),)), store)

    assert (found[NAMED].reasons, read) == ({}, [])
