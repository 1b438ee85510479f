"""Timelines: what one column shows for each entity, as intervals that do not overlap.

Facts of an attribute may overlap (cardinality many, now or formerly); a timeline has one value, or one list, at each t.
It is a frame of (e, t_from, t_to, value), sorted by e and t_from; t_to is END while an interval is open.
"""

from collections.abc import Callable

import polars as pl

from logcache_assets.engine.storage.schemas import END

INTERVAL = ("e", "t_from", "t_to")
TIMELINE = (*INTERVAL, "value")


def sort_facts(facts: pl.DataFrame) -> pl.DataFrame:
    """Facts sorted by e and t_from; not sorted again if they already are, which is usual."""
    same_entity = pl.col("e") == pl.col("e").shift(1)
    disordered = (pl.col("e") < pl.col("e").shift(1)) | (same_entity & (pl.col("t_from") < pl.col("t_from").shift(1)))
    return facts.sort("e", "t_from", maintain_order=True) if facts.select(disordered.any()).item() else facts


def one_valued(facts: pl.DataFrame, places: Callable[[pl.DataFrame], pl.Series]) -> pl.DataFrame:
    """The facts of an attribute of cardinality one, of which one holds at each t.

    Several values hold at once only where the attribute formerly had cardinality many, or where the log gives a value
    two texts; then the first in Datomic's index is kept.

    Args:
        facts: columns of INTERVAL and others, sorted by e.
        places: gives the places of facts in the index.
    """
    ordered = sort_facts(facts)
    overlaps = (pl.col("e") == pl.col("e").shift(-1)) & (pl.col("t_to") > pl.col("t_from").shift(-1))
    doubtful = ordered.filter(overlaps).select("e").unique()
    if doubtful.is_empty():
        return ordered
    several = ordered.join(doubtful, on="e", how="semi")
    pieces = _split_at_changes(several.with_columns(places(several).alias("place"))).sort("e", "t_from", "place")
    resolved = pieces.unique(INTERVAL, keep="first", maintain_order=True).select(ordered.columns)
    certain = ordered.join(doubtful, on="e", how="anti", maintain_order="left")
    return sort_facts(pl.concat([certain, resolved]))


def many_valued(facts: pl.DataFrame) -> pl.DataFrame:
    """The timeline of an attribute of cardinality many: lists of distinct values in ascending order, never empty.

    Args:
        facts: columns of TIMELINE, sorted by e. With a column `shown`, the lists hold it instead of the value, in its
            own ascending order.
    """
    same_entity, same_interval = pl.col("e") == pl.col("e").shift(1), _as_before("t_from", "t_to")
    changing = facts.filter(same_entity & ~same_interval).select("e").unique()
    if changing.is_empty():
        return _collect_lists(facts)
    pieces = _split_at_changes(facts.join(changing, on="e", how="semi")).select(facts.columns)
    return _collect_lists(pl.concat([facts.join(changing, on="e", how="anti"), pieces]))


def _collect_lists(held: pl.DataFrame) -> pl.DataFrame:
    """One list per interval."""
    by_value = held.sort(*INTERVAL, *(c for c in ("value", "shown") if c in held.columns), nulls_last=True)
    distinct = by_value.filter(~_as_before(*TIMELINE))
    if "shown" in held.columns:
        distinct = distinct.sort(*INTERVAL, "shown").select(*INTERVAL, value="shown")
    numbered = distinct.with_columns(number=(~_as_before(*INTERVAL)).cum_sum())
    grouped = numbered.group_by("number", maintain_order=True).agg(*(pl.col(c).first() for c in INTERVAL), "value")
    return grouped.drop("number")


def _as_before(*columns: str) -> pl.Expr:
    """Whether a row equals the one before it in these columns; `e` is never null."""
    return pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in columns)


def _split_at_changes(facts: pl.DataFrame) -> pl.DataFrame:
    """Facts split at every begin and end of a fact of the same entity, so that intervals are equal or disjoint."""
    begins, ends = facts.select("e", t="t_from"), facts.select("e", t="t_to")
    changes = pl.concat([begins, ends]).unique().sort("e", "t")
    pieces = changes.with_columns(until=pl.col("t").shift(-1).over("e")).drop_nulls()
    pairs = pieces.join(facts, on="e").filter(pl.col("t_from") <= pl.col("t"), pl.col("t") < pl.col("t_to"))
    return pairs.with_columns(t_from="t", t_to="until").drop("t", "until")


def follow_refs(refs: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    """The values of referred entities, for as long as each is referred to.

    Args:
        refs: intervals with the referred entity in `n`.
        targets: the referred entities' timeline of the attribute to show.

    Returns:
        Columns of TIMELINE; intervals may overlap if refs do.
    """
    shown = targets.rename({"e": "n", "t_from": "shown_from", "t_to": "shown_to"})
    pairs = refs.join(shown, on="n", how="inner", maintain_order="left")
    both = pairs.with_columns(
        t_from=pl.max_horizontal("t_from", "shown_from"), t_to=pl.min_horizontal("t_to", "shown_to")
    )
    return both.filter(pl.col("t_from") < pl.col("t_to")).drop("n", "shown_from", "shown_to")


def keep_open(facts: pl.DataFrame) -> pl.DataFrame:
    """Only the open intervals, with t_from = 0; enough for entity contracts, which show no history."""
    return facts.filter(pl.col("t_to") == END).with_columns(t_from=pl.lit(0, pl.Int64))
