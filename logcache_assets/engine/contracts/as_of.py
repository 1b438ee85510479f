"""Moments: an entity and a t as one number, so that rows sort, and questions as of t are answered, by one integer.

A moment is `rank << 42 | t`: the entity's rank among those of its bucket that a contract shows, and a t, which in
Datomic has 42 bits. As moments of one entity lie together, the interval that holds at a moment is the last one that
began before it, and no join on entities is needed.
"""

from functools import cached_property

import polars as pl

from logcache_assets.engine.contracts.integer_index import IntegerIndex
from logcache_assets.engine.errors import EngineError
from logcache_assets.engine.storage.schemas import END

T_BITS = END.bit_length()
MAX_ENTITIES = 1 << (64 - T_BITS)
_SPAN = pl.lit(1 << T_BITS, pl.UInt64)


def require_room(count: int) -> None:
    """Refuse more entities, or keys of them, than moments can tell apart."""
    if count > MAX_ENTITIES:
        raise EngineError(
            f"a bucket holds {count} entities of one contract, but moments have room for {MAX_ENTITIES}; "
            "use more buckets"
        )


class EntityRanks:
    """The entities that a contract shows, and their moments.

    Args:
        entities: their ids, in any order, each once or more.
    """

    def __init__(self, entities: pl.Series) -> None:
        self.entities = entities.unique().sort().alias("e")
        require_room(len(self.entities))

    def __len__(self) -> int:
        return len(self.entities)

    @cached_property
    def _first_moments(self) -> IntegerIndex:
        return IntegerIndex(self.entities, pl.int_range(len(self), dtype=pl.UInt64, eager=True) * (1 << T_BITS))

    def _ranked(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of entities that are shown, each with the moment `base` at which its entity's moments begin."""
        ranked = frame.with_columns(self._first_moments.of(frame["e"]).alias("base"))
        return ranked.filter(pl.col("base").is_not_null()) if ranked["base"].null_count() else ranked

    def moments_of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of (e, t) as `moment`; entities that no contract shows are left out."""
        return self._ranked(frame).select(moment=pl.col("base") + pl.col("t").cast(pl.UInt64))

    def intervals_of(self, timeline: pl.DataFrame) -> pl.DataFrame:
        """A timeline's intervals as `begin` and `end` beside its other columns, ascending."""
        begin, end = (pl.col("base") + pl.col(t).cast(pl.UInt64) for t in ("t_from", "t_to"))
        others = pl.exclude("e", "t_from", "t_to", "base")
        return self._ranked(timeline).select(begin.alias("begin"), end.alias("end"), others)

    def entities_at(self, moments: pl.Series) -> pl.Series:
        """The entity of each moment."""
        return self.entities.gather(moments // (1 << T_BITS))


def t_of(moments: pl.Series) -> pl.Series:
    """The t of each moment."""
    return (moments % (1 << T_BITS)).cast(pl.Int64)


def distinct(moments: pl.DataFrame) -> pl.DataFrame:
    """Sorted, each once."""
    ordered = moments.sort("moment")
    return ordered.filter(pl.col("moment").ne_missing(pl.col("moment").shift(1)))


def last_begun(moments: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    """Beside each moment the last interval of its entity that began, even if it has ended; nulls where none has."""
    found = moments.join_asof(intervals, left_on="moment", right_on="begin", check_sortedness=False, coalesce=False)
    other = pl.col("begin") // _SPAN != pl.col("moment") // _SPAN
    return _without(found, other)


def as_of(moments: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    """Beside each moment the interval that holds; nulls where none does.

    An interval of an entity before ends before every moment of the next, so its end tells both.
    """
    found = moments.join_asof(intervals, left_on="moment", right_on="begin", check_sortedness=False, coalesce=False)
    return _without(found, pl.col("end") <= pl.col("moment"))


def _without(found: pl.DataFrame, wrong: pl.Expr) -> pl.DataFrame:
    values = [name for name in found.columns if name not in {"moment", "begin", "end"}]
    return found.select("moment", "begin", "end", *(pl.when(~wrong).then(pl.col(name)).alias(name) for name in values))
