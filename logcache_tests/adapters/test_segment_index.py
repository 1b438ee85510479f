"""What every SegmentIndex promises: one suite for the local twin and the production adapter.

An adapter joins by a factory in INDEXES; it gets the segments that its table shall hold, put in this order.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment
from logcache_assets.local_platform.segment_index import LocalSegmentIndex
from logcache_assets.ports import SegmentIndex

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
ELSEWHERE = replace(FIRST, instance=Instance(database="feed", prototype="s1"), path="s3://logs/elsewhere.avro")


def local_index(folder: Path, segments: Iterable[Segment]) -> SegmentIndex:
    """The twin, filled item by item."""
    index = LocalSegmentIndex(folder / "index.sqlite")
    for segment in segments:
        index.put([segment])
    return index


INDEXES: dict[str, Callable[[Path, Iterable[Segment]], SegmentIndex]] = {"local": local_index}


@pytest.fixture(params=INDEXES)
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Iterable[Segment]], SegmentIndex]:
    """Makes an index of each kind that holds some segments."""
    return lambda segments: INDEXES[request.param](tmp_path, segments)


def test_every_field_comes_back(filled: Callable[[Iterable[Segment]], SegmentIndex]) -> None:
    """A segment that was put is read as the same value."""
    assert filled([FIRST]).segments(FEED) == (FIRST,)


def test_segments_ascend_by_last_t_as_numbers(filled: Callable[[Iterable[Segment]], SegmentIndex]) -> None:
    """1213 comes before 11225, however they were put."""
    assert filled([SECOND, FIRST]).segments(FEED) == (FIRST, SECOND)


def test_an_instance_sees_only_its_own(filled: Callable[[Iterable[Segment]], SegmentIndex]) -> None:
    """The prototype is part of the key."""
    index = filled([FIRST, ELSEWHERE])

    assert index.segments(FEED) == (FIRST,)
    assert index.segments(ELSEWHERE.instance) == (ELSEWHERE,)


def test_an_unknown_instance_has_no_segments(filled: Callable[[Iterable[Segment]], SegmentIndex]) -> None:
    """An index that answers may know nothing of an instance."""
    assert filled([FIRST]).segments(Instance(database="double-entry", prototype="s0")) == ()


def test_a_re_extraction_replaces_its_item(filled: Callable[[Iterable[Segment]], SegmentIndex]) -> None:
    """The same instance and last_t is the same key: the older version is not to be seen."""
    again = replace(FIRST, path="s3://logs/again.avro", timestamp_ms=FIRST.timestamp_ms + 1)

    assert filled([FIRST, SECOND, again]).segments(FEED) == (again, SECOND)


def test_overlapping_items_are_both_shown(filled: Callable[[Iterable[Segment]], SegmentIndex]) -> None:
    """Another last_t is another item; what to think of it is the chain rules' business."""
    overlapping = replace(FIRST, path="s3://logs/overlap.avro", last_t=1212)

    assert filled([FIRST, overlapping]).segments(FEED) == (overlapping, FIRST)
