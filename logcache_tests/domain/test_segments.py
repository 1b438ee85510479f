"""The chain of segments; t is not dense, so the ranges alone say what is missing."""

from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.segments import Segment, chain_after, find_chain_faults, find_stale_segments, newest_t
from logcache_tests.domain.samples import READ_AT, segment

Range = tuple[int, int]


def faults_of(ranges: list[Range], *, after_t: int = 0) -> list[tuple[str, int, int]]:
    """Check, after_t and until_t of every fault of a chain of these ranges."""
    segments = [segment(*bounds) for bounds in ranges]
    return [(fault.check, fault.after_t, fault.until_t) for fault in find_chain_faults(segments, after_t=after_t)]


@pytest.mark.parametrize(
    ("ranges", "after_t", "faults"),
    [
        pytest.param([], 0, [], id="no segments"),
        pytest.param([(0, 1213), (1213, 1225), (1225, 1226)], 0, [], id="a whole log"),
        pytest.param([(1225, 1226), (0, 1213), (1213, 1225)], 0, [], id="in any order"),
        pytest.param([(0, 1213), (1213, 1225)], 1225, [], id="nothing newer than the cache"),
        pytest.param([(0, 1213), (1213, 1225)], 1213, [], id="the cache ends a segment"),
        pytest.param([(0, 1213), (1213, 1225)], 1220, [], id="the cache ends inside a segment"),
        pytest.param([(5, 1213)], 0, [("C1", 0, 5)], id="the first segment is gone"),
        pytest.param([(0, 9), (20, 30)], 15, [("C1", 15, 20)], id="a gap behind the cache"),
        pytest.param([(0, 10), (20, 30)], 0, [("C2", 10, 20)], id="a gap inside"),
        pytest.param([(0, 10), (11, 30)], 0, [("C2", 10, 11)], id="a gap of a single t"),
        pytest.param([(0, 9), (11, 20), (20, 30)], 20, [], id="a gap before the cache's end"),
        pytest.param([(0, 10), (10, 20), (10, 21)], 0, [("C3", 10, 20)], id="the same datoms under another last_t"),
        pytest.param([(0, 10), (5, 20)], 0, [("C3", 5, 10)], id="an overlap"),
        pytest.param([(0, 30), (10, 20)], 0, [("C3", 10, 20)], id="a segment inside another"),
        pytest.param([(0, 30), (10, 20), (40, 50)], 0, [("C3", 10, 20), ("C2", 30, 40)], id="an overlap and a gap"),
        pytest.param([(0, 10), (20, 30), (40, 50)], 0, [("C2", 10, 20), ("C2", 30, 40)], id="two gaps"),
    ],
)
def test_every_fault_of_a_chain_is_found_once(
    ranges: list[Range], after_t: int, faults: list[tuple[str, int, int]]
) -> None:
    """C1 behind the cache, C2 inside the chain, C3 where two segments cover one t; with the range."""
    assert faults_of(ranges, after_t=after_t) == faults


@pytest.mark.parametrize(
    ("ranges", "after_t", "sentence"),
    [
        pytest.param(
            [(20, 30)], 15, "feed-s0: the segment index has a gap, nothing covers t in (15, 20] (C1)", id="C1"
        ),
        pytest.param(
            [(0, 10), (20, 30)], 0, "feed-s0: the segment index has a gap, nothing covers t in (10, 20] (C2)", id="C2"
        ),
        pytest.param(
            [(0, 10), (5, 20)],
            0,
            "feed-s0: the segment index has an overlap, two segments cover t in (5, 10] (C3)",
            id="C3",
        ),
    ],
)
def test_a_fault_is_a_sentence(ranges: list[Range], after_t: int, sentence: str) -> None:
    """It names the instance, the range of t and the check."""
    segments = [segment(*bounds) for bounds in ranges]

    assert [str(fault) for fault in find_chain_faults(segments, after_t=after_t)] == [sentence]


ENDS = st.lists(st.integers(min_value=1, max_value=10**12), min_size=3, max_size=12, unique=True).map(sorted)
"""Where segments end: t grows by any step, it is not dense."""


def chain_of(ends: list[int]) -> list[Segment]:
    """The contiguous chain from the beginning with these ends."""
    return [segment(*bounds) for bounds in pairwise([0, *ends])]


@given(ends=ENDS, chance=st.randoms(use_true_random=False))
def test_a_contiguous_chain_has_no_fault(ends: list[int], chance: Random) -> None:
    """For every chain, in whatever order the index gives it, and wherever a cache ends."""
    chain = chain_of(ends)
    chance.shuffle(chain)

    assert find_chain_faults(chain, after_t=0) == ()
    assert find_chain_faults(chain, after_t=ends[0]) == ()
    assert find_chain_faults(chain, after_t=ends[1] - 1) == ()


@given(ends=ENDS, chance=st.data())
def test_a_lost_inner_segment_is_exactly_one_gap(ends: list[int], chance: st.DataObject) -> None:
    """For every chain: the gap is the lost segment's own range, from the first end to the last but one."""
    chain = chain_of(ends)
    lost = chain.pop(chance.draw(st.integers(min_value=1, max_value=len(chain) - 2)))

    (fault,) = find_chain_faults(chain, after_t=0)

    assert (fault.check, fault.after_t, fault.until_t) == ("C2", lost.last_batch_t, lost.last_t)


@given(ends=ENDS, chance=st.data())
def test_a_segment_that_is_there_twice_is_exactly_one_overlap(ends: list[int], chance: st.DataObject) -> None:
    """For every chain: the same datoms under an earlier last_t are one overlap of that range, and never a gap."""
    chain = chain_of(ends)
    again = chance.draw(st.sampled_from(chain))
    last_t = chance.draw(st.integers(min_value=again.last_batch_t + 1, max_value=again.last_t))

    (fault,) = find_chain_faults([*chain, segment(again.last_batch_t, last_t)], after_t=0)

    assert (fault.check, fault.after_t, fault.until_t) == ("C3", again.last_batch_t, last_t)


def test_only_newer_segments_continue_a_log() -> None:
    """Strictly newer; one that straddles the cache's end still holds datoms to be read."""
    first, straddling, last = segment(0, 10), segment(10, 20), segment(20, 30)

    assert chain_after([last, first, straddling], after_t=15) == (straddling, last)
    assert chain_after([last, first, straddling], after_t=20) == (last,)
    assert chain_after([last, first, straddling], after_t=30) == ()


@pytest.mark.parametrize(
    ("last_t", "extracted_after", "stale"),
    [
        pytest.param(10, timedelta(milliseconds=1), True, id="extracted again after the read"),
        pytest.param(10, timedelta(0), False, id="at the very instant of the read"),
        pytest.param(10, -timedelta(days=1), False, id="extracted before the read"),
        pytest.param(20, timedelta(milliseconds=1), True, id="the last segment of the cache"),
        pytest.param(30, timedelta(days=1), False, id="a new segment behind the cache"),
    ],
)
def test_a_reextraction_behind_the_cache_is_stale(*, last_t: int, extracted_after: timedelta, stale: bool) -> None:
    """`last_t <= cache.last_t and timestamp > source_read_at` (C7)."""
    found = segment(last_t - 10, last_t, extracted_at=READ_AT + extracted_after)

    assert (found in find_stale_segments([found], cached_until_t=20, source_read_at=READ_AT)) is stale


def test_the_newest_t_is_the_greatest_end() -> None:
    """In any order; 0 for an instance that the index does not know."""
    assert newest_t([segment(10, 20), segment(0, 10)]) == 20
    assert newest_t([]) == 0
