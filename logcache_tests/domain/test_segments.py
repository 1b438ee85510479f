"""The chain of segments; t is not dense, so only the ranges show what is missing."""

from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.segments import (
    Segment,
    chain_after,
    choose_read_t,
    find_chain_faults,
    find_reextractions,
    find_stale_segments,
    newest_t,
)
from logcache_tests.domain.samples import READ_AT, segment

Range = tuple[int, int]


def faults_of(ranges: list[Range], *, after_t: int = 0) -> list[tuple[str | None, int, int]]:
    """Code, after_t and until_t of every fault of a chain of these ranges."""
    segments = [segment(*bounds) for bounds in ranges]
    return [(fault.code, fault.after_t, fault.until_t) for fault in find_chain_faults(segments, after_t=after_t)]


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
    """It names the instance, the range of t, the check and what to do."""
    segments = [segment(*bounds) for bounds in ranges]

    assert [str(fault) for fault in find_chain_faults(segments, after_t=after_t)] == [
        f"{sentence}; repair the segment index or have the range extracted again"
    ]


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

    assert (fault.code, fault.after_t, fault.until_t) == ("C2", lost.last_batch_t, lost.last_t)


@given(ends=ENDS, chance=st.data())
def test_a_segment_that_is_there_twice_is_exactly_one_overlap(ends: list[int], chance: st.DataObject) -> None:
    """For every chain: the same datoms under an earlier last_t are one overlap of that range, and never a gap."""
    chain = chain_of(ends)
    again = chance.draw(st.sampled_from(chain))
    last_t = chance.draw(st.integers(min_value=again.last_batch_t + 1, max_value=again.last_t))

    (fault,) = find_chain_faults([*chain, segment(again.last_batch_t, last_t)], after_t=0)

    assert (fault.code, fault.after_t, fault.until_t) == ("C3", again.last_batch_t, last_t)


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
        pytest.param(21, timedelta(milliseconds=1), True, id="it straddles the cache's end"),
        pytest.param(29, timedelta(0), False, id="it straddles, extracted before the read"),
        pytest.param(30, timedelta(days=1), False, id="a new segment behind the cache"),
    ],
)
def test_a_reextraction_behind_the_cache_is_stale(*, last_t: int, extracted_after: timedelta, stale: bool) -> None:
    """`last_batch_t < cache.last_t and timestamp > source_read_at` (C7)."""
    found = segment(last_t - 10, last_t, extracted_at=READ_AT + extracted_after)

    assert (found in find_stale_segments([found], cached_until_t=20, source_read_at=READ_AT)) is stale


def test_the_newest_t_is_the_greatest_end() -> None:
    """In any order; 0 for an instance that the index does not know."""
    assert newest_t([segment(10, 20), segment(0, 10)]) == 20
    assert newest_t([]) == 0


@pytest.mark.parametrize(
    ("begun", "done", "seen_t", "read_t"),
    [
        pytest.param(200, 200, 0, 200, id="nothing arrived"),
        pytest.param(200, 200, 180, 200, id="nothing arrived, whatever the rows show"),
        pytest.param(200, 400, 0, 200, id="segments arrived, and no row has a t"),
        pytest.param(200, 400, 200, 200, id="rows up to where it began"),
        pytest.param(200, 400, 201, 300, id="rows of the first that arrived"),
        pytest.param(200, 400, 300, 300, id="its last row"),
        pytest.param(200, 400, 301, 400, id="rows of the second"),
        pytest.param(200, 400, 999, 400, id="rows behind all that arrived"),
        pytest.param(200, 300, 350, 300, id="rows of a segment that arrived after the run"),
        pytest.param(250, 400, 260, 300, id="a log that ended inside a segment"),
        pytest.param(500, 500, 0, 500, id="an end that no segment has any more"),
    ],
)
def test_a_run_read_the_log_up_to_the_end_of_a_segment(begun: int, done: int, seen_t: int, read_t: int) -> None:
    """The first end, from where the index ended when it began, that its rows do not contradict."""
    chain = [segment(*bounds) for bounds in [(300, 400), (0, 100), (100, 200), (200, 300), (400, 500)]]

    assert choose_read_t(chain, indexed_t=(begun, done), seen_t=seen_t) == read_t


def test_without_segments_a_run_read_up_to_where_it_began() -> None:
    """An instance that has none has a log that ends at 0."""
    assert choose_read_t([], indexed_t=(0, 0), seen_t=0) == 0


def extracted(*minutes: int) -> list[Segment]:
    """A contiguous chain (0, 10], (10, 20] … whose segments were extracted in these minutes."""
    return [
        segment(10 * n, 10 * n + 10, extracted_at=READ_AT + timedelta(minutes=minute))
        for n, minute in enumerate(minutes)
    ]


@pytest.mark.parametrize(
    ("minutes", "until_t", "found"),
    [
        pytest.param([], 100, [], id="no segments"),
        pytest.param([5], 100, [], id="a single segment, of which nothing can be told"),
        pytest.param([1, 2, 3, 4], 100, [], id="an ordinary chain"),
        pytest.param([1, 1, 1, 1], 100, [], id="all of one instant"),
        pytest.param([1, 9, 3, 4], 100, [20], id="one was replaced"),
        pytest.param([9, 2, 3, 4], 100, [10], id="the first was replaced"),
        pytest.param([1, 2, 9, 4], 100, [30], id="the last but one was replaced"),
        pytest.param([1, 9, 3, 8, 5], 100, [20, 40], id="two were replaced, in order of t"),
        pytest.param([1, 9, 9, 4], 100, [20, 30], id="two neighbours at once"),
        pytest.param([7, 8, 3, 4], 100, [10, 20], id="everything before some t"),
        pytest.param([1, 2, 3, 9], 100, [], id="the newest, which nothing tells from an ordinary one"),
        pytest.param([1, 9, 3, 4], 20, [20], id="up to its last t"),
        pytest.param([1, 9, 3, 4], 19, [20], id="it straddles the t"),
        pytest.param([1, 9, 3, 4], 10, [], id="up to where it begins"),
        pytest.param([1, 9, 3, 8, 5], 30, [20], id="only the first of two"),
        pytest.param([1, 9, 3, 4], 0, [], id="up to nothing"),
    ],
)
def test_a_segment_that_is_younger_than_a_later_one_was_extracted_again(
    minutes: list[int], until_t: int, found: list[int]
) -> None:
    """A log grows at its end, so a segment that was extracted out of order replaced another one."""
    chain = extracted(*minutes)

    assert [s.last_t for s in find_reextractions(chain, until_t=until_t)] == found
    assert [s.last_t for s in find_reextractions(chain[::-1], until_t=until_t)] == found


@given(ends=ENDS, chance=st.data())
def test_a_replaced_segment_is_found_and_nothing_else(ends: list[int], chance: st.DataObject) -> None:
    """For every chain that was extracted in order, of which all but the last segment may be replaced."""
    chain = [
        segment(*bounds, extracted_at=READ_AT + timedelta(hours=n)) for n, bounds in enumerate(pairwise([0, *ends]))
    ]
    n = chance.draw(st.integers(min_value=0, max_value=len(chain) - 2))
    again = segment(chain[n].last_batch_t, chain[n].last_t, extracted_at=READ_AT + timedelta(days=30))

    assert find_reextractions(chain, until_t=ends[-1]) == ()
    assert find_reextractions([*chain[:n], again, *chain[n + 1 :]], until_t=ends[-1]) == (again,)
