"""Values as of t, found by moments: an entity and a t as one number."""

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.engine.contracts.as_of import MAX_ENTITIES, EntityRanks, as_of, distinct, last_begun, t_of
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.facts.cells import Cells
from logcache_assets.engine.facts.timelines import one_valued
from logcache_assets.engine.storage.schemas import END
from logcache_tests.engine.facts.test_timelines import QUESTIONS, Interval, facts_of, frame, in_order
from logcache_tests.engine.generated import ONE, InventedLog, invented_logs

FAR = 2305864999446250524
"""The greatest entity id seen in real logs."""


def questions_frame(questions: Sequence[tuple[int, int]] = QUESTIONS) -> pl.DataFrame:
    """A frame of (e, t)."""
    return pl.DataFrame(questions, {"e": pl.Int64, "t": pl.Int64}, orient="row")


def answered(ranks: EntityRanks, answers: pl.DataFrame) -> list[tuple[int, int, str | None]]:
    """(e, t, value) of every answer."""
    moments = answers["moment"]
    return list(zip(ranks.entities_at(moments), t_of(moments), answers["value"], strict=True))


@given(invented_logs())
def test_a_value_holds_from_its_assertion_up_to_its_retraction(log: InventedLog) -> None:
    """Intervals are [t_from, t_to): null before, between and after."""
    facts, ranks = facts_of(log, ONE), EntityRanks(pl.Series([1, 2, 3, 4]))

    found = as_of(ranks.moments_of(questions_frame()), ranks.intervals_of(one_valued(frame(facts), in_order)))

    held = {(e, t): v for e, start, end, v in facts for t in range(start, min(end, 1040))}
    assert answered(ranks, found) == [(e, t, held.get((e, t))) for e, t in QUESTIONS]


@given(invented_logs())
def test_the_last_asserted_value_outlives_its_retraction(log: InventedLog) -> None:
    """History rows show the last primary key, never that of another entity."""
    facts, ranks = facts_of(log, ONE), EntityRanks(pl.Series([1, 2, 3, 4]))

    found = last_begun(ranks.moments_of(questions_frame()), ranks.intervals_of(one_valued(frame(facts), in_order)))

    last = {(e, t): v for e, t in QUESTIONS for f, start, _, v in facts if e == f and start <= t}
    assert answered(ranks, found) == [(e, t, last.get((e, t))) for e, t in QUESTIONS]


@given(st.lists(st.tuples(st.sampled_from([0, 7, 2**42, FAR]), st.integers(0, END - 1))))
def test_a_moment_is_its_entity_and_its_t(questions: list[tuple[int, int]]) -> None:
    """A moment gives back its entity and t, and moments sort as (e, t) do."""
    ranks = EntityRanks(pl.Series([FAR, 0, 7, 2**42, 7]))

    moments = ranks.moments_of(questions_frame(questions))
    ordered = distinct(moments)["moment"]

    assert list(zip(ranks.entities_at(moments["moment"]), t_of(moments["moment"]), strict=True)) == questions
    assert list(zip(ranks.entities_at(ordered), t_of(ordered), strict=True)) == sorted(set(questions))


def test_entities_that_no_contract_shows_have_no_moments() -> None:
    """Rows and intervals of entities without a rank are left out."""
    ranks, facts = EntityRanks(pl.Series([7])), list[Interval]([(7, 5, END, "x"), (8, 5, END, "y")])

    assert len(ranks.moments_of(questions_frame([(7, 5), (8, 5)]))) == 1
    assert ranks.intervals_of(frame(facts))["value"].to_list() == ["x"]


def test_an_open_interval_reaches_the_end_and_not_the_next_entity() -> None:
    """The greatest possible t is inside; the first moment of the next entity is not."""
    ranks = EntityRanks(pl.Series([1, 2]))
    intervals = ranks.intervals_of(frame([(1, 0, END, "x")]))

    found = as_of(ranks.moments_of(questions_frame([(1, 0), (1, END - 1), (2, 0)])), intervals)

    assert found["value"].to_list() == ["x", "x", None]


def test_the_last_entity_that_fits_is_answered() -> None:
    """The highest rank with the highest t still fits 64 bits."""
    ranks = EntityRanks(pl.int_range(MAX_ENTITIES, eager=True))

    moments = ranks.moments_of(questions_frame([(MAX_ENTITIES - 1, END - 1)]))

    assert moments["moment"].to_list() == [2**64 - 2]


@pytest.mark.parametrize("attributes", [1, 2, 4])
def test_the_last_cell_that_fits_is_answered(attributes: int) -> None:
    """Moments of several attributes' cells use all 64 bits, too."""
    last = MAX_ENTITIES // attributes - 1
    ranks = EntityRanks(pl.int_range(last + 1, eager=True))
    cells = Cells(tuple(range(attributes)), pl.Series([last])).named({a: str(a) for a in range(attributes)})
    values = [(place, 5, END, str(place)) for place in range(attributes)]

    asked = ranks.moments_at(range(attributes), ranks.moments_of(questions_frame([(last, END - 1)]))["moment"])
    found = as_of(asked, ranks.intervals_of(frame(values), cells))

    assert ranks.most_places() == attributes
    assert found["moment"].to_list()[-1] == 2**64 - 2
    assert found["value"].to_list() == [value for _, _, _, value in values]


def test_more_entities_than_there_is_room_for_are_refused() -> None:
    """The error says what to do; moments never wrap around."""
    with pytest.raises(EngineError, match=r"4194305 entities of one contract.*use more buckets"):
        EntityRanks(pl.int_range(MAX_ENTITIES + 1, eager=True))
