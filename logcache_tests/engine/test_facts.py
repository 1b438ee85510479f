"""Facts and their intervals, against answers written down while the log was invented."""

from random import Random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.engine.facts import cut_facts, fold_datoms, fold_delta
from logcache_tests.engine.generated import InventedLog, fact_rows, facts_frame, invented_logs, log_frame


@given(invented_logs(), st.randoms())
def test_datoms_fold_to_the_facts_that_held(log: InventedLog, random: Random) -> None:
    """Whatever the order of datoms: assertion before retraction in a tx is Datomic's order, and of no account."""
    shuffled = random.sample(log.datoms, len(log.datoms))

    assert fact_rows(fold_datoms(log_frame(log.datoms))) == log.facts
    assert fact_rows(fold_datoms(log_frame(shuffled))) == log.facts


@given(invented_logs(), st.data())
def test_a_delta_continues_facts_at_every_cut(log: InventedLog, data: st.DataObject) -> None:
    """Facts at any t, continued by the datoms after it, are the facts of the whole log."""
    cut = data.draw(st.sampled_from([0, *log.ts]))
    datoms = log_frame(log.datoms)

    continued = fold_delta(fold_datoms(datoms.filter(pl.col("t") <= cut)), datoms.filter(pl.col("t") > cut))

    assert fact_rows(continued) == log.facts
    assert continued.equals(facts_frame(log.facts))


@given(invented_logs(), st.data())
def test_cutting_facts_is_folding_a_shorter_log(log: InventedLog, data: st.DataObject) -> None:
    """A cache that is ahead of the asked t answers as the log up to that t would."""
    cut = data.draw(st.sampled_from([0, *log.ts]))
    datoms = log_frame(log.datoms)

    assert cut_facts(fold_datoms(datoms), until_t=cut).equals(fold_datoms(datoms.filter(pl.col("t") <= cut)))


def test_an_update_keeps_the_value_written_before_the_retraction() -> None:
    """In one tx the file has the assertion of the new value first."""
    log = [(1, 100, "old", 5, True), (1, 100, "new", 7, True), (1, 100, "old", 7, False)]

    assert fact_rows(fold_datoms(log_frame(log))) == [(1, 100, "new", 7, None), (1, 100, "old", 5, 7)]


def test_a_value_that_comes_back_is_a_fact_of_its_own() -> None:
    """Asserted, retracted and asserted again: two intervals, the second open."""
    log = [(1, 100, "x", 5, True), (1, 100, "x", 7, False), (1, 100, "x", 9, True)]

    assert fact_rows(fold_datoms(log_frame(log))) == [(1, 100, "x", 5, 7), (1, 100, "x", 9, None)]


def test_identical_datoms_are_one_fact() -> None:
    """Two equal byte arrays of one tx are two datoms of the log and one of the database."""
    log = [(1, 100, "5Q==", 5, True), (1, 100, "5Q==", 5, True), (1, 100, "5Q==", 9, False)]

    assert fact_rows(fold_datoms(log_frame(log))) == [(1, 100, "5Q==", 5, 9)]


def test_an_empty_log_has_no_facts() -> None:
    """The empty table keeps its columns."""
    facts = fold_datoms(log_frame([]))

    assert facts.equals(facts_frame([]))
    assert fold_delta(facts, log_frame([])).equals(facts)
