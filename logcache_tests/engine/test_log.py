"""LogOp returns exactly the log, or says why not."""

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logcache_assets.engine.cache import CacheError
from logcache_assets.engine.facts import fold_datoms
from logcache_assets.engine.log import CachePolicy, ChainError, LogSource, read_facts, read_log
from logcache_assets.engine.segments import SegmentError
from logcache_assets.local_platform.object_store import LocalObjectStore
from logcache_tests.engine.avro import FIELDS, Datom, avro_bytes
from logcache_tests.engine.generated import (
    INSTANCE,
    InventedLog,
    datom_rows,
    fact_rows,
    invented_logs,
    source_of,
    write_segment,
    write_segments,
)
from logcache_tests.engine.world import (
    BEFORE_EVERY_SEGMENT,
    FEED_S0,
    OWN_BUCKET,
    cut_off,
    entry_at,
    open_store,
    refuse_warning,
    segments_of,
    strict_facts,
    strict_log,
    write_cache,
)

Fault = Callable[[LocalObjectStore, str], None]


class Read(Protocol):
    """read_log or read_facts."""

    def __call__(
        self, source: LogSource, store: LocalObjectStore, *, policy: CachePolicy, warn: Callable[[str], None]
    ) -> pl.DataFrame:
        """Read from a source."""


DATOMS: list[Datom] = [
    (1, 100, "x", 10, True),
    (1, 100, "y", 20, True),
    (1, 100, "x", 20, False),
    (2, 100, "z", 30, True),
]
ENDS = (10, 20, 30)


@given(invented_logs(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_cache_and_newer_segments_are_the_whole_log(log: InventedLog, data: st.DataObject) -> None:
    """For every cut, every split into segments and every until_t: the same datoms in the same order, the same facts."""
    cut, until = data.draw(st.sampled_from(log.ts)), data.draw(st.sampled_from(log.ts))
    ends = sorted({*data.draw(st.sets(st.sampled_from(log.ts))), log.ts[-1]})
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        source = source_of(*write_segments(log.datoms, ends, store))
        cached = replace(source, cache=write_cache(source, store, folder="cache", last_t=cut))

        assert datom_rows(strict_log(source, store)) == log.datoms
        assert datom_rows(strict_log(cached, store)) == log.datoms
        assert fact_rows(strict_facts(cached, store)) == log.facts

        source, cached = replace(source, until_t=until), replace(cached, until_t=until)
        wanted = [datom for datom in log.datoms if datom[3] <= until]
        assert datom_rows(strict_log(source, store)) == wanted
        assert datom_rows(strict_log(cached, store)) == wanted
        assert strict_facts(cached, store).equals(fold_datoms(strict_log(source, store)))


@pytest.mark.parametrize("cut", ["old", "night", "yesterday", "end"])
def test_a_cache_of_the_real_log_loses_and_doubles_nothing(cut: str, store: LocalObjectStore) -> None:
    """The multiset of datoms is that of all segments, also when the cache ends inside a segment."""
    source = LogSource(instance=FEED_S0, segments=segments_of(FEED_S0))
    cache = write_cache(source, store, folder="cache", last_t=cut_off(FEED_S0, cut))

    alone, united = strict_log(source, store), strict_log(replace(source, cache=cache), store)

    assert Counter(united.iter_rows()) == Counter(alone.iter_rows())
    assert len(alone) == 20_502


@pytest.fixture
def source(store: LocalObjectStore) -> LogSource:
    """A small log in three segments."""
    return source_of(*write_segments(DATOMS, ENDS, store))


def test_a_gap_between_segments_is_refused(source: LogSource, store: LocalObjectStore) -> None:
    """The error names the instance, the uncovered range and the segment after it."""
    first, _, third = source.segments

    with pytest.raises(ChainError, match=r"double-entry-s0: .*gap.* t in \(10, 20\].*20-30\.avro") as refusal:
        strict_log(replace(source, segments=(first, third)), store)

    assert "repair" in str(refusal.value)


def test_a_log_that_does_not_start_at_its_beginning_is_refused(source: LogSource, store: LocalObjectStore) -> None:
    """Without a cache the first segment must follow t 0."""
    with pytest.raises(ChainError, match=r"gap.* t in \(0, 10\]"):
        strict_log(replace(source, segments=source.segments[1:]), store)


def test_overlapping_segments_are_refused(source: LogSource, store: LocalObjectStore) -> None:
    """The same datoms again under another last_t would be read twice."""
    again = write_segment(DATOMS[1:], store, last_batch_t=10, last_t=30)

    with pytest.raises(ChainError, match=r"overlap.* t in \(10, 20\].*10-30\.avro"):
        strict_log(replace(source, segments=(*source.segments[:2], again)), store)


def test_faults_beyond_the_asked_t_are_no_faults(source: LogSource, store: LocalObjectStore) -> None:
    """A gap after until_t does not touch the log that is asked for; one that reaches into it does."""
    gappy = replace(source, segments=(source.segments[0], source.segments[2]))

    assert datom_rows(strict_log(replace(gappy, until_t=10), store)) == DATOMS[:1]
    with pytest.raises(ChainError):
        strict_log(replace(gappy, until_t=15), store)


def test_an_instance_without_segments_is_refused(store: LocalObjectStore) -> None:
    """An index that lost an instance is not an empty log."""
    with pytest.raises(ChainError, match=r"knows no segment.*contracts/double-entry\.yaml"):
        strict_log(source_of(), store)


def test_a_t_beyond_the_index_is_told(source: LogSource, store: LocalObjectStore) -> None:
    """The log ends where the index ends, never silently."""
    told: list[str] = []

    log = read_log(replace(source, until_t=99), store, policy=CachePolicy.STRICT, warn=told.append)

    assert datom_rows(log) == DATOMS
    assert "t 99 is asked for, but the segment index ends at t 30" in told[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(avro_bytes(DATOMS[1:3])[:-20], "not a readable Avro file", id="truncated inside a block"),
        pytest.param(b"", "not a readable Avro file", id="empty file"),
        pytest.param(b"<Error>AccessDenied</Error>", "not a readable Avro file", id="not Avro"),
        pytest.param(avro_bytes([]), "end of the file is missing", id="no datoms"),
        pytest.param(
            avro_bytes([(1, 100, "y", 15, True)]),
            "ends at t 15",
            id="cut between two blocks",
        ),
        pytest.param(avro_bytes([], fields=FIELDS[:-1]), "instead of", id="another record"),
        pytest.param(avro_bytes(DATOMS[:3]), r"1 datoms outside .* t 10 to 10", id="t too early"),
        pytest.param(avro_bytes([*DATOMS[1:3], (1, 100, "q", 21, True)]), "t 21 to 21", id="t too late"),
    ],
)
@pytest.mark.parametrize("policy", list(CachePolicy))
def test_a_segment_that_is_not_what_the_index_says_is_refused(
    content: bytes, reason: str, policy: CachePolicy, source: LogSource, store: LocalObjectStore
) -> None:
    """Under every policy, naming instance, file and t range."""
    store.write(source.segments[1].path, content)

    with pytest.raises(SegmentError, match=reason) as refusal:
        read_log(source, store, policy=policy, warn=refuse_warning)

    assert "double-entry-s0: segment s3://own-bucket/segments/10-20.avro" in str(refusal.value)
    assert "(10, 20]" in str(refusal.value)


def test_a_real_segment_truncated_anywhere_is_refused(store: LocalObjectStore) -> None:
    """Real files are compressed; no shorter one reads as a shorter log."""
    segment = segments_of(FEED_S0)[3]
    content = store.read(segment.path)
    broken = replace(segment, path=f"s3://{OWN_BUCKET}/broken.avro")
    source = LogSource(instance=FEED_S0, segments=(*segments_of(FEED_S0)[:3], broken), until_t=segment.last_t)

    for size in range(0, len(content), max(1, len(content) // 23)):
        store.write(broken.path, content[:size])
        with pytest.raises(SegmentError, match="truncated or corrupt"):
            strict_log(source, store)


def test_an_index_item_without_a_file_is_refused(source: LogSource, store: LocalObjectStore) -> None:
    """A file that was removed is not an empty segment."""
    lost = replace(source.segments[1], path=f"s3://{OWN_BUCKET}/gone.avro")
    elsewhere = replace(lost, path="s3://no-such-bucket/gone.avro")

    for segment in (lost, elsewhere):
        with pytest.raises(SegmentError, match=rf"double-entry-s0: segment {segment.path}.*\(10, 20\]"):
            strict_log(replace(source, segments=(source.segments[0], segment, source.segments[2])), store)


BASE = f"s3://{OWN_BUCKET}/cache/{INSTANCE.name}"


def break_nothing(store: LocalObjectStore, dataset: str) -> None:
    """Leave the cache as it is."""


def truncate(store: LocalObjectStore, dataset: str) -> None:
    """Cut the end off the Parquet file."""
    uri = f"{BASE}/{dataset}/part-00000.parquet"
    store.write(uri, store.read(uri)[:-30])


def remove(store: LocalObjectStore, dataset: str) -> None:
    """Take the Parquet file away."""
    store.path_of(f"{BASE}/{dataset}/part-00000.parquet").unlink()


def rename_a_column(store: LocalObjectStore, dataset: str) -> None:
    """Another schema."""
    path = store.path_of(f"{BASE}/{dataset}/part-00000.parquet")
    pl.read_parquet(path).rename({"v": "value"}).write_parquet(path)


def add_a_foreign_file(store: LocalObjectStore, dataset: str) -> None:
    """A file of another dataset in the same folder."""
    pl.DataFrame({"x": [1]}).write_parquet(store.path_of(f"{BASE}/{dataset}/part-00001.parquet"))


CACHE_FAULTS = [
    pytest.param(truncate, 20, "truncated or corrupt", id="truncated"),
    pytest.param(remove, 20, "is missing", id="missing"),
    pytest.param(rename_a_column, 20, "C17", id="another schema"),
    pytest.param(add_a_foreign_file, 20, "two datasets", id="a foreign file"),
    pytest.param(break_nothing, 10, r"its data ends at t 20 \(C5\)", id="last_t behind its data"),
    pytest.param(break_nothing, 30, r"its data ends at t 20 \(C5\)", id="last_t ahead of its data"),
    pytest.param(break_nothing, 31, "ahead of the segment index", id="last_t ahead of the index"),
]


@pytest.mark.parametrize(("fault", "last_t", "reason"), CACHE_FAULTS)
@pytest.mark.parametrize(("read", "dataset"), [(read_log, "log"), (read_facts, "materialized-entities")])
def test_a_cache_that_is_not_what_the_map_says_is_never_used(  # noqa: PLR0917 - a table of cases
    fault: Fault, last_t: int, reason: str, read: Read, dataset: str, source: LogSource, store: LocalObjectStore
) -> None:
    """Strict: an error with instance, place and range. Fallback: a loud line, and the segments alone."""
    write_cache(source, store, folder="cache", last_t=20)
    fault(store, dataset)
    cached, told = replace(source, cache=entry_at(BASE, last_t=last_t)), list[str]()

    with pytest.raises(CacheError, match=reason) as refusal:
        read(cached, store, policy=CachePolicy.STRICT, warn=refuse_warning)
    found = read(cached, store, policy=CachePolicy.FALLBACK, warn=told.append)

    assert found.equals(read(source, store, policy=CachePolicy.STRICT, warn=refuse_warning))
    assert str(refusal.value) in told[0]
    assert told[0].startswith("WARNING: double-entry-s0")
    assert "3 segments are read from the start" in told[0]


@pytest.mark.parametrize("read", [read_log, read_facts])
def test_a_stale_cache_is_never_used(read: Read, source: LogSource, store: LocalObjectStore) -> None:
    """A segment that was extracted again after the cache was read: it may hold deleted personal data."""
    stale = write_cache(source, store, folder="cache", last_t=20, read_at=BEFORE_EVERY_SEGMENT)
    store.write(source.segments[0].path, avro_bytes([(9, 9, "kept", 10, True)]))
    cached, told = replace(source, cache=stale), list[str]()

    with pytest.raises(CacheError, match=r"stale: 2 segments.*0-10\.avro.*\(0, 10\].*C7"):
        read(cached, store, policy=CachePolicy.STRICT, warn=refuse_warning)
    found = read(cached, store, policy=CachePolicy.FALLBACK, warn=told.append)

    assert "kept" in found["v"]
    assert "stale" in told[0]


def test_a_cache_with_an_empty_log_is_refused(source: LogSource, store: LocalObjectStore) -> None:
    """A copy that lost its rows has a schema and no t."""
    entry = write_cache(source, store, folder="cache", last_t=20)
    path = store.path_of(f"{BASE}/log/part-00000.parquet")
    pl.read_parquet(path).clear().write_parquet(path)

    with pytest.raises(CacheError, match="its data ends at t None"):
        strict_log(replace(source, cache=entry), store)


def test_a_segment_inside_the_cache_is_not_opened(source: LogSource, store: LocalObjectStore) -> None:
    """That is what the cache is for: files behind it may be gone."""
    entry = write_cache(source, store, folder="cache", last_t=20)
    for segment in source.segments[:2]:
        store.path_of(segment.path).unlink()

    assert datom_rows(strict_log(replace(source, cache=entry), store)) == DATOMS
