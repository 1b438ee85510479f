"""Facts: each (e, a, v) with the interval [t_from, t_to) over which it holds; folds datoms to them.

Where datoms come from is log.py, what a fact's value means is values.py.
"""

import polars as pl

from logcache_assets.engine.layout import FACTS_ORDER, FACTS_SCHEMA

KEY = ("e", "a", "v")


def fold_datoms(datoms: pl.DataFrame) -> pl.DataFrame:
    """The facts that datoms amount to, sorted by FACTS_ORDER.

    The order of datoms within one t is of no account: an update is written assertion first, but no (e, a, v) is both
    asserted and retracted at one t. What changes nothing (an identical datom, a value asserted again) is passed over.

    Args:
        datoms: columns e, a, v, t, added; a whole log, or one that begins with its open facts as assertions.
    """
    changes = (
        datoms.select(*KEY, "t", "added")
        .sort(*KEY, "t")
        .filter(pl.col("added") != pl.when(_same_fact(1)).then(pl.col("added").shift(1)).otherwise(False))
        .with_columns(t_to=pl.when(_same_fact(-1)).then(pl.col("t").shift(-1)))
    )
    return changes.filter("added").rename({"t": "t_from"}).select(FACTS_SCHEMA.names()).sort(FACTS_ORDER)


def _same_fact(rows_back: int) -> pl.Expr:
    """Whether the row that many rows back is of the same (e, a, v)."""
    return pl.all_horizontal(pl.col(name) == pl.col(name).shift(rows_back) for name in KEY).fill_null(value=False)


def fold_delta(facts: pl.DataFrame, delta: pl.DataFrame) -> pl.DataFrame:
    """Facts continued by later datoms: only open facts that the datoms touch are folded again."""
    touched = delta.select(KEY).unique()
    is_open = pl.col("t_to").is_null()
    reopened = facts.filter(is_open).join(touched, on=KEY, how="semi")
    untouched = pl.concat(
        [facts.filter(~is_open), facts.filter(is_open).join(touched, on=KEY, how="anti", maintain_order="left")]
    )
    assertions = reopened.select(*KEY, pl.col("t_from").alias("t"), pl.lit(True).alias("added"))
    folded = fold_datoms(pl.concat([assertions, delta.select(*KEY, "t", "added")]))
    return pl.concat([untouched, folded]).sort(FACTS_ORDER)


def cut_facts(facts: pl.DataFrame, *, until_t: int) -> pl.DataFrame:
    """The facts as they were at until_t (inclusive): later ones gone, those closed later still open."""
    closed = pl.when(pl.col("t_to") <= until_t).then(pl.col("t_to"))
    return facts.filter(pl.col("t_from") <= until_t).with_columns(t_to=closed)
