"""Folds the datoms of one attribute into facts: each (e, value) with the interval [t_from, t_to) over which it holds.

A value is either an integer in `n` or a text in `v`, never both; values.py says which types are integers.

Every datom is in exactly one fact: an assertion gives a t_from, a retraction a t_to. What is asserted at t holds after
it, so of one value at one t the retraction comes first. A datom that changes nothing is an *empty* fact, which holds at
no t and keeps that the datom is there: [t, t) is an assertion of what held already, [null, t) a retraction of what did
not hold.
"""

from collections.abc import Sequence

import polars as pl

VALUE = ("v", "n")
CHANGES = ("e", *VALUE, "t", "added")
"""Columns of the datoms of one attribute."""
FACTS = ("e", *VALUE, "t_from", "t_to")
"""Columns of the facts of one attribute; an open fact has no t_to."""

_HOLDS = (pl.col("t_to").is_null() | (pl.col("t_from") < pl.col("t_to"))).fill_null(value=False)
"""Whether a fact holds at some t, so that it is not an empty one."""

_MOMENT = pl.col("t") * 2 + pl.col("added")
"""The order of the datoms of one entity: of one value at one t the retraction comes first."""


def fold_changes(changes: pl.DataFrame) -> pl.DataFrame:
    """Fold the datoms of one attribute into facts; their order does not matter.

    Args:
        changes: columns of CHANGES; a whole log, or its end with the facts open before it as assertions.

    Returns:
        Columns of FACTS, sorted by e and t_from.
    """
    value = [name for name in VALUE if changes[name].null_count() < len(changes)]
    ordered = changes.sort("e", _MOMENT)
    in_turn = ordered.select(_in_turn(value)).to_series()
    if in_turn.all():
        return _pair_turns(ordered)
    others = ordered.select(pl.col("e").is_in(ordered["e"].filter(~in_turn).unique().implode())).to_series()
    facts = pl.concat([_pair_turns(ordered.filter(~others)), _pair_values(ordered.filter(others), value)])
    return facts.sort("e", "t_from", maintain_order=True)


def _in_turn(value: Sequence[str]) -> pl.Expr:
    """Whether an assertion opens an entity or follows a retraction, and a retraction is of the value asserted before.

    So it is in the log of an attribute of cardinality one, where an update retracts the old value.
    """
    after_assertion = pl.col("added").shift(1)
    ends_it = _same(1, "e", *value) & after_assertion
    return pl.when("added").then(~(_same(1, "e") & after_assertion)).otherwise(ends_it)


def _pair_turns(ordered: pl.DataFrame) -> pl.DataFrame:
    """Facts of datoms that are in turn: each ends at the next datom of its entity, which retracts it."""
    closed = ordered.with_columns(t_to=pl.when(_same(-1, "e")).then(pl.col("t").shift(-1)))
    return closed.filter("added").rename({"t": "t_from"}).select(FACTS)


def _pair_values(changes: pl.DataFrame, value: Sequence[str]) -> pl.DataFrame:
    """Facts of any datoms: an interval ends at the next change of the same value."""
    ordered = changes.sort("e", *value, _MOMENT, nulls_last=True)
    before = pl.when(_same(1, "e", *value)).then(pl.col("added").shift(1)).otherwise(False)
    changing = ordered.select(pl.col("added") != before).to_series()
    kept = ordered.filter(changing)
    closed = kept.with_columns(t_to=pl.when(_same(-1, "e", *value)).then(pl.col("t").shift(-1)))
    facts = closed.filter("added").rename({"t": "t_from"}).select(FACTS)
    return pl.concat([facts, *(_empty_facts(ordered.filter(~changing)) if len(kept) < len(ordered) else [])])


def _empty_facts(changes: pl.DataFrame) -> list[pl.DataFrame]:
    """The facts of datoms that change nothing: [t, t) of assertions, [null, t) of retractions."""
    begin = pl.when("added").then("t").alias("t_from")
    return [changes.select("e", *VALUE, begin, pl.col("t").alias("t_to"))]


def _same(rows_back: int, *columns: str) -> pl.Expr:
    """Whether the row so many rows back exists and has equal columns; `e`, always among them, is never null."""
    return pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(rows_back)) for name in columns)


def _merge_sorted(facts: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Facts of both frames, sorted by e; facts of one entity keep the order of the frames."""
    if facts.is_empty() or more.is_empty():
        return facts if more.is_empty() else more
    both = pl.concat([facts, more])
    return both if _comes_after(facts, more) else both.sort("e", maintain_order=True)


def _comes_after(facts: pl.DataFrame, more: pl.DataFrame) -> bool:
    """Whether all entities of `more` follow those of `facts`; common, because new entities have greater ids."""
    return bool(more["e"][0] > facts["e"][-1])


def continue_facts(facts: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Apply later datoms to the facts of an attribute; only open facts of the touched entities are folded again.

    Args:
        facts: columns of FACTS, sorted by e.
        changes: the later datoms; columns of CHANGES.

    Returns:
        Columns of FACTS, sorted by e.
    """
    if changes.is_empty():
        return facts
    touched = facts.select(pl.col("e").is_in(changes["e"].unique().implode()) & pl.col("t_to").is_null()).to_series()
    reopened = facts.filter(touched).select("e", *VALUE, pl.col("t_from").alias("t"), pl.lit(True).alias("added"))
    folded = fold_changes(pl.concat([reopened, changes.select(CHANGES)]))
    return _merge_sorted(facts.filter(~touched) if len(reopened) else facts, folded)


def without_empty(facts: pl.DataFrame) -> pl.DataFrame:
    """The facts that hold at some t; an open one may have a t_to in the far future for null."""
    holds = facts.select(_HOLDS).to_series()
    return facts if holds.all() else facts.filter(holds)


def cut_facts(facts: pl.DataFrame, *, until_t: int) -> pl.DataFrame:
    """The facts as of until_t (inclusive): without later ones, and with those closed later still open."""
    closed = pl.when(pl.col("t_to") <= until_t).then(pl.col("t_to"))
    return facts.filter(pl.coalesce("t_from", "t_to") <= until_t).with_columns(t_to=closed)
