"""Files of materialized entities: what is written, and how little is read."""

import tempfile
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.facts.facts_files import (
    SMALL_GROUP_ROWS,
    FactsFolder,
    facts_bytes,
    parse_files,
    plan_row_groups,
    write_facts,
)
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.engine.storage.buckets import WHOLE, Bucket
from logcache_assets.engine.storage.parquet import ROW_GROUP_ROWS, ParquetError
from logcache_assets.engine.storage.schemas import FACTS_ORDER, FACTS_SCHEMA, TX_BASE
from logcache_tests.engine.app import NAME, A, B, cells, define, log_of
from logcache_tests.engine.builds import build
from logcache_tests.engine.damage import zero_column
from logcache_tests.engine.generated import Fact, InventedLog, invented_logs, source_of, write_segments
from logcache_tests.engine.world import OWN_BUCKET, open_store, write_cache

ENTITIES = f"s3://{OWN_BUCKET}/entities"
INTEGERS, TEXTS = 100, 101
ROWS = SMALL_GROUP_ROWS + 1


def run_lengths() -> st.SearchStrategy[list[int]]:
    """How many facts each attribute has."""
    sizes = [1, 100, SMALL_GROUP_ROWS - 1, SMALL_GROUP_ROWS, ROW_GROUP_ROWS, ROW_GROUP_ROWS + 1, 3 * ROW_GROUP_ROWS]
    return st.lists(st.sampled_from(sizes), max_size=6)


@given(run_lengths())
@settings(max_examples=30)
def test_row_groups_begin_where_an_attribute_does(lengths: list[int]) -> None:
    """Each row is in exactly one group, only small attributes share one, and none is too large."""
    attributes = pl.concat(
        [pl.Series(dtype=pl.Int64), *(pl.repeat(n, rows, eager=True).cast(pl.Int64) for n, rows in enumerate(lengths))]
    )

    groups = list(plan_row_groups(attributes))

    ends = list(accumulate(length for _, length in groups))
    assert [begin for begin, _ in groups] == [0, *ends][: len(groups)]
    assert sum(length for _, length in groups) == len(attributes)
    assert all(0 < length <= ROW_GROUP_ROWS for _, length in groups)
    shared = [length for begin, length in groups if attributes[begin] != attributes[begin + length - 1]]
    assert all(length < 2 * SMALL_GROUP_ROWS for length in shared)
    many = [begin for begin, rows in zip([0, *accumulate(lengths)], lengths, strict=False) if rows >= SMALL_GROUP_ROWS]
    assert {*many} <= {begin for begin, _ in groups}


def facts_of(log: InventedLog) -> pl.DataFrame:
    """The log's facts as write_facts takes them."""
    rows = [(e, a, v, None, t_from, t_to) for e, a, v, t_from, t_to in log.facts]
    return pl.DataFrame(rows, FACTS_SCHEMA, orient="row").sort(FACTS_ORDER)


def folder_of(store: FolderObjectStore, *, last_t: int, until_t: int | None = None) -> FactsFolder:
    """The written folder."""
    uris = [item.uri for item in store.list_objects(f"{ENTITIES}/")]
    return FactsFolder(
        instance_name="double-entry-s0",
        files=parse_files(uris),
        last_t=last_t,
        until_t=until_t,
        verified=lambda _uri, held: held,
    )


@given(invented_logs(), st.sampled_from([1, 2, 8]), st.sampled_from([1, 2, 8]), st.data())
@settings(max_examples=25)
def test_files_of_any_buckets_give_any_buckets(log: InventedLog, written: int, read: int, data: st.DataObject) -> None:
    """Each fact is read once, in its bucket, sorted by entity, also when cut at any t."""
    until_t = data.draw(st.none() | st.sampled_from(log.ts))
    wanted = sorted((f for f in (cut(fact, until_t) for fact in log.facts) if f), key=repr)
    with tempfile.TemporaryDirectory() as place:
        store = open_store(Path(place))
        for number in range(written):
            bucket = Bucket(number, written)
            write_facts(bucket.select(facts_of(log)), bucket, ENTITIES, store)
        folder = folder_of(store, last_t=log.ts[-1], until_t=until_t)

        found: list[Fact] = []
        times: list[tuple[int, int]] = []
        for number in range(read):
            bucket = Bucket(number, read)
            values = folder.read_values({50: False, 100: False, 101: False}, bucket, store, only_open=False)
            for a, frame in values.items():
                assert frame["e"].is_sorted()
                assert bucket.select(frame).equals(frame)
                found += [(e, a, v, start, end) for e, v, _, start, end in frame.rows()]
            times += folder.read_times(bucket, store).rows()
        is_open = [f for f in wanted if f[4] is None]

        assert sorted(found, key=repr) == wanted
        assert {*times} == {(e, t) for e, _, _, start, end in wanted for t in (start, end) if t is not None}
        assert open_rows(folder, store) == is_open
        assert folder_of(store, last_t=0).find_last_t(store) == log.ts[-1]


def cut(fact: Fact, until_t: int | None) -> Fact | None:
    """The fact as of a t; None before it began."""
    e, a, v, start, end = fact
    if until_t is None:
        return fact
    return (e, a, v, start, end if end is not None and end <= until_t else None) if start <= until_t else None


def open_rows(folder: FactsFolder, store: FolderObjectStore) -> list[Fact]:
    """The open facts that the folder gives, in the order of InventedLog.facts."""
    values = folder.read_values({50: False, 100: False, 101: False}, WHOLE, store, only_open=True)
    return sorted(
        ((e, a, v, start, end) for a, frame in values.items() for e, v, _, start, end in frame.rows()), key=repr
    )


def test_facts_are_counted_by_bucket(store: FolderObjectStore) -> None:
    """Those of the attributes that are asked for; closed ones only where they are read."""
    rows = [(e, a, "x", None, 5, t_to) for e in range(40) for a, t_to in ((100, None), (100, 9), (101, None), (50, 9))]
    facts = pl.DataFrame(rows, FACTS_SCHEMA, orient="row").sort(FACTS_ORDER)
    buckets = [Bucket(number, 4) for number in range(4)]
    for bucket in buckets:
        write_facts(bucket.select(facts), bucket, ENTITIES, store)
    entities = [len(bucket.select(pl.DataFrame({"e": range(40)}, {"e": pl.Int64}))) for bucket in buckets]

    folder = folder_of(store, last_t=9)

    assert folder.count_values([100, 101, 999], store, only_open=True) == tuple(2 * n for n in entities)
    assert folder.count_values([100, 50], store, only_open=False) == tuple(3 * n for n in entities)
    assert replace(folder, until_t=7).count_values([100], store, only_open=True) == tuple(2 * n for n in entities)


@pytest.fixture
def large(store: FolderObjectStore) -> FactsFolder:
    """One attribute of integers and one of texts, each with row groups of its own, and the instant of a tx."""
    ids = pl.int_range(ROWS, eager=True)
    common = {"t_from": pl.lit(5, pl.Int64), "t_to": pl.lit(None, pl.Int64)}
    integers = pl.select(e=ids, a=pl.lit(INTEGERS, pl.Int64), v=ids.cast(pl.String), n=ids).with_columns(**common)
    texts = integers.with_columns(a=pl.lit(TEXTS, pl.Int64), n=pl.lit(None, pl.Int64))
    tx = pl.DataFrame([(TX_BASE + 5, 50, "instant", None, 5, None)], FACTS_SCHEMA, orient="row")
    facts = pl.concat([frame.select(FACTS_SCHEMA.names()) for frame in (tx, integers, texts)])
    write_facts(facts, WHOLE, ENTITIES, store)
    return folder_of(store, last_t=5)


OPEN_FILE = f"{ENTITIES}/open-00000-of-00001.parquet"


def test_integers_are_read_without_their_texts(large: FactsFolder, store: FolderObjectStore) -> None:
    """Texts of integers, half of a file, are not read."""
    zero_column(OPEN_FILE, "v", store, groups=[1])

    found = large.read_values({INTEGERS: True}, WHOLE, store, only_open=True)

    assert found[INTEGERS]["n"].to_list() == list(range(ROWS))
    with pytest.raises(ParquetError, match=r"double-entry-s0: .*open-00000-of-00001\.parquet"):
        large.read_values({INTEGERS: False}, WHOLE, store, only_open=True)


def test_an_attribute_is_read_without_its_neighbours(large: FactsFolder, store: FolderObjectStore) -> None:
    """Row groups of other attributes are skipped."""
    for column in ("e", "v", "n", "t_from"):
        zero_column(OPEN_FILE, column, store, groups=[0, 1])

    found = large.read_values({TEXTS: False}, WHOLE, store, only_open=True)

    assert found[TEXTS]["v"].to_list() == [str(n) for n in range(ROWS)]


@pytest.fixture
def many_txes(store: FolderObjectStore) -> FactsFolder:
    """The instants of two row groups of txes, of which the first one is unreadable."""
    ts = pl.int_range(1, ROW_GROUP_ROWS + 11, eager=True)
    none = pl.lit(None, pl.Int64)
    txes = pl.select(e=TX_BASE + ts, a=pl.lit(50, pl.Int64), v=pl.lit("instant"), n=none, t_from=ts, t_to=none)
    write_facts(txes, WHOLE, ENTITIES, store)
    zero_column(OPEN_FILE, "e", store, groups=[0])
    return folder_of(store, last_t=ROW_GROUP_ROWS + 10)


def test_the_last_t_is_read_where_the_newest_tx_is(many_txes: FactsFolder, store: FolderObjectStore) -> None:
    """Older row groups are not read, however many txes there are."""
    assert many_txes.find_last_t(store) == ROW_GROUP_ROWS + 10
    assert replace(many_txes, last_t=ROW_GROUP_ROWS + 1).find_last_t(store) == ROW_GROUP_ROWS + 10


def test_all_txes_are_read_where_the_newest_is_missing(many_txes: FactsFolder, store: FolderObjectStore) -> None:
    """So that the error says where the data ends."""
    with pytest.raises(ParquetError, match=r"open-00000-of-00001\.parquet"):
        replace(many_txes, last_t=ROW_GROUP_ROWS + 11).find_last_t(store)


def test_a_text_that_is_no_integer_of_its_type_is_read_after_all(store: FolderObjectStore) -> None:
    """Only the texts of bad integers are read, so that the error can name them."""
    rows = [(1, INTEGERS, "7", 7, 5, None), (2, INTEGERS, "seven", None, 5, None)]
    write_facts(pl.DataFrame(rows, FACTS_SCHEMA, orient="row"), WHOLE, ENTITIES, store)

    found = folder_of(store, last_t=5).read_values({INTEGERS: True}, WHOLE, store, only_open=True)

    assert found[INTEGERS].select("e", "v", "n").rows() == [(1, None, 7), (2, "seven", None)]


@pytest.fixture
def closed_unreadable(store: FolderObjectStore) -> tuple[LogSource, MapEntry]:
    """A log whose cache has unreadable closed facts."""
    log = log_of(
        (A, "user/id", "a", 1001, True),
        (A, "user/name", "Ana", 1001, True),
        (A, "user/name", "Eva", 1002, True),
        (A, "user/name", "Ana", 1002, False),
        (B, "user/id", "b", 1003, True),
    )
    source = source_of(*write_segments(log, (1002, 1003), store, instance=define(NAME).instances[0]))
    entry = write_cache(source, store, folder="cache", last_t=1002, bucket_datoms=10)
    for item in store.list_objects(f"{entry.materialized_entities}/closed-"):
        if pq.ParquetFile(store.path_of(item.uri)).metadata.num_rows:
            for column in FACTS_SCHEMA.names():
                zero_column(item.uri, column, store)
    return source, entry


def test_entity_contracts_open_no_closed_fact(
    closed_unreadable: tuple[LogSource, MapEntry], store: FolderObjectStore
) -> None:
    """Only histories read retracted facts."""
    source, entry = closed_unreadable
    wanted = ContractBuild(definition=define(NAME), sources=(replace(source, cache=entry),), pii_key=b"k")

    found = build(replace(wanted, kinds=("entity",)), store)

    rows = found["contract-app/users"].frame.sort("user__id").to_dicts()
    assert cells(rows, "user__id", "user__name") == [("a", "Eva"), ("b", None)]
    with pytest.raises(CacheError, match=r"closed-0000.-of-0000.\.parquet"):
        build(replace(wanted, kinds=("history",)), store)


def test_entity_contracts_before_the_caches_end_open_them(
    closed_unreadable: tuple[LogSource, MapEntry], store: FolderObjectStore
) -> None:
    """A fact that was open then may have been closed since, so closed facts are read too."""
    source, entry = closed_unreadable
    asked = replace(source, cache=entry, until_t=1001)

    with pytest.raises(CacheError, match=r"closed-0000.-of-0000.\.parquet"):
        build(ContractBuild(definition=define(NAME), sources=(asked,), pii_key=b"k", kinds=("entity",)), store)


def test_files_are_good_parquet(large: FactsFolder, store: FolderObjectStore) -> None:
    """Files are zstd with statistics and a declared order; an empty half keeps its columns."""
    uris = [file.uri for file in large.files]
    closed, opened = (pq.ParquetFile(store.path_of(uri)) for uri in sorted(uris))
    metadata = opened.metadata

    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [1, ROWS, ROWS]
    for group in range(metadata.num_row_groups):
        chunks = [metadata.row_group(group).column(n) for n in range(metadata.num_columns)]
        assert {chunk.compression for chunk in chunks} == {"ZSTD"}
        assert all(chunk.is_stats_set for chunk in chunks)
        assert [s.column_index for s in metadata.row_group(group).sorting_columns] == [1, 0, 4]
    assert pl.read_parquet(store.path_of(min(uris))).schema == FACTS_SCHEMA
    assert closed.metadata.num_rows == 0


def test_other_columns_are_never_written() -> None:
    """Facts with other columns are refused."""
    with pytest.raises(TypeError, match="facts have the columns"):
        facts_bytes(pl.DataFrame({"e": [1]}))
