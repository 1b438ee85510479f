"""Folds the datoms of one attribute into facts: each (e, value) with the interval [t_from, t_to) over which it holds.

A value is either an integer in `n` or a text in `v`, never both; values.py says which types are integers.
"""

import polars as pl

from logcache_assets.engine.storage.schemas import FACTS_SCHEMA

VALUE = ("v", "n")
CHANGES = ("e", *VALUE, "t", "added")
"""Columns of the datoms of one attribute."""
FACTS = ("e", *VALUE, "t_from", "t_to")
"""Columns of the facts of one attribute; an open fact has no t_to."""

_NO_T = pl.lit(None, FACTS_SCHEMA["t_to"])


def fold_changes(changes: pl.DataFrame) -> pl.DataFrame:
    """Fold the datoms of one attribute into facts.

    The order of datoms does not matter: an update is written assertion first, but no (e, a, v) is both asserted and
    retracted at one t. Datoms that change nothing (a duplicate, a value asserted again) are ignored.

    Args:
        changes: columns of CHANGES; a whole log, or its end with the facts open before it as assertions.

    Returns:
        Columns of FACTS, sorted by e.
    """
    ordered = changes.sort("e")
    alone = ordered.select(~(_same(1, "e") | _same(-1, "e"))).to_series()
    once = ordered.filter(alone & ordered["added"]).select("e", *VALUE, pl.col("t").alias("t_from"), t_to=_NO_T)
    return _merge_sorted(once, _fold(ordered.filter(~alone)))


def _fold(changes: pl.DataFrame) -> pl.DataFrame:
    """Facts of entities with several datoms: an interval ends at the next change of the same value."""
    value = [name for name in VALUE if changes[name].null_count() < len(changes)]
    ordered = changes.sort("e", *value, "t", nulls_last=True)
    before = pl.when(_same(1, "e", *value)).then(pl.col("added").shift(1)).otherwise(False)
    kept = ordered.filter(pl.col("added") != before)
    closed = kept.with_columns(t_to=pl.when(_same(-1, "e", *value)).then(pl.col("t").shift(-1)))
    return closed.filter("added").rename({"t": "t_from"}).select(FACTS).sort("e", "t_from")


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


def cut_facts(facts: pl.DataFrame, *, until_t: int) -> pl.DataFrame:
    """The facts as of until_t (inclusive): without later ones, and with those closed later still open."""
    closed = pl.when(pl.col("t_to") <= until_t).then(pl.col("t_to"))
    return facts.filter(pl.col("t_from") <= until_t).with_columns(t_to=closed)
