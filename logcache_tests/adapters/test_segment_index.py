"""Promises of every SegmentIndex: one suite for all implementations.

To add an implementation, add a factory to INDEXES; it gets the segments to hold, in the order in which they are put.
One on a server is in SERVED, which names the server's fixture.
"""

import pickle
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from subprocess import run

import pytest

from logcache_assets.adapters.aws.dynamodb_index import DynamoDbSegmentIndex
from logcache_assets.adapters.segment_list import SegmentList
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.engine.log.index_snapshot import IndexSnapshot
from logcache_assets.local_platform.segment_index import LocalSegmentIndex
from logcache_assets.ports import SegmentIndex
from logcache_tests.adapters.dynamodb_tables import filled_table
from logcache_tests.servers.server import Server

FEED = Instance(database="feed", prototype="s0")
FIRST = Segment(
    instance=FEED,
    path="s3://logs/1/s3/s0/feed/7d4ed660-cf04-492d-9285-6b43d2fc9886-0-1213.avro",
    initial_t=1000,
    last_batch_t=0,
    last_t=1213,
    timestamp_ms=1_515_157_601_389,
    requested_range="[1000 1214)",
)
SECOND = replace(FIRST, path="s3://logs/second.avro", initial_t=1217, last_batch_t=1213, last_t=11_225)
THIRD = replace(FIRST, path="s3://logs/third.avro", initial_t=11_226, last_batch_t=11_225, last_t=11_300)
ELSEWHERE = replace(FIRST, instance=Instance(database="feed", prototype="s1"), path="s3://logs/elsewhere.avro")

READ_AT = FIRST.extracted_at
LONG_AGO = READ_AT - timedelta(days=365)


def local_index(folder: Path, segments: Iterable[Segment]) -> SegmentIndex:
    """The SQLite twin, filled item by item."""
    index = LocalSegmentIndex(folder / "index.sqlite")
    for segment in segments:
        index.put([segment])
    return index


def listed_index(_: Path, segments: Iterable[Segment]) -> SegmentIndex:
    """An index in memory."""
    return SegmentList(segments)


INDEXES: dict[str, Callable[[Path, Iterable[Segment]], SegmentIndex]] = {
    "local": local_index,
    "list": listed_index,
    "snapshot": lambda folder, segments: IndexSnapshot(local_index(folder, segments)),
}
SERVED = {"dynamodb on moto": "moto_server", "dynamodb local": "dynamodb_server"}
"""Index → fixture of its server."""
Filled = Callable[[Iterable[Segment]], SegmentIndex]


def dynamodb_index(server: Server, segments: Iterable[Segment]) -> SegmentIndex:
    """The production adapter, over a new table."""
    return DynamoDbSegmentIndex(filled_table(server, segments))


@pytest.fixture(params=[*INDEXES, "dynamodb on moto", pytest.param("dynamodb local", marks=pytest.mark.servers)])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Filled:
    """Makes an index of each kind that holds some segments."""
    if request.param in SERVED:
        server: Server = request.getfixturevalue(SERVED[request.param])
        return lambda segments: dynamodb_index(server, segments)
    return lambda segments: INDEXES[request.param](tmp_path, segments)


def test_every_field_comes_back(filled: Filled) -> None:
    """A segment that was put is read as the same value."""
    assert filled([FIRST]).segments(FEED) == (FIRST,)


def test_segments_ascend_by_last_t_as_numbers(filled: Filled) -> None:
    """1213 comes before 11225, in whatever order they were put."""
    assert filled([SECOND, FIRST]).segments(FEED) == (FIRST, SECOND)


def test_an_instance_sees_only_its_own(filled: Filled) -> None:
    """The prototype is part of the key."""
    index = filled([FIRST, ELSEWHERE])

    assert index.segments(FEED) == (FIRST,)
    assert index.segments(ELSEWHERE.instance) == (ELSEWHERE,)


def test_an_unknown_instance_has_no_segments(filled: Filled) -> None:
    """An index that does not know an instance gives an empty answer."""
    index, unknown = filled([FIRST]), Instance(database="double-entry", prototype="s0")

    assert index.segments(unknown) == ()
    assert index.newest_t(unknown) == 0
    assert index.extracted_since(unknown, before_t=10**12, since=LONG_AGO) == ()


def test_a_re_extraction_replaces_its_item(filled: Filled) -> None:
    """An item with the same instance and last_t replaces the older one."""
    again = replace(FIRST, path="s3://logs/again.avro", timestamp_ms=FIRST.timestamp_ms + 1)

    assert filled([FIRST, SECOND, again]).segments(FEED) == (again, SECOND)


def test_overlapping_items_are_both_shown(filled: Filled) -> None:
    """Items with different last_t are both returned; the rules of the chain judge them."""
    overlapping = replace(FIRST, path="s3://logs/overlap.avro", last_t=1212)

    assert filled([FIRST, overlapping]).segments(FEED) == (overlapping, FIRST)


@pytest.mark.parametrize(
    ("after_t", "found"),
    [
        pytest.param(0, (FIRST, SECOND, THIRD), id="all"),
        pytest.param(1212, (FIRST, SECOND, THIRD), id="the t before an end"),
        pytest.param(1213, (SECOND, THIRD), id="an end: that segment holds nothing newer"),
        pytest.param(1214, (SECOND, THIRD), id="inside a segment: it straddles, and is given"),
        pytest.param(11_225, (THIRD,), id="the last end but one"),
        pytest.param(11_300, (), id="the newest end"),
        pytest.param(99_999, (), id="beyond the index"),
    ],
)
def test_only_segments_that_end_after_a_t_are_given(filled: Filled, after_t: int, found: tuple[Segment, ...]) -> None:
    """Strictly after it, compared as numbers."""
    assert filled([THIRD, FIRST, SECOND, ELSEWHERE]).segments(FEED, after_t=after_t) == found


def test_the_newest_t_is_the_greatest_last_t_of_the_instance(filled: Filled) -> None:
    """It is compared as a number, whatever was put last."""
    index = filled([SECOND, FIRST, ELSEWHERE])

    assert index.newest_t(FEED) == SECOND.last_t
    assert index.newest_t(ELSEWHERE.instance) == ELSEWHERE.last_t


@pytest.mark.parametrize(
    ("before_t", "found"),
    [
        pytest.param(0, (), id="nothing was read"),
        pytest.param(1213, (), id="what begins where the read ended is new"),
        pytest.param(1214, (SECOND,), id="a segment that straddles"),
        pytest.param(11_225, (SECOND,), id="a segment that ends there"),
        pytest.param(11_226, (SECOND, THIRD), id="one that ends there and one that straddles"),
    ],
)
def test_extractions_are_found_by_where_they_begin(filled: Filled, before_t: int, found: tuple[Segment, ...]) -> None:
    """`last_batch_t < before_t`; in order of last_t, with range and timestamp alone."""
    later = FIRST.timestamp_ms + 1
    index = filled([replace(THIRD, timestamp_ms=later), replace(SECOND, timestamp_ms=later), FIRST, ELSEWHERE])

    assert index.extracted_since(FEED, before_t=before_t, since=READ_AT) == tuple(
        Extraction(last_batch_t=s.last_batch_t, last_t=s.last_t, timestamp_ms=later) for s in found
    )


@pytest.mark.parametrize(
    ("since", "newer"),
    [
        pytest.param(timedelta(0), False, id="the same instant"),
        pytest.param(timedelta(milliseconds=-1), True, id="a millisecond before"),
        pytest.param(timedelta(microseconds=-1), True, id="a microsecond before"),
        pytest.param(timedelta(microseconds=1), False, id="a microsecond after"),
    ],
)
def test_an_extraction_at_the_very_instant_is_not_newer(filled: Filled, since: timedelta, *, newer: bool) -> None:
    """Timestamps are milliseconds, the instant may be finer."""
    found = filled([FIRST]).extracted_since(FEED, before_t=FIRST.last_t, since=READ_AT + since)

    assert bool(found) is newer


ASK_THERE = """
import pickle, sys
index, instance = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps((index.segments(instance, after_t=1213), index.newest_t(instance))))
"""


def test_an_index_answers_in_another_process(filled: Filled) -> None:
    """A pickled index, as sent to Spark's workers, answers the same."""
    sent = pickle.dumps((filled([FIRST, SECOND]), FEED))

    answer = run([sys.executable, "-c", ASK_THERE], input=sent, capture_output=True, check=True)

    assert pickle.loads(answer.stdout) == ((SECOND,), SECOND.last_t)  # noqa: S301 - sent by ourselves
