"""LogOp returns exactly the log, or an error that says why it cannot."""

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.log.log_op import CachePolicy, ChainError, LogSource, find_last_t, read_log
from logcache_assets.engine.log.read_segments import SegmentError
from logcache_tests.engine.avro import FIELDS, TX_BASE, TX_INSTANT, avro_bytes, instant_text
from logcache_tests.engine.builds import facts_of
from logcache_tests.engine.generated import (
    InventedLog,
    datom_rows,
    fact_rows,
    invented_logs,
    segments_in,
    small_log,
    source_of,
    with_index,
    write_segment,
    write_segments,
)
from logcache_tests.engine.world import (
    FEED_S0,
    OWN_BUCKET,
    cut_off,
    open_store,
    refuse_warning,
    segments_of,
    strict_log,
    write_cache,
)

SMALL = small_log()
ENDS = (10, 20, 30)
FIRST, SECOND = ([d for d in SMALL.datoms if d[3] == t] for t in ENDS[:2])


@given(invented_logs(), st.data())
@settings(max_examples=20, deadline=None)
def test_a_cache_and_newer_segments_are_the_whole_log(log: InventedLog, data: st.DataObject) -> None:
    """Any cut, split into segments and until_t give the same datoms in the same order, and the same facts."""
    cut, until = data.draw(st.sampled_from(log.ts)), data.draw(st.sampled_from(log.ts))
    ends = sorted({*data.draw(st.sets(st.sampled_from(log.ts))), log.ts[-1]})
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        source = source_of(*write_segments(log.datoms, ends, store))
        cached = replace(source, cache=write_cache(source, store, folder="cache", last_t=cut))

        assert datom_rows(strict_log(source, store)) == log.datoms
        assert datom_rows(strict_log(cached, store)) == log.datoms
        assert fact_rows(facts_of(cached, store)) == log.facts

        source, cached = replace(source, until_t=until), replace(cached, until_t=until)
        wanted = [datom for datom in log.datoms if datom[3] <= until]
        assert datom_rows(strict_log(source, store)) == wanted
        assert datom_rows(strict_log(cached, store)) == wanted
        assert facts_of(cached, store).equals(facts_of(source, store))


@pytest.mark.parametrize("cut", ["old", "night", "yesterday", "end"])
def test_a_cache_of_the_real_log_loses_and_doubles_nothing(cut: str, store: FolderObjectStore) -> None:
    """The multiset of datoms is that of all segments, also when the cache ends inside a segment."""
    source = source_of(*segments_of(FEED_S0))
    cache = write_cache(source, store, folder="cache", last_t=cut_off(FEED_S0, cut))

    alone, united = strict_log(source, store), strict_log(replace(source, cache=cache), store)

    assert Counter(united.iter_rows()) == Counter(alone.iter_rows())
    assert len(alone) == 20_502


@pytest.fixture
def source(store: FolderObjectStore) -> LogSource:
    """A small log in three segments."""
    return source_of(*write_segments(SMALL.datoms, ENDS, store))


def test_a_gap_between_segments_is_refused(source: LogSource, store: FolderObjectStore) -> None:
    """The error names the instance, the uncovered range and the segment after it."""
    first, _, third = segments_in(source)

    with pytest.raises(ChainError, match=r"double-entry-s0: .*gap.* t in \(10, 20\].*20-30\.avro") as refusal:
        strict_log(with_index(source, (first, third)), store)

    assert "repair" in str(refusal.value)


def test_a_log_that_does_not_start_at_its_beginning_is_refused(source: LogSource, store: FolderObjectStore) -> None:
    """Without a cache the first segment must follow t 0."""
    with pytest.raises(ChainError, match=r"gap.* t in \(0, 10\]"):
        strict_log(with_index(source, segments_in(source)[1:]), store)


def test_overlapping_segments_are_refused(source: LogSource, store: FolderObjectStore) -> None:
    """The same datoms again under another last_t would be read twice."""
    again = write_segment(SMALL.datoms[2:], store, last_batch_t=10, last_t=30)

    with pytest.raises(ChainError, match=r"overlap.* t in \(10, 20\].*10-30\.avro"):
        strict_log(with_index(source, (*segments_in(source)[:2], again)), store)


def test_faults_beyond_the_asked_t_are_no_faults(source: LogSource, store: FolderObjectStore) -> None:
    """A gap after until_t does not matter; one that reaches below it does."""
    gappy = with_index(source, segments_in(source)[::2])

    assert datom_rows(strict_log(replace(gappy, until_t=10), store)) == FIRST
    with pytest.raises(ChainError):
        strict_log(replace(gappy, until_t=15), store)


def test_an_instance_without_segments_is_refused(store: FolderObjectStore) -> None:
    """An index that lost an instance is not an empty log."""
    with pytest.raises(ChainError, match=r"knows no segment.*contracts/double-entry\.yaml"):
        strict_log(source_of(), store)


def test_a_t_beyond_the_index_is_told(source: LogSource, store: FolderObjectStore) -> None:
    """The log ends where the index ends, never silently."""
    told: list[str] = []

    log = read_log(replace(source, until_t=99), store, policy=CachePolicy.STRICT, warn=told.append)

    assert datom_rows(log) == SMALL.datoms
    assert "t 99 is asked for, but the segment index ends at t 30" in told[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(avro_bytes(SECOND)[:-20], "not a readable Avro file", id="truncated inside a block"),
        pytest.param(b"", "not a readable Avro file", id="empty file"),
        pytest.param(b"<Error>AccessDenied</Error>", "not a readable Avro file", id="not Avro"),
        pytest.param(avro_bytes([]), "end of the file is missing", id="no datoms"),
        pytest.param(
            avro_bytes([(1, 100, "y", 15, True)]),
            "ends at t 15",
            id="cut between two blocks",
        ),
        pytest.param(avro_bytes([], fields=FIELDS[:-1]), "instead of", id="another record"),
        pytest.param(avro_bytes([*FIRST, *SECOND]), r"2 datoms outside .* t 10 to 10", id="t too early"),
        pytest.param(avro_bytes([*SECOND, (1, 100, "q", 21, True)]), "t 21 to 21", id="t too late"),
    ],
)
@pytest.mark.parametrize("policy", list(CachePolicy))
def test_a_segment_that_is_not_what_the_index_says_is_refused(
    content: bytes, reason: str, policy: CachePolicy, source: LogSource, store: FolderObjectStore
) -> None:
    """Every policy raises an error that names instance, file and t range."""
    store.write(segments_in(source)[1].path, content)

    with pytest.raises(SegmentError, match=reason) as refusal:
        read_log(source, store, policy=policy, warn=refuse_warning)

    assert "double-entry-s0: segment s3://own-bucket/segments/double-entry-s0/10-20.avro" in str(refusal.value)
    assert "(10, 20]" in str(refusal.value)


def test_a_real_segment_truncated_anywhere_is_refused(store: FolderObjectStore) -> None:
    """A truncated compressed file is an error, never a shorter log."""
    segment = segments_of(FEED_S0)[3]
    content = store.read(segment.path)
    broken = replace(segment, path=f"s3://{OWN_BUCKET}/broken.avro")
    source = replace(source_of(*segments_of(FEED_S0)[:3], broken), until_t=segment.last_t)

    for size in range(0, len(content), max(1, len(content) // 23)):
        store.write(broken.path, content[:size])
        with pytest.raises(SegmentError, match="not a readable Avro file"):
            strict_log(source, store)


def test_an_index_item_without_a_file_is_refused(source: LogSource, store: FolderObjectStore) -> None:
    """A missing file is an error, not an empty segment."""
    lost = replace(segments_in(source)[1], path=f"s3://{OWN_BUCKET}/gone.avro")
    elsewhere = replace(lost, path="s3://no-such-bucket/gone.avro")

    for segment in (lost, elsewhere):
        with pytest.raises(SegmentError, match=rf"double-entry-s0: segment {segment.path}.*\(10, 20\]"):
            strict_log(with_index(source, (segments_in(source)[0], segment, segments_in(source)[2])), store)


def test_a_segment_inside_the_cache_is_not_opened(source: LogSource, store: FolderObjectStore) -> None:
    """Files of segments up to the cache's end may be gone."""
    cached = replace(source, cache=write_cache(source, store, folder="cache", last_t=20))
    for segment in segments_in(source)[:2]:
        store.path_of(segment.path).unlink()

    assert datom_rows(strict_log(cached, store)) == SMALL.datoms
    assert fact_rows(facts_of(cached, store)) == SMALL.facts


def test_a_segment_in_another_order_is_read_in_log_order(source: LogSource, store: FolderObjectStore) -> None:
    """Datoms ascend by t, and keep their order within a tx."""
    (first, *_) = segments_in(source)
    (nine, ten) = ((TX_BASE + t, TX_INSTANT, instant_text(t), t, True) for t in (9, 10))
    late = [
        nine,
        (1, 100, "y", 9, True),
        ten,
        (1, 100, "x", 10, False),
        (1, 100, "y", 10, False),
        (1, 100, "x", 9, True),
    ]
    store.write(first.path, avro_bytes(late))
    begun = with_index(source, (replace(first, initial_t=9),))

    found = strict_log(replace(begun, until_t=10), store)

    assert datom_rows(found) == [late[0], late[1], late[5], *late[2:5]]


@pytest.mark.parametrize(
    ("until_t", "last_t"),
    [(None, 30), (30, 30), (29, 20), (20, 20), (19, 10), (10, 10), (9, 0), (0, 0)],
)
def test_the_last_t_of_a_log_is_that_of_its_datoms(
    until_t: int | None, last_t: int, source: LogSource, store: FolderObjectStore
) -> None:
    """until_t may lie between two txes; only segments up to it are opened."""
    assert find_last_t(replace(source, until_t=until_t), store, warn=refuse_warning) == last_t
