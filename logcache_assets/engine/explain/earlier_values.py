"""What the cells of entity contracts showed since yesterday and lost: a stale reader still shows it."""

from collections.abc import Iterator, Sequence

import polars as pl

from logcache_assets.domain.contract_entities import ContractAttribute
from logcache_assets.engine.compare.digests import ComparedColumns
from logcache_assets.engine.contracts.column_groups import ColumnGroup
from logcache_assets.engine.contracts.entity_reader import EntityReader
from logcache_assets.engine.contracts.row_values import repeated, values_of
from logcache_assets.engine.explain.joined_columns import EARLIER, VALUE_SEED
from logcache_assets.engine.storage.schemas import END

HASHES = pl.List(pl.UInt64())


def earlier_values(
    reader: EntityReader,
    attributes: Sequence[ContractAttribute],
    columns: ComparedColumns,
    entities: pl.Series,
    *,
    after_t: int,
) -> list[pl.Series]:
    """One series per column: for each entity, hashes of the values that its cell had since after_t and lost."""

    def values_at(group: ColumnGroup, places: Sequence[int]) -> pl.Series:
        wanted = group.facts.cells.numbers(places, entities)
        changing = _find_changing(reader.shown_by(group).timeline, after_t=after_t)
        if changing.is_empty():
            return repeated(None, HASHES, len(wanted))
        compared = _compared_values(group, places, changing, columns)
        past = pl.concat(_past_values(values, after_t=after_t) for values in compared).group_by("e").agg("value")
        return wanted.to_frame("e").join(past, on="e", how="left", maintain_order="left")["value"]

    found = values_of(reader, attributes, values_at, rows=len(entities))
    nothing = repeated(None, HASHES, len(entities))
    return [found.get(a.column, nothing).alias(EARLIER + a.column) for a in attributes]


def _find_changing(timeline: pl.DataFrame, *, after_t: int) -> pl.DataFrame:
    """The timelines of the cells of which a value began or ended after a t."""
    changed = (pl.col("t_from") > after_t) | ((pl.col("t_to") > after_t) & (pl.col("t_to") < END))
    cells = timeline.filter(changed)["e"].unique()
    return timeline.filter(pl.col("e").is_in(cells.implode())) if len(cells) else timeline.clear()


def _compared_values(
    group: ColumnGroup, places: Sequence[int], timeline: pl.DataFrame, columns: ComparedColumns
) -> Iterator[pl.DataFrame]:
    """The timelines of a group's columns in the forms in which their cells are compared; most groups have one form."""
    forms: dict[object, list[int]] = {}
    for place in places:
        name = group.columns[place].name
        forms.setdefault((columns.types.get(name), name in columns.foreign), []).append(place)
    of_place = group.facts.cells.places_of(timeline["e"])
    for own in forms.values():
        form = columns.comparable_cell(group.columns[own[0]].name, "value", group.dtype)
        typed = timeline.filter(of_place.is_in(own)).with_columns(pl.col("value").cast(group.dtype))
        yield typed.select("e", "t_from", "t_to", form)


def _past_values(timeline: pl.DataFrame, *, after_t: int) -> pl.DataFrame:
    """Columns e, value: hashes of the values that ended after after_t, and of null where a value began after a gap."""
    same_entity = pl.col("e") == pl.col("e").shift(1)
    began_after_nothing = ~(same_entity & (pl.col("t_to").shift(1) == pl.col("t_from"))).fill_null(value=False)
    nulls = timeline.filter(began_after_nothing, pl.col("t_from") > after_t).with_columns(
        pl.lit(None, timeline.schema["value"]).alias("value")
    )
    ended = timeline.filter(pl.col("t_to") > after_t, pl.col("t_to") < END)
    return pl.concat([ended, nulls]).select("e", pl.col("value").hash(VALUE_SEED))
