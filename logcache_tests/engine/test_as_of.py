"""As-of questions, against the plain definition of an interval."""

from collections.abc import Sequence

import polars as pl
from hypothesis import given

from logcache_assets.engine.as_of import last_asserted, value_as_of, values_as_of
from logcache_assets.engine.layout import END
from logcache_tests.engine.generated import MANY, ONE, InventedLog, invented_logs

Answer = tuple[int, int, str]
QUESTIONS = [(e, t) for e in range(1, 5) for t in range(998, 1040)]


def questions_frame() -> pl.DataFrame:
    """Every entity at every t."""
    return pl.DataFrame(QUESTIONS, {"e": pl.Int64, "t": pl.Int64}, orient="row").with_row_index("row")


def facts_of(log: InventedLog, attribute: int) -> list[tuple[int, int, int, str]]:
    """(e, t_from, t_to, value) of one attribute, END where open."""
    return sorted((e, start, END if end is None else end, v) for e, a, v, start, end in log.facts if a == attribute)


def frame(facts: Sequence[tuple[int, int, int, str]]) -> pl.DataFrame:
    """Facts as the engine asks them."""
    schema = {"e": pl.Int64, "t_from": pl.Int64, "t_to": pl.Int64, "value": pl.String}
    return pl.DataFrame(facts, schema, orient="row")


def answered(answers: pl.DataFrame) -> list[Answer]:
    """(e, t, value), ascending."""
    return sorted(answers.select("e", "t", "value").iter_rows())


@given(invented_logs())
def test_a_value_holds_from_its_assertion_up_to_its_retraction(log: InventedLog) -> None:
    """[t_from, t_to), for cardinality one and many."""
    for attribute, ask in ((ONE, value_as_of), (MANY, values_as_of)):
        facts = facts_of(log, attribute)

        found = ask(questions_frame(), frame(facts))

        held = [(e, t, v) for e, t in QUESTIONS for f, start, end, v in facts if e == f and start <= t < end]
        assert answered(found) == sorted(held)


@given(invented_logs())
def test_the_last_asserted_value_outlives_its_retraction(log: InventedLog) -> None:
    """As the primary key of history rows does."""
    facts = facts_of(log, ONE)

    found = last_asserted(questions_frame(), frame(facts))

    last = {(e, t): v for e, t in QUESTIONS for f, start, _, v in facts if e == f and start <= t}
    assert answered(found) == sorted((e, t, v) for (e, t), v in last.items())


@given(invented_logs())
def test_of_several_values_the_smallest_is_the_one(log: InventedLog) -> None:
    """Where an attribute of cardinality one was of cardinality many in earlier days."""
    facts = facts_of(log, MANY)

    found = value_as_of(questions_frame(), frame(facts))

    held: dict[tuple[int, int], str] = {}
    for e, start, end, v in facts:
        for t in range(start, min(end, 1040)):
            held[e, t] = min(v, held.get((e, t), v))
    assert answered(found) == sorted((e, t, v) for (e, t), v in held.items())
