"""Which rows a contract has, as moments with the primary key of the entity then; cells are filled in cells.py.

Frames of (moment, key, order): `order` sorts rows by the contract's key.
"""

import polars as pl

from logcache_assets.engine.contracts.as_of import EntityRanks, as_of, distinct, last_begun, t_of
from logcache_assets.engine.storage.schemas import END


def history_rows(ranks: EntityRanks, keys: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """One row for every t that holds a datom of the entity and the attribute, from its first primary key on.

    Args:
        ranks: the entities that ever had a primary key.
        keys: the timeline of the primary key as intervals of moments, its `value` and the `place` of it among all keys.
        facts: the facts of the attribute.
    """
    begins, ends = facts.select("e", t="t_from"), facts.filter(pl.col("t_to") < END).select("e", t="t_to")
    moments = distinct(ranks.moments_of(pl.concat([begins, ends])))
    return _keyed(last_begun(moments, keys))


def snapshot_rows(ranks: EntityRanks, keys: pl.DataFrame, times: pl.DataFrame) -> pl.DataFrame:
    """One row for every t that holds any datom of the entity, while its primary key is asserted."""
    return _keyed(as_of(distinct(ranks.moments_of(times)), keys))


def _keyed(answers: pl.DataFrame) -> pl.DataFrame:
    found = answers.filter(pl.col("place").is_not_null())
    order = (found["place"].cast(pl.UInt64) * (END + 1) + t_of(found["moment"]).cast(pl.UInt64)).alias("order")
    return found.select("moment", pl.col("value").alias("key"), order)
