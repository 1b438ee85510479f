"""The values of a contract's rows: polars expressions, and whole columns by group."""

from collections.abc import Callable, Iterable, Sequence

import polars as pl

from logcache_assets.domain.contract_entities import ContractAttribute
from logcache_assets.engine.contracts.as_of import MAX_ENTITIES
from logcache_assets.engine.contracts.column_groups import ColumnGroup
from logcache_assets.engine.contracts.columns import Column
from logcache_assets.engine.contracts.entity_reader import EntityReader

CELLS_AT_ONCE = 262_144
"""About how many cells of several columns are computed at once; memory grows with them."""

ValuesAt = Callable[[ColumnGroup, Sequence[int]], pl.Series]
"""The values of all rows in the columns at some places of a group, one column after the other."""


def typed_value(column: Column) -> pl.Expr:
    """The `value` of a timeline, with the type and name of its column."""
    return pl.col("value").cast(column.dtype).alias(column.name)


def prototype_of(reader: EntityReader) -> pl.Expr:
    """The prototype of the instance that is read."""
    return pl.lit(reader.instance.facts.instance.prototype)


def fill_columns(
    reader: EntityReader,
    attributes: Sequence[ContractAttribute],
    values_at: ValuesAt,
    *,
    rows: int,
    most: int = MAX_ENTITIES,
) -> list[pl.Series]:
    """The column of each attribute, in order; the arguments are those of values_of."""
    found = values_of(reader, attributes, values_at, rows=rows, most=most)
    columns = [reader.columns[attribute] for attribute in attributes]
    return [found[c.name] if c.name in found else repeated(None, c.dtype, rows).alias(c.name) for c in columns]


def values_of(
    reader: EntityReader,
    attributes: Iterable[ContractAttribute],
    values_at: ValuesAt,
    *,
    rows: int,
    most: int = MAX_ENTITIES,
) -> dict[str, pl.Series]:
    """Values of each row by column, without the columns whose attribute the schema lacks.

    Args:
        reader: reads the entities.
        attributes: the attributes.
        values_at: computes the columns of a group.
        rows: how many rows there are.
        most: for how many places of a group it may be asked at once.
    """
    at_once, found = min(most, max(1, CELLS_AT_ONCE // max(1, rows))), dict[str, pl.Series]()
    for group, places in reader.groups_of(attributes):
        for begin in range(0, len(places), at_once):
            some = places[begin : begin + at_once]
            values, names = values_at(group, some), (group.columns[place].name for place in some)
            found |= {name: values.slice(n * rows, rows).alias(name) for n, name in enumerate(names)}
    return found


def repeated(value: object, dtype: pl.DataType, rows: int) -> pl.Series:
    """A column that has one value in all rows."""
    return pl.Series([value], dtype=dtype).new_from_index(0, rows)
