"""The ladder of `fallback`: the candidate, earlier entries of the map, segments alone; each step gives a warning."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_entry

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.engine.contracts.build_contracts import ContractBuild, build_contracts
from logcache_assets.engine.drivers.driver import Driver, Folder, LocalDriver
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.log.log_op import CachePolicy, ChainError, LogSource
from logcache_assets.engine.raw.build_raw import RawBuild, build_raw
from logcache_tests.engine.app import NAME, A, B, define, log_of
from logcache_tests.engine.builds import build, facts_of
from logcache_tests.engine.damage import truncate, zero_column
from logcache_tests.engine.elsewhere import ElsewhereDriver
from logcache_tests.engine.generated import fact_rows, segments_in, source_of, with_index, write_segments
from logcache_tests.engine.law import rows_of
from logcache_tests.engine.world import (
    BEFORE_EVERY_SEGMENT,
    OWN_BUCKET,
    driver_in,
    refuse_warning,
    seal,
    strict_log,
    write_cache,
)

USERS = range(A, A + 40)
LOG = log_of(
    *((e, "user/id", str(e), 1001, True) for e in USERS),
    *((e, "user/name", "Ana", 1002, True) for e in USERS),
    *((e, "user/name", "Eva", 1003, True) for e in USERS),
    *((e, "user/name", "Ana", 1003, False) for e in USERS),
    (B, "user/age", "7", 1004, True),
)
ENDS = (1000, 1001, 1002, 1003, 1004)
ONE_USER = log_of(
    (A, "user/id", "only", 1001, True),
    (A, "user/name", "Ana", 1002, True),
    (A, "user/age", "7", 1003, True),
    (A, "user/age", "7", 1004, False),
)
DEFINITION = define(NAME, {"attribute": "user/age"}, prototypes=("s0", "s1"))
S0, S1 = DEFINITION.instances
BUCKET_DATOMS = 100
"""Datoms per bucket that give four buckets."""


@pytest.fixture
def alone(store: FolderObjectStore) -> LogSource:
    """The segments of app-s0."""
    return source_of(*write_segments(LOG, ENDS, store, instance=S0))


@pytest.fixture
def other(store: FolderObjectStore) -> LogSource:
    """app-s1, whose cache is sound."""
    source = source_of(*write_segments(LOG, ENDS, store, instance=S1))
    return replace(source, cache=write_cache(source, store, folder="sound", last_t=1002))


@pytest.fixture
def candidate(alone: LogSource, store: FolderObjectStore) -> MapEntry:
    """A cache up to t 1003."""
    return write_cache(alone, store, folder="candidate", last_t=1003, bucket_datoms=BUCKET_DATOMS)


@pytest.fixture
def earlier(alone: LogSource, store: FolderObjectStore) -> MapEntry:
    """The earlier entry, up to t 1001."""
    return write_cache(alone, store, folder="earlier", last_t=1001)


def wanted(*sources: LogSource, policy: CachePolicy = CachePolicy.FALLBACK) -> ContractBuild:
    """A build of all contracts."""
    return ContractBuild(
        definition=DEFINITION, sources=sources, pii_key=b"k", policy=policy, bucket_datoms=BUCKET_DATOMS
    )


def entities_file(entry: MapEntry, half: str = "open", bucket: str = "00000-of-00001") -> str:
    """One file of the materialized entities."""
    return f"{entry.materialized_entities}/{half}-{bucket}.parquet"


def test_a_sound_candidate_is_used_and_nothing_is_told(
    alone: LogSource, other: LogSource, candidate: MapEntry, store: FolderObjectStore
) -> None:
    """Segments up to the cache's end are not even opened."""
    wrong = [segment.path for segment in segments_in(alone) if segment.last_t <= 1003]
    for path in wrong:
        store.path_of(path).unlink()

    found = build(wanted(replace(alone, cache=candidate), other), store)

    assert found["contract-app/users"].built.rows == 2 * len(USERS)


def test_the_earlier_entry_is_next(
    alone: LogSource, candidate: MapEntry, earlier: MapEntry, store: FolderObjectStore
) -> None:
    """The warning says what is wrong, what is used instead, and what that costs."""
    truncate(entities_file(candidate, "closed", "00001-of-00004"), store)
    source, told = replace(alone, cache=candidate, earlier=(earlier,)), list[str]()

    found = facts_of(source, store, policy=CachePolicy.FALLBACK, warn=told.append)

    assert found.equals(facts_of(alone, store))
    assert len(told) == 1
    assert told[0].startswith("WARNING: app-s0: the cache of t in (0, 1003] cannot be read: ")
    assert "closed-00001-of-00004.parquet" in told[0]
    assert f"Going on with the earlier cache {earlier.log}: 3 segments are read after t 1001 instead of 1" in told[0]


def test_the_segments_alone_are_last(
    alone: LogSource, other: LogSource, candidate: MapEntry, earlier: MapEntry, store: FolderObjectStore
) -> None:
    """Each step gives one warning; another instance keeps its sound cache."""
    store.path_of(entities_file(candidate, "open", "00002-of-00004")).unlink()
    truncate(entities_file(earlier), store)
    source, told = replace(alone, cache=candidate, earlier=(earlier,)), list[str]()
    for segment in segments_in(other)[:2]:
        store.path_of(segment.path).unlink()

    found = build(wanted(source, other), store, warn=told.append)

    assert [line.rpartition("Going on ")[2] for line in told] == [
        f"with the earlier cache {earlier.log}: 3 segments are read after t 1001 instead of 1",
        "without the cache: 5 segments are read from the start instead of 3",
    ]
    assert f"1 file missing, first {entities_file(candidate, 'open', '00002-of-00004')} (C13)" in told[0]
    assert found["contract-app/users"].built.rows == 2 * len(USERS)


def test_a_stale_entry_is_no_step(alone: LogSource, candidate: MapEntry, store: FolderObjectStore) -> None:
    """An earlier entry may hold the same deleted personal data, so it is not used either."""
    stale = write_cache(alone, store, folder="stale", last_t=1001, read_at=BEFORE_EVERY_SEGMENT)
    truncate(entities_file(candidate, "open", "00000-of-00004"), store)
    source, told = replace(alone, cache=candidate, earlier=(stale,)), list[str]()

    found = facts_of(source, store, policy=CachePolicy.FALLBACK, warn=told.append)

    assert found.equals(facts_of(alone, store))
    assert ["is stale" in line for line in told] == [False, True]
    assert "Going on without the cache" in told[1]


def test_strict_takes_no_step(
    alone: LogSource, other: LogSource, candidate: MapEntry, earlier: MapEntry, store: FolderObjectStore
) -> None:
    """The error names instance, file and range; nothing was written."""
    truncate(entities_file(candidate, "open", "00003-of-00004"), store)
    out = Folder(store, f"s3://{OWN_BUCKET}/out")
    strict = wanted(replace(alone, cache=candidate, earlier=(earlier,)), other, policy=CachePolicy.STRICT)

    with pytest.raises(CacheError, match=r"app-s0: .*t in \(0, 1003\].*open-00003-of-00004\.parquet") as refusal:
        build_contracts(strict, store=store, out=out, driver=driver_in(store), warn=refuse_warning)

    assert refusal.value.instance == S0
    assert list(store.list_objects(f"{out.uri}/")) == []


def test_a_ladder_that_ends_in_a_gap_is_an_error(
    alone: LogSource, candidate: MapEntry, store: FolderObjectStore
) -> None:
    """If the index lost segments that the cache holds, there is no fallback: the log would be shorter."""
    truncate(entities_file(candidate, "open", "00000-of-00004"), store)
    lost = replace(with_index(alone, segments_in(alone)[2:]), cache=candidate)

    with pytest.raises(ChainError, match=r"app-s0: .*gap.* t in \(0, 1001\]"):
        facts_of(lost, store, policy=CachePolicy.FALLBACK, warn=list[str]().append)


def elsewhere_in(store: FolderObjectStore) -> Driver:
    """A driver that pickles tasks and errors."""
    return ElsewhereDriver(driver_in(store).scratch)


@pytest.mark.parametrize("make_driver", [driver_in, elsewhere_in])
@pytest.mark.parametrize(("half", "column"), [("open", "v"), ("open", "t_to"), ("closed", "v"), ("closed", "t_to")])
def test_damage_found_while_contracts_are_computed_is_a_step(  # noqa: PLR0917 - a table of cases
    half: str,
    column: str,
    make_driver: Callable[[FolderObjectStore], Driver],
    alone: LogSource,
    other: LogSource,
    candidate: MapEntry,
    store: FolderObjectStore,
) -> None:
    """A cache that fails late is replaced: everything is computed again, and no stale part is left."""
    zero_column(entities_file(candidate, half, "00003-of-00004"), column, store)
    source, told = replace(alone, cache=candidate), list[str]()

    found = build(wanted(source, other), store, driver=make_driver(store), warn=told.append)
    sound = build(wanted(alone, other), store)

    for name, dataset in found.items():
        assert rows_of(dataset.frames) == rows_of(sound[name].frames)
        assert [file.uri.rpartition("/")[2] for file in dataset.built.files] == [
            file.uri.rpartition("/")[2] for file in sound[name].built.files
        ]
    assert len(told) == 1
    assert f"{half}-00003-of-00004.parquet" in told[0]
    with pytest.raises(CacheError, match=rf"app-s0: .*\(0, 1003\].*{half}-00003-of-00004\.parquet"):
        build(wanted(source, other, policy=CachePolicy.STRICT), store, driver=make_driver(store))


def test_parts_that_only_a_damaged_cache_gave_are_emptied(
    alone: LogSource, other: LogSource, candidate: MapEntry, store: FolderObjectStore
) -> None:
    """The failed attempt may have read another log; the folder then has only rows of the sound reading."""
    zero_column(entities_file(candidate, "closed", "00003-of-00004"), "v", store)
    few = replace(with_index(alone, write_segments(ONE_USER, ENDS, store, instance=S0)), cache=candidate)
    driver = LocalDriver(driver_in(store).scratch, workers=1)

    found = build(wanted(few, other), store, driver=driver, warn=list[str]().append)

    users = found["contract-app/users"].frame
    assert users.filter(prototype="s0")["user__id"].to_list() == ["only"]


def test_raw_datasets_are_built_by_the_same_ladder(
    alone: LogSource, candidate: MapEntry, earlier: MapEntry, store: FolderObjectStore
) -> None:
    """A damaged log and damaged entities each cause a step; what is written is complete."""
    zero_column(f"{candidate.log}/part-00000.parquet", "v", store)
    zero_column(entities_file(earlier), "v", store)
    source, told = replace(alone, cache=candidate, earlier=(earlier,)), list[str]()
    folder = Folder(store, f"s3://{OWN_BUCKET}/raw")
    raw = RawBuild(source=source, log=folder.at("log"), entities=folder.at("entities"), policy=CachePolicy.FALLBACK)

    built = build_raw(raw, store=store, driver=driver_in(store), warn=told.append)

    assert (built.datoms, built.last_t) == (len(LOG), 1004)
    assert [line.rpartition("Going on ")[2].split(":")[0] for line in told] == [
        f"with the earlier cache {earlier.log.partition(':')[0]}",
        "without the cache",
    ]
    entry = replace_entry(earlier, last_t=1004, log=raw.log.uri, materialized_entities=raw.entities.uri)
    written = replace(alone, cache=seal(entry, store, instance=S0))
    assert strict_log(written, store).equals(strict_log(alone, store))
    assert fact_rows(facts_of(written, store)) == fact_rows(facts_of(alone, store))


def test_raw_files_that_only_a_damaged_cache_gave_are_emptied(
    alone: LogSource, candidate: MapEntry, store: FolderObjectStore
) -> None:
    """From segments the log is split into other files; entities have the same files in both attempts."""
    zero_column(entities_file(candidate, "closed", "00003-of-00004"), "v", store)
    folder = Folder(store, f"s3://{OWN_BUCKET}/raw")
    few = with_index(alone, write_segments(LOG, (1004,), store, instance=S0))
    raw = RawBuild(
        source=replace(few, cache=candidate),
        log=folder.at("log"),
        entities=folder.at("entities"),
        policy=CachePolicy.FALLBACK,
        part_datoms=1,
    )
    driver = LocalDriver(driver_in(store).scratch, workers=1)

    build_raw(raw, store=store, driver=driver, warn=list[str]().append)

    entry = replace_entry(candidate, last_t=1004, log=raw.log.uri, materialized_entities=raw.entities.uri)
    written = replace(few, cache=seal(entry, store, instance=S0))
    assert Counter(strict_log(written, store).iter_rows()) == Counter(strict_log(few, store).iter_rows())
    assert fact_rows(facts_of(written, store)) == fact_rows(facts_of(few, store))
