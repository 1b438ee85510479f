"""As-of questions: which value held for entity e at t?

Questions are rows of (row, e, t), facts rows of (e, t_from, t_to, value, …), both sorted by entity and t, with END
where a fact is open. Answers are rows of (row, t, value, …): none where nothing held, several for cardinality many.
"""

import polars as pl


def last_asserted(questions: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """The value that was asserted last at or before t, even if it was retracted since; with the fact's t_to."""
    found = questions.join_asof(facts, left_on="t", right_on="t_from", by="e", check_sortedness=False)
    return found.filter(pl.col("t_from").is_not_null())


def value_as_of(questions: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """The one value that held at t; of several the smallest, which Datomic finds first.

    Several hold only where the attribute was of cardinality many in earlier days.
    """
    if _overlap(facts):
        return values_as_of(questions, facts).sort("row", "value").unique("row", keep="first", maintain_order=True)
    return last_asserted(questions, facts).filter(pl.col("t") < pl.col("t_to"))


def values_as_of(questions: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Every value that held at t."""
    pairs = questions.join(facts, on="e", how="inner")
    return pairs.filter(pl.col("t_from") <= pl.col("t"), pl.col("t") < pl.col("t_to"))


def _overlap(facts: pl.DataFrame) -> bool:
    """Whether some entity had several values at once."""
    same_entity = pl.col("e") == pl.col("e").shift(-1)
    return bool(facts.select((same_entity & (pl.col("t_to") > pl.col("t_from").shift(-1))).any()).item())
