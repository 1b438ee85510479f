"""Sums of datoms, and which segments a log is compared with."""

from dataclasses import replace
from datetime import timedelta

import pytest

from logcache_assets.domain.log_ranges import (
    DatomSum,
    datom_sum,
    find_uncompared,
    plan_comparison,
    prove_ranges,
    was_compared_with,
)
from logcache_assets.domain.segments import Segment
from logcache_tests.domain.samples import READ_AT, compared_range, segment

PROVEN = prove_ranges([compared_range(0, 10), compared_range(10, 20)])


def test_sums_are_modulo_two_to_the_128() -> None:
    """Adding up is addition of the numbers, and of the hashes without the carry."""
    almost = datom_sum(2, 2**128 - 1)

    assert almost == DatomSum(datoms=2, hashes="f" * 32)
    assert almost + datom_sum(1, 3) == DatomSum(datoms=3, hashes="0" * 31 + "2")


def test_a_manifest_vouches_for_the_extraction_that_it_was_compared_with() -> None:
    """Its sum is used if path, timestamp and both ends are those of the index; other segments are read."""
    planned = plan_comparison([segment(20, 30), segment(10, 20), segment(0, 10)], PROVEN)

    assert [(s.last_batch_t, s.last_t, s.vouched) for s in planned] == [
        (0, 10, PROVEN[0].sum),
        (10, 20, PROVEN[1].sum),
        (20, 30, None),
    ]


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(segment(10, 20, extracted_at=READ_AT + timedelta(seconds=1)), id="extracted again"),
        pytest.param(replace(segment(10, 20), path="s3://logs/other.avro"), id="another file"),
        pytest.param(replace(segment(10, 20), last_batch_t=5), id="another begin"),
        pytest.param(replace(segment(10, 20), last_t=21), id="another end"),
    ],
)
def test_any_other_extraction_is_read(now: Segment) -> None:
    """A manifest says nothing of a file that it was not compared with."""
    found = {s.path: s.vouched for s in plan_comparison([segment(0, 10), now], PROVEN)}

    assert found[now.path] is None


def test_a_proven_range_stands_in_for_an_item_that_the_index_lost() -> None:
    """The manifest of a sound cache says what the datoms of the gap are; where the index has an item, it counts."""
    again = segment(5, 12, extracted_at=READ_AT + timedelta(seconds=1))

    assert [(s.last_t, s.vouched) for s in plan_comparison([segment(0, 10)], PROVEN)] == [
        (10, PROVEN[0].sum),
        (20, PROVEN[1].sum),
    ]
    assert [(s.last_t, s.vouched) for s in plan_comparison([again], PROVEN)] == [(12, None)]


RANGES = (compared_range(0, 10), compared_range(10, 20))


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([segment(0, 10), segment(10, 20)], id="the same"),
        pytest.param([segment(0, 10)], id="a lost item"),
        pytest.param([segment(0, 10), segment(10, 20), segment(20, 30)], id="one after the log"),
    ],
)
def test_a_comparison_holds_while_the_index_names_the_same_files(segments: list[Segment]) -> None:
    """It is not made again for what arrives after the log's end."""
    assert was_compared_with(RANGES, segments, last_t=20)


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param(
            [segment(0, 10), segment(10, 20, extracted_at=READ_AT + timedelta(seconds=1))], id="extracted again"
        ),
        pytest.param([segment(0, 10), segment(10, 15), segment(15, 20)], id="one that was not there"),
    ],
)
def test_any_other_segment_makes_a_comparison_worthless(segments: list[Segment]) -> None:
    """The log may differ from what it was not compared with."""
    assert not was_compared_with(RANGES, segments, last_t=20)


@pytest.mark.parametrize(
    ("ranges", "uncompared"),
    [
        pytest.param([(0, 10), (10, 20)], [], id="the whole log"),
        pytest.param([(10, 20), (0, 10)], [], id="in any order"),
        pytest.param([(0, 10), (5, 20)], [], id="an overlap"),
        pytest.param([(5, 20)], [(0, 5)], id="without its begin"),
        pytest.param([(0, 5), (8, 20)], [(5, 8)], id="a gap"),
        pytest.param([(0, 15)], [(15, 20)], id="without its end"),
        pytest.param([], [(0, 20)], id="nothing"),
    ],
)
def test_what_was_not_compared_is_found(ranges: list[tuple[int, int]], uncompared: list[tuple[int, int]]) -> None:
    """Absence of a comparison is not a proof."""
    compared = [compared_range(after_t, until_t) for after_t, until_t in ranges]

    assert list(find_uncompared(compared, last_t=20)) == uncompared
