"""Reads the facts and timelines of one kind of entity in one bucket, once for all its contracts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property, partial
from itertools import chain

import polars as pl

from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.engine.contracts.as_of import EntityRanks, require_room
from logcache_assets.engine.contracts.column_groups import ColumnGroup, alike, group_columns, no_timeline
from logcache_assets.engine.contracts.column_timelines import (
    FactsOfCells,
    InstanceContext,
    Shown,
    first_values,
    typed_facts,
)
from logcache_assets.engine.contracts.columns import Column, Columns, primary_key
from logcache_assets.engine.contracts.integer_index import IntegerIndex
from logcache_assets.engine.contracts.referred import Behind, Referred
from logcache_assets.engine.contracts.wrong_values import refuse_keys, refuse_shown
from logcache_assets.engine.drivers.sending import Shared
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.facts.cells import Cells
from logcache_assets.engine.facts.datomic_schema import TX_INSTANT
from logcache_assets.engine.facts.instance_facts import NO_FACTS, InstanceFacts
from logcache_assets.engine.facts.timelines import keep_open
from logcache_assets.engine.facts.values import INSTANT
from logcache_assets.engine.storage.buckets import WHOLE, Bucket
from logcache_assets.engine.storage.schemas import END, TX_BASE


class InstanceReader(Shared):
    """Reads what the buckets of an instance share: its schema, the instants of its txes, what refs lead to.

    Args:
        facts: the instance's facts.
        context: its schema, and the key of personal data.
        after_t: history rows are complete only after this t. END: entity contracts only; retracted facts are never
            read.
        referred: what refs lead to; None if it is to be read of all buckets when it is asked for.
    """

    def __init__(
        self, facts: InstanceFacts, context: InstanceContext, *, after_t: int, referred: Referred | None = None
    ) -> None:
        self.facts, self.context, self.after_t, self._referred = facts, context, after_t, referred
        self._targets: dict[Behind, Shown] = {}

    def with_referred(self, referred: Referred) -> "InstanceReader":
        """A reader that finds in files what refs lead to."""
        return InstanceReader(self.facts, self.context, after_t=self.after_t, referred=referred)

    def read(
        self, attributes: Mapping[str, str], bucket: Bucket | None = None, *, whole: bool = False
    ) -> dict[str, pl.DataFrame]:
        """Read the facts of attributes, each into a frame of its own.

        Args:
            attributes: name → the type to read it as.
            bucket: the entities to read; all by default.
            whole: also facts retracted before after_t.

        Returns:
            Name → facts, also empty ones (fold.py); t_to is END while open, `asserted` the t of the assertion. No rows
            for an attribute that the schema lacks.
        """
        alike = [(value_type, [name]) for name, value_type in attributes.items()]
        found = {facts.cells.attributes[0]: facts.frame for facts in self.read_alike(alike, bucket, whole=whole)}
        return {name: found.get(name, self._close_at_end(NO_FACTS)) for name in attributes}

    def read_alike(
        self, alike: Sequence[tuple[str, Sequence[str]]], bucket: Bucket | None = None, *, whole: bool = False
    ) -> Iterator[FactsOfCells]:
        """Read the facts of attributes, small ones that are treated alike into one frame.

        Args:
            alike: types to read as, each with attributes that are treated alike; those that the schema lacks are left
                out.
            bucket: as for `read`.
            whole: as for `read`.
        """
        known = self.context.schema.attributes
        ids = [(value_type, [known[name].id for name in names if name in known]) for value_type, names in alike]
        names = {known[name].id: name for _, names in alike for name in names if name in known}
        after_t = 0 if whole and self.after_t < END else self.after_t
        for group in self.facts.together(ids, *(() if bucket is None else (bucket,)), after_t=after_t):
            yield FactsOfCells(group.cells.named(names), self._close_at_end(group.facts))

    def _close_at_end(self, facts: pl.DataFrame) -> pl.DataFrame:
        filled = facts.with_columns(pl.col("t_to").fill_null(END), asserted="t_from")
        return keep_open(filled) if self.after_t == END else filled

    def targets(self, column: Column, bucket: Bucket) -> Shown:
        """What the attribute shows that a column's ref leads to: of all that the bucket refers to, at least."""
        behind = (column.attribute.ref or "", column.attribute.pii)
        if self._referred is not None:
            nothing = FactsOfCells(Cells((behind[0],)), self._close_at_end(NO_FACTS))
            return self._referred.read(behind, bucket, self._shown_behind(behind, nothing))
        if behind not in self._targets:
            self._targets[behind] = self.read_behind(behind, WHOLE)
        return self._targets[behind]

    def read_behind(self, behind: Behind, bucket: Bucket) -> Shown:
        """What an attribute behind refs shows of a bucket's entities, never mind which column asks."""
        name, pii = behind
        known = self.context.schema.attributes.get(name)
        value_type = known.value_type if known and not pii else "string"
        facts = self.read({name: value_type}, bucket)[name]
        return self._shown_behind(behind, FactsOfCells(Cells((name,)), facts))

    def _shown_behind(self, behind: Behind, facts: FactsOfCells) -> Shown:
        name, pii = behind
        known = self.context.schema.attributes.get(name)
        chosen = first_values(name, facts.that_hold(), self.context)
        return typed_facts(chosen, known.value_type if known else "string", self.context, pii=pii)

    @cached_property
    def _instants(self) -> IntegerIndex:
        facts = self.facts.of({TX_INSTANT: "instant"}, after_t=END)[TX_INSTANT].unique("e")
        return IntegerIndex(facts["e"] - TX_BASE, facts["n"])

    def instants_of(self, ts: pl.Series) -> pl.Series:
        """The instant of the tx at each t; raises EngineError if one has none, because then the log is incomplete."""
        found = self._instants.of(ts)
        if found.null_count():
            t = ts.filter(found.is_null())[0]
            raise EngineError(
                f"{self.facts.instance.name}: the tx at t {t} has no :db/txInstant, so the log is not whole; "
                "check the segments around that t"
            )
        return found.cast(INSTANT)


class EntityReader:
    """Reads the entities of one kind in one bucket.

    Args:
        instance: reads the instance.
        bucket: the bucket.
        entity: the kind of entity, with the attributes to read.
        columns: the columns of the definition.
    """

    def __init__(self, instance: InstanceReader, bucket: Bucket, entity: ContractEntity, columns: Columns) -> None:
        self.instance, self.bucket, self.columns = instance, bucket, columns
        self.key = columns[primary_key(entity)]
        known, key = instance.context.schema.attributes, self.key.attribute.attribute
        asked = [columns[a] for a in entity.attributes if a.attribute != key]
        # A history row shows the last key, even if that was retracted long before.
        keys = instance.read_alike(alike([self.key], known), bucket, whole=True)
        others = instance.read_alike(alike(asked, known), bucket)
        self._groups = tuple(group_columns([self.key, *asked], chain(keys, others)))
        self._places = {
            column.attribute.attribute: (number, place)
            for number, group in enumerate(self._groups)
            for place, column in enumerate(group.columns)
        }

    def restricted_to(self, entities: pl.Series) -> "EntityReader":
        """A copy of this reader for these entities only."""
        restricted = copy(self)
        for name in ("shown_keys", "ranks", "placed_keys"):
            restricted.__dict__.pop(name, None)
        restricted._groups = tuple(group.restricted_to(entities) for group in self._groups)  # noqa: SLF001 - of its own class
        return restricted

    def groups_of(self, attributes: Iterable[ContractAttribute]) -> Iterator[tuple[ColumnGroup, list[int]]]:
        """The groups that have the columns of these attributes, each with their places in it, ascending.

        Attributes that the schema lacks are in no group.
        """
        found: dict[int, list[int]] = {}
        for attribute in attributes:
            if attribute.attribute in self._places:
                group, place = self._places[attribute.attribute]
                found.setdefault(group, []).append(place)
        yield from ((self._groups[number], sorted(places)) for number, places in found.items())

    def facts_of(self, attribute: ContractAttribute) -> pl.DataFrame:
        """The facts of an attribute, as InstanceReader.read gives them; empty if the schema lacks it."""
        for group, (place,) in self.groups_of([attribute]):
            return group.facts.cells.part(group.facts.frame, place)
        return NO_FACTS

    @cached_property
    def shown_keys(self) -> Shown:
        """What the primary key shows."""
        context, name = self.instance.context, self.key.attribute.attribute
        facts = FactsOfCells(Cells((name,)), self.facts_of(self.key.attribute))
        chosen = first_values(name, facts.that_hold(), context)
        return typed_facts(chosen, self.key.value_type or "string", context)

    @property
    def keys(self) -> pl.DataFrame:
        """The timeline of the primary key; null where its type cannot hold it."""
        return self.shown_keys.timeline

    @cached_property
    def placed_keys(self) -> pl.DataFrame:
        """The keys as intervals of moments, each with its rank among all keys in `place`, which is never null."""
        require_room(len(self.keys))
        place = pl.col("value").rank("dense").fill_null(0)
        return self.ranks.intervals_of(self.keys.with_columns(place=place))

    @cached_property
    def ranks(self) -> EntityRanks:
        """Ranks of the entities that have, or ever had, a primary key."""
        return EntityRanks(self.keys["e"])

    def shown_by(self, group: ColumnGroup) -> Shown:
        """What the cells of a group show, computed once."""
        return group.shown(self.instance.context, partial(self.instance.targets, bucket=self.bucket))

    def timeline_of(self, attribute: ContractAttribute) -> pl.DataFrame:
        """The timeline of an attribute's column."""
        for group, (place,) in self.groups_of([attribute]):
            return group.facts.cells.part(self.shown_by(group).timeline, place)
        return no_timeline(self.columns[attribute])

    def refuse_wrong_values(self, rows: pl.DataFrame, attributes: Iterable[ContractAttribute]) -> None:
        """Raise EngineError if a row shows a value that its column cannot hold.

        Args:
            rows: rows of one contract, with their entities.
            attributes: the attributes that they show beside the key.
        """
        name = self.instance.facts.instance.name
        for group, (place,) in (found for attribute in attributes for found in self.groups_of([attribute])):
            if len(wrong := self.shown_by(group).wrong):
                refuse_shown(rows, group.facts.cells.part(wrong.sort("e"), place), instance_name=name)
        if rows[self.key.name].null_count():
            keyless = rows.filter(pl.col(self.key.name).is_null())
            refuse_keys(keyless, self.shown_keys.wrong, instance_name=name)
