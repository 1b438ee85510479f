"""Groups of columns that are computed at once: they are treated alike, and their facts are few.

A contract of a thousand columns has a few dozen kinds of them. What is asked of polars grows with these, not with the
columns.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from logcache_assets.engine.contracts.column_timelines import (
    FactsOfCells,
    InstanceContext,
    Shown,
    Targets,
    column_timeline,
    type_to_read,
)
from logcache_assets.engine.contracts.columns import Column
from logcache_assets.engine.facts.datomic_schema import Attribute
from logcache_assets.engine.facts.timelines import INTERVAL
from logcache_assets.engine.storage.schemas import FACTS_SCHEMA


@dataclass(slots=True, kw_only=True)
class ColumnGroup:
    """Columns that are treated alike, with the facts of their attributes."""

    columns: tuple[Column, ...]
    """In the order of the attributes of `facts.cells`."""
    facts: FactsOfCells
    _shown: Shown | None = field(default=None, init=False)

    @property
    def dtype(self) -> pl.DataType:
        """The type of all the columns."""
        return self.columns[0].dtype

    def shown(self, context: InstanceContext, targets: Targets) -> Shown:
        """What the cells show, computed once."""
        if self._shown is None:
            self._shown = column_timeline(self.columns[0], self.facts.that_hold(), context, targets)
        return self._shown

    def restricted_to(self, entities: pl.Series) -> "ColumnGroup":
        """The group with the facts of these entities only."""
        facts = self.facts
        wanted = facts.cells.entities_of(facts.frame["e"]).is_in(entities.implode())
        return replace(self, facts=FactsOfCells(facts.cells, facts.frame.filter(wanted)))


def alike(columns: Iterable[Column], known: Mapping[str, Attribute]) -> list[tuple[str, list[str]]]:
    """The names of attributes that are treated alike, each list with the type to read them as.

    Args:
        columns: the columns.
        known: the attributes that the schema has; others are left out.
    """
    found: dict[tuple[object, ...], tuple[str, list[str]]] = {}
    for column in columns:
        own, asked = known.get(column.attribute.attribute), column.attribute
        if own is not None:
            treatment = (own.value_type, column.value_type, column.many, asked.ref, asked.pii)
            found.setdefault(treatment, (type_to_read(asked, own.value_type), []))[1].append(asked.attribute)
    return list(found.values())


def group_columns(columns: Iterable[Column], read: Iterable[FactsOfCells]) -> Iterator[ColumnGroup]:
    """The groups of some columns, whose facts were read as `alike` says."""
    by_name = {column.attribute.attribute: column for column in columns}
    for facts in read:
        yield ColumnGroup(columns=tuple(by_name[name] for name in facts.cells.attributes), facts=facts)


def no_timeline(column: Column) -> pl.DataFrame:
    """The timeline of a column whose attribute has no facts."""
    return pl.DataFrame(schema={**dict.fromkeys(INTERVAL, FACTS_SCHEMA["e"]), "value": column.dtype})
