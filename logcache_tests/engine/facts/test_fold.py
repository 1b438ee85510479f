"""Folding, against answers written down while the log was generated."""

from collections.abc import Iterable, Sequence
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.engine.facts.fold import (
    CHANGES,
    FACTS,
    continue_facts,
    cut_facts,
    fold_changes,
    without_empty,
)
from logcache_assets.engine.storage.schemas import FACTS_SCHEMA
from logcache_tests.engine.avro import Datom
from logcache_tests.engine.generated import MANY, ONE, Fact, InventedLog, invented_logs

TYPES = {"e": pl.Int64, "v": pl.String, "n": pl.Int64, "t": pl.Int64, "added": pl.Boolean}

as_both_kinds = pytest.mark.parametrize("integers", [False, True], ids=["texts", "integers"])
"""A value is a text or an integer; as an integer, a letter is its code point."""


def changes_of(datoms: Iterable[Datom], attribute: int, *, integers: bool) -> pl.DataFrame:
    """Datoms of one attribute as fold_changes takes them."""
    values = {v: (None, ord(v)) if integers else (v, None) for _, a, v, _, _ in datoms if a == attribute}
    rows = [(e, *values[v], t, added) for e, a, v, t, added in datoms if a == attribute]
    return pl.DataFrame(rows, TYPES, orient="row")


def rows_of(facts: pl.DataFrame, attribute: int) -> list[Fact]:
    """Facts of one attribute as InventedLog.facts holds them."""
    assert tuple(facts.columns) == FACTS
    rows = facts.select("e", pl.col("n").map_elements(chr, pl.String).fill_null(pl.col("v")), "t_from", "t_to")
    return sorted(((e, attribute, v, start, end) for e, v, start, end in rows.iter_rows()), key=repr)


def facts_at(log: InventedLog, attribute: int, until_t: int | None = None) -> list[Fact]:
    """The expected facts of one attribute, as of a t."""
    whole = [fact for fact in log.facts if fact[1] == attribute]
    if until_t is None:
        return whole
    ended = ((e, a, v, start, end if end and end <= until_t else None) for e, a, v, start, end in whole)
    return sorted((fact for fact in ended if fact[3] <= until_t), key=repr)


def before(datoms: Sequence[Datom], t: int) -> list[Datom]:
    """The datoms up to a t."""
    return [datom for datom in datoms if datom[3] <= t]


@as_both_kinds
@given(invented_logs(), st.randoms())
def test_datoms_fold_to_the_facts_that_held(integers: bool, log: InventedLog, random: Random) -> None:  # noqa: FBT001
    """The order of datoms does not matter, not even that Datomic asserts before it retracts in a tx."""
    shuffled = random.sample(log.datoms, len(log.datoms))

    for attribute in (ONE, MANY):
        for datoms in (log.datoms, shuffled):
            found = fold_changes(changes_of(datoms, attribute, integers=integers))

            assert rows_of(found, attribute) == facts_at(log, attribute)
            assert found["e"].is_sorted()


@as_both_kinds
@given(invented_logs(), st.data())
def test_a_delta_continues_facts_at_every_cut(integers: bool, log: InventedLog, data: st.DataObject) -> None:  # noqa: FBT001
    """Facts at any t, with the later datoms applied, are the facts of the whole log."""
    cut = data.draw(st.sampled_from([0, *log.ts]))
    after = [datom for datom in log.datoms if datom[3] > cut]

    for attribute in (ONE, MANY):
        facts = fold_changes(changes_of(before(log.datoms, cut), attribute, integers=integers))
        continued = continue_facts(facts, changes_of(after, attribute, integers=integers))

        assert rows_of(continued, attribute) == facts_at(log, attribute)
        assert continued["e"].is_sorted()


@given(invented_logs(), st.data())
def test_cutting_facts_is_folding_a_shorter_log(log: InventedLog, data: st.DataObject) -> None:
    """A cache that is ahead of the asked t gives the facts of the log up to that t."""
    cut = data.draw(st.sampled_from([0, *log.ts]))

    for attribute in (ONE, MANY):
        facts = fold_changes(changes_of(log.datoms, attribute, integers=False))

        assert rows_of(cut_facts(facts, until_t=cut), attribute) == facts_at(log, attribute, cut)


def fold_rows(*datoms: Datom) -> list[Fact]:
    """Fold datoms of attribute 100."""
    return rows_of(fold_changes(changes_of(datoms, 100, integers=False)), 100)


def test_an_update_keeps_the_value_written_before_the_retraction() -> None:
    """In one tx, the file has the assertion of the new value first."""
    log = [(1, 100, "old", 5, True), (1, 100, "new", 7, True), (1, 100, "old", 7, False)]

    assert fold_rows(*log) == [(1, 100, "new", 7, None), (1, 100, "old", 5, 7)]


def test_a_value_that_comes_back_is_a_fact_of_its_own() -> None:
    """A value asserted, retracted and asserted again is two intervals, the second open."""
    log = [(1, 100, "x", 5, True), (1, 100, "x", 7, False), (1, 100, "x", 9, True)]

    assert fold_rows(*log) == [(1, 100, "x", 5, 7), (1, 100, "x", 9, None)]


def test_identical_datoms_are_one_fact_that_holds() -> None:
    """Two equal byte arrays in one tx are two datoms of the log: a fact, and an empty one."""
    log = [(1, 100, "5Q==", 5, True), (1, 100, "5Q==", 5, True), (1, 100, "5Q==", 9, False)]

    assert fold_rows(*log) == [(1, 100, "5Q==", 5, 5), (1, 100, "5Q==", 5, 9)]


def test_what_is_asserted_at_a_t_holds_after_it() -> None:
    """An update of one text to itself (1E+3 to 1000) ends a fact and begins the next."""
    log = [(1, 100, "1000", 5, True), (1, 100, "1000", 7, True), (1, 100, "1000", 7, False), (1, 100, "1000", 9, False)]

    assert fold_rows(*log[:3]) == [(1, 100, "1000", 5, 7), (1, 100, "1000", 7, None)]
    assert fold_rows(*log) == [(1, 100, "1000", 5, 7), (1, 100, "1000", 7, 9)]


def test_a_retraction_of_what_does_not_hold_is_kept_as_an_empty_fact() -> None:
    """A retraction may name another text than the assertion did: 1.00 was asserted as 1.0."""
    log = [(1, 100, "1.0", 5, True), (1, 100, "1.00", 7, False), (2, 100, "1.00", 8, False)]

    assert fold_rows(*log) == [(1, 100, "1.0", 5, None), (1, 100, "1.00", None, 7), (2, 100, "1.00", None, 8)]


def any_datoms() -> st.SearchStrategy[list[Datom]]:
    """Datoms in any order and number, also such as change nothing, of attribute 100."""
    return st.lists(
        st.tuples(st.integers(1, 2), st.just(100), st.sampled_from("xy"), st.integers(1, 5), st.booleans()), max_size=12
    )


def told_by(facts: pl.DataFrame) -> list[Datom]:
    """The datoms that facts tell, as docs/formats.md says it."""
    rows = rows_of(facts, 100)
    asserted = [(e, a, v, start, True) for e, a, v, start, _ in rows if start is not None]
    retracted = [(e, a, v, end, False) for e, a, v, start, end in rows if end is not None and end != start]
    return sorted([*asserted, *retracted])


def holds_after(datoms: Sequence[Datom], e: int, v: str, t: int) -> bool:
    """Whether (e, v) holds after t: of its last datoms up to then, one is an assertion."""
    own = [(when, added) for entity, _, value, when, added in datoms if (entity, value) == (e, v) and when <= t]
    return bool(own) and max(own)[1]


@as_both_kinds
@given(any_datoms(), st.integers(0, 5))
def test_every_datom_is_in_one_fact(integers: bool, datoms: list[Datom], cut: int) -> None:  # noqa: FBT001
    """Facts tell each datom once and hold when it says, folded at once or from any cut."""
    facts = fold_changes(changes_of(datoms, 100, integers=integers))
    earlier = fold_changes(changes_of(before(datoms, cut), 100, integers=integers))
    later = changes_of([datom for datom in datoms if datom[3] > cut], 100, integers=integers)
    held = rows_of(without_empty(facts), 100)

    assert told_by(facts) == sorted(datoms)
    assert rows_of(continue_facts(earlier, later), 100) == rows_of(facts, 100)
    assert rows_of(cut_facts(facts, until_t=cut), 100) == rows_of(earlier, 100)
    assert {(e, v, t) for e, _, v, start, end in held for t in range(start, end or 6)} == {
        (e, v, t) for e in (1, 2) for v in "xy" for t in range(6) if holds_after(datoms, e, v, t)
    }


def test_a_text_and_an_integer_are_different_values() -> None:
    """A text that is not an integer of its type stays a text beside the integers."""
    rows = [(1, "seven", None, 5, True), (1, None, 7, 6, True), (1, "seven", None, 6, False)]

    found = fold_changes(pl.DataFrame(rows, TYPES, orient="row"))

    assert sorted(found.iter_rows(), key=repr) == [(1, "seven", None, 5, 6), (1, None, 7, 6, None)]


def test_an_empty_log_has_no_facts() -> None:
    """The empty frame keeps its columns."""
    nothing = pl.DataFrame(schema={name: TYPES[name] for name in CHANGES})
    facts = fold_changes(nothing)

    assert facts.schema == FACTS_SCHEMA.to_frame().select(FACTS).schema
    assert facts.is_empty()
    assert continue_facts(facts, nothing).equals(facts)
