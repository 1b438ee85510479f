"""Finds the value as of t by a merge of sorted integers called moments: an entity and a t as one number.

A moment is `rank << 42 | t`: the entity's rank among the entities of its bucket that a contract shows, and a t, which
has 42 bits in Datomic. Moments sort by entity, then t, so the interval that holds at a moment is the last one that
began at or before it, and no join on entities is needed.
"""

from collections.abc import Sequence
from functools import cached_property

import polars as pl

from logcache_assets.engine.contracts.integer_index import IntegerIndex
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.facts.cells import Cells
from logcache_assets.engine.storage.schemas import END

T_BITS = END.bit_length()
MAX_ENTITIES = 1 << (64 - T_BITS)
_SPAN = pl.lit(1 << T_BITS, pl.UInt64)


def require_room(count: int) -> None:
    """Raise EngineError if there are more entities, or keys of them, than a moment has ranks for."""
    if count > MAX_ENTITIES:
        raise EngineError(
            f"a bucket holds {count} entities of one contract, but only {MAX_ENTITIES} can be told apart; "
            "use more buckets"
        )


class EntityRanks:
    """Ranks the entities that a contract shows, and converts (e, t) to moments and back.

    Args:
        entities: entity ids, unordered; may repeat.
    """

    def __init__(self, entities: pl.Series) -> None:
        self.entities = entities.unique().sort().alias("e")
        require_room(len(self.entities))

    def __len__(self) -> int:
        return len(self.entities)

    @cached_property
    def _first_moments(self) -> IntegerIndex:
        return IntegerIndex(self.entities, pl.int_range(len(self), dtype=pl.UInt64, eager=True) * (1 << T_BITS))

    def moments_of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of (e, t) as one column `moment`; entities without a rank are left out."""
        return _ranked(frame, self._first_moments.of(frame["e"])).select(moment=pl.col("base") + _moment("t"))

    def intervals_of(self, timeline: pl.DataFrame, cells: Cells[str] | None = None) -> pl.DataFrame:
        """A timeline with its intervals as moments `begin` and `end`, ascending; other columns are kept.

        Args:
            timeline: columns of INTERVAL, and others.
            cells: what `e` numbers if it is not entities; moments are then those of `moments_at`.
        """
        base = self._first_moments.of(timeline["e"] if cells is None else cells.entities_of(timeline["e"]))
        if cells is not None and cells.entities is not None:
            base += cells.places_of(timeline["e"]).cast(pl.UInt64) * len(self) * (1 << T_BITS)
        begin, end = (pl.col("base") + _moment(t) for t in ("t_from", "t_to"))
        others = pl.exclude("e", "t_from", "t_to", "base")
        return _ranked(timeline, base).select(begin.alias("begin"), end.alias("end"), others)

    def moments_at(self, places: Sequence[int], moments: pl.Series) -> pl.DataFrame:
        """Moments of the cells of some attributes, attribute by attribute; those of the first are the entities'."""
        if list(places) == [0]:
            return moments.to_frame("moment")
        begins = pl.DataFrame({"first": [place * len(self) << T_BITS for place in places]}, {"first": pl.UInt64})
        each = begins.join(moments.to_frame("moment"), how="cross", maintain_order="left_right")
        return each.select(moment=pl.col("first") + pl.col("moment"))

    def most_places(self) -> int:
        """Of how many attributes the cells have moments of their own."""
        return max(1, MAX_ENTITIES // max(1, len(self)))

    def entities_at(self, moments: pl.Series) -> pl.Series:
        """The entity id of each moment."""
        return self.entities.gather(moments // (1 << T_BITS))


def _moment(t: str) -> pl.Expr:
    return pl.col(t).cast(pl.UInt64)


def _ranked(frame: pl.DataFrame, base: pl.Series) -> pl.DataFrame:
    """The rows of ranked entities, each with its first moment in `base`."""
    ranked = frame.with_columns(base.alias("base"))
    return ranked.filter(pl.col("base").is_not_null()) if ranked["base"].null_count() else ranked


def t_of(moments: pl.Series) -> pl.Series:
    """The t of each moment."""
    return (moments % (1 << T_BITS)).cast(pl.Int64)


def distinct(moments: pl.DataFrame) -> pl.DataFrame:
    """The moments sorted, without duplicates."""
    ordered = moments.sort("moment")
    return ordered.filter(pl.col("moment").ne_missing(pl.col("moment").shift(1)))


def last_begun(moments: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    """Join each moment to the last interval of its entity that has begun, ended or not; nulls where none has."""
    found = moments.join_asof(intervals, left_on="moment", right_on="begin", check_sortedness=False, coalesce=False)
    other = pl.col("begin") // _SPAN != pl.col("moment") // _SPAN
    return _null_where(found, other)


def as_of(moments: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    """Join each moment to the interval that holds then; nulls where none does.

    The interval found may be of an earlier entity, but that one ends before any moment of the next, so one comparison
    with its end excludes both cases.
    """
    found = moments.join_asof(intervals, left_on="moment", right_on="begin", check_sortedness=False, coalesce=False)
    return _null_where(found, pl.col("end") <= pl.col("moment"))


def _null_where(found: pl.DataFrame, wrong: pl.Expr) -> pl.DataFrame:
    values = [name for name in found.columns if name not in {"moment", "begin", "end"}]
    return found.select("moment", "begin", "end", *(pl.when(~wrong).then(pl.col(name)).alias(name) for name in values))
