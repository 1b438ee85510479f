"""Which rows a contract has: pairs of an entity and a t, with the primary key that the entity had then.

Frames of (e, t, key), sorted by e and t; the cells beside the key are filled in cells.py.
"""

import polars as pl

from logcache_assets.engine.as_of import last_asserted, value_as_of
from logcache_assets.engine.layout import END

LAST_T = END - 1
"""The t of a question about the end of the log."""

ROW_COLUMNS = ("e", "t", "key")


def entity_rows(keys: pl.DataFrame) -> pl.DataFrame:
    """One row per entity whose primary key is asserted at the end.

    Args:
        keys: the facts of the primary key, sorted by e and t_from, its typed value in `value`.
    """
    current = keys.filter(pl.col("t_to") == END)
    return current.select("e", pl.lit(LAST_T).alias("t"), pl.col("value").alias("key"))


def history_rows(keys: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """One row for every t that holds a datom of the entity and the attribute, from its first primary key on."""
    return _keyed(last_asserted(_changes(keys, facts), keys))


def snapshot_rows(keys: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """One row for every t that holds any datom of the entity, while its primary key is asserted."""
    return _keyed(value_as_of(_changes(keys, facts), keys))


def _changes(keys: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Every t at which one of these facts begins or ends, per entity that ever had a primary key."""
    own = facts.join(keys.select("e").unique(), on="e", how="semi")
    begins, ends = own.select("e", t="t_from"), own.filter(pl.col("t_to") < END).select("e", t="t_to")
    return pl.concat([begins, ends]).unique().sort("e", "t").with_row_index("row")


def _keyed(answers: pl.DataFrame) -> pl.DataFrame:
    return answers.select("e", "t", pl.col("value").alias("key")).sort("e", "t")
