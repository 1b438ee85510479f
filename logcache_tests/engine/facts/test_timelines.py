"""Timelines, compared at every t with the plain definition of an interval."""

from collections.abc import Sequence
from random import Random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.engine.facts.timelines import INTERVAL, TIMELINE, follow_refs, keep_open, many_valued, one_valued
from logcache_assets.engine.storage.schemas import END
from logcache_tests.engine.generated import MANY, ONE, InventedLog, invented_logs

Interval = tuple[int, int, int, str]
"""(e, t_from, t_to, value)."""
QUESTIONS = [(e, t) for e in range(1, 5) for t in range(998, 1040)]


def facts_of(log: InventedLog, attribute: int) -> list[Interval]:
    """(e, t_from, t_to, value) of one attribute, END where open."""
    return sorted((e, start, END if end is None else end, v) for e, a, v, start, end in log.facts if a == attribute)


def frame(facts: Sequence[Interval]) -> pl.DataFrame:
    """A frame of facts, in the given order."""
    schema = {"e": pl.Int64, "t_from": pl.Int64, "t_to": pl.Int64, "value": pl.String}
    return pl.DataFrame(facts, schema, orient="row")


def held(facts: Sequence[Interval]) -> dict[tuple[int, int], list[str]]:
    """(e, t) → all values that hold then, ascending."""
    found: dict[tuple[int, int], list[str]] = {}
    for e, t in QUESTIONS:
        values = sorted({v for f, start, end, v in facts if f == e and start <= t < end})
        if values:
            found[e, t] = values
    return found


def in_order(facts: pl.DataFrame) -> pl.Series:
    """The places of values, here that of their texts."""
    return facts["value"].rank("dense")


def shown(timeline: pl.DataFrame) -> dict[tuple[int, int], object]:
    """(e, t) → what a timeline shows then; checks that it is sorted and does not overlap."""
    assert tuple(timeline.columns) == TIMELINE
    assert timeline.select("e", "t_from").equals(timeline.select("e", "t_from").sort("e", "t_from"))
    found: dict[tuple[int, int], object] = {}
    for e, start, end, value in timeline.iter_rows():
        for t in range(max(start, 998), min(end, 1040)):
            assert (e, t) not in found
            found[e, t] = value
    return found


@given(invented_logs())
def test_a_value_holds_from_its_assertion_up_to_its_retraction(log: InventedLog) -> None:
    """Intervals are [t_from, t_to), for cardinality one and many."""
    one, many = facts_of(log, ONE), facts_of(log, MANY)

    assert shown(one_valued(frame(one), in_order)) == {question: value for question, (value,) in held(one).items()}
    assert shown(many_valued(frame(many)).select(TIMELINE)) == held(many)


@given(invented_logs())
def test_of_several_values_the_smallest_is_the_one(log: InventedLog) -> None:
    """Several values hold at once where an attribute of cardinality one formerly had cardinality many."""
    facts = facts_of(log, MANY)

    assert shown(one_valued(frame(facts), in_order)) == {
        question: values[0] for question, values in held(facts).items()
    }


@given(invented_logs(), st.randoms())
def test_the_order_of_facts_within_an_entity_is_of_no_account(log: InventedLog, random: Random) -> None:
    """Facts are sorted by e only: closed ones precede those that newer datoms were folded into."""
    facts = sorted(random.sample(facts_of(log, ONE), len(facts_of(log, ONE))), key=lambda fact: fact[0])

    assert one_valued(frame(facts), in_order).equals(frame(facts_of(log, ONE)))


def test_a_list_shows_something_else_than_the_values_that_order_it() -> None:
    """Hashes of personal data are distinct by value and sorted by hash."""
    facts = pl.DataFrame(
        {
            "e": [1, 1, 1, 2],
            "t_from": [5, 5, 5, 6],
            "t_to": [9, 9, 9, END],
            "value": ["a", "b", "b", "c"],
            "shown": ["9", "4", "4", "7"],
        }
    )

    found = many_valued(facts)

    assert sorted(found.select(TIMELINE).rows()) == [(1, 5, 9, ["4", "9"]), (2, 6, END, ["7"])]


@given(invented_logs())
def test_a_ref_shows_what_the_referred_entity_shows_while_it_is_referred_to(log: InventedLog) -> None:
    """Refs resolve as of the row's t; here x refers to entity 1, y to 2, z to 3."""
    number = {"x": 1, "y": 2, "z": 3}
    facts = facts_of(log, ONE)
    frame_of_refs = frame(facts).select(*INTERVAL, n=pl.col("value").replace_strict(number, return_dtype=pl.Int64))

    found = follow_refs(frame_of_refs, one_valued(frame(facts), in_order))

    names = held(facts)
    pairs = {(e, t): names.get((number[v], t)) for (e, t), (v,) in held(facts).items()}
    assert shown(one_valued(found.select(TIMELINE), in_order)) == {
        question: vs[0] for question, vs in pairs.items() if vs
    }


def test_only_open_intervals_are_kept_as_if_they_had_always_held() -> None:
    """Entity contracts show no history, so t_from is 0."""
    facts = [(1, 5, 7, "gone"), (1, 7, END, "here"), (2, 3, END, "too")]

    assert keep_open(frame(facts)).rows() == [(1, 0, END, "here"), (2, 0, END, "too")]
