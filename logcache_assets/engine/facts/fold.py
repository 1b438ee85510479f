"""Folds the datoms of one attribute into facts: each (e, value) with the interval [t_from, t_to) over which it holds.

A value is either an integer in `n` or a text in `v`, never both; values.py says which types are integers.

Every datom is in exactly one fact: an assertion gives a t_from, a retraction a t_to. What is asserted at t holds after
it, so of one value at one t the retraction comes first. A datom that changes nothing is an *empty* fact, which holds at
no t and keeps that the datom is there: [t, t) is an assertion of what held already, [null, t) a retraction of what did
not hold.
"""

import polars as pl

from logcache_assets.engine.storage.schemas import FACTS_SCHEMA

VALUE = ("v", "n")
CHANGES = ("e", *VALUE, "t", "added")
"""Columns of the datoms of one attribute."""
FACTS = ("e", *VALUE, "t_from", "t_to")
"""Columns of the facts of one attribute; an open fact has no t_to."""

_HOLDS = (pl.col("t_to").is_null() | (pl.col("t_from") < pl.col("t_to"))).fill_null(value=False)
"""Whether a fact holds at some t, so that it is not an empty one."""

_NO_T = pl.lit(None, FACTS_SCHEMA["t_to"])


def fold_changes(changes: pl.DataFrame) -> pl.DataFrame:
    """Fold the datoms of one attribute into facts; their order does not matter.

    Args:
        changes: columns of CHANGES; a whole log, or its end with the facts open before it as assertions.

    Returns:
        Columns of FACTS, sorted by e.
    """
    ordered = changes.sort("e")
    alone = ordered.select(~(_same(1, "e") | _same(-1, "e"))).to_series() & ordered["added"]
    once = ordered.filter(alone).select("e", *VALUE, pl.col("t").alias("t_from"), t_to=_NO_T)
    return _merge_sorted(once, _fold(ordered.filter(~alone)))


def _fold(changes: pl.DataFrame) -> pl.DataFrame:
    """Facts of entities with several datoms: an interval ends at the next change of the same value."""
    value = [name for name in VALUE if changes[name].null_count() < len(changes)]
    moment = pl.col("t") * 2 + pl.col("added")
    ordered = changes.sort("e", *value, moment, nulls_last=True)
    before = pl.when(_same(1, "e", *value)).then(pl.col("added").shift(1)).otherwise(False)
    changing = ordered.select(pl.col("added") != before).to_series()
    kept = ordered.filter(changing)
    closed = kept.with_columns(t_to=pl.when(_same(-1, "e", *value)).then(pl.col("t").shift(-1)))
    facts = closed.filter("added").rename({"t": "t_from"}).select(FACTS)
    empty = _empty_facts(ordered.filter(~changing)) if len(kept) < len(ordered) else []
    return pl.concat([facts, *empty]).sort("e", "t_from", maintain_order=True)


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
