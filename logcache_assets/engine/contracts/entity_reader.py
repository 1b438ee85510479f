"""Reads the facts and timelines of one kind of entity in one bucket, once for all its contracts."""

from collections.abc import Iterable, Mapping
from copy import copy
from functools import cached_property, partial

import polars as pl

from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.engine.contracts.as_of import EntityRanks, require_room
from logcache_assets.engine.contracts.column_timelines import (
    InstanceContext,
    Shown,
    column_timeline,
    first_values,
    type_to_read,
    typed_facts,
)
from logcache_assets.engine.contracts.columns import Column, Columns, primary_key
from logcache_assets.engine.contracts.integer_index import IntegerIndex
from logcache_assets.engine.contracts.referred import Behind, Referred
from logcache_assets.engine.contracts.wrong_values import refuse_keys, refuse_shown
from logcache_assets.engine.drivers.sending import Shared
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.facts.datomic_schema import TX_INSTANT
from logcache_assets.engine.facts.fold import without_empty
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
        """Read the facts of attributes.

        Args:
            attributes: name → the type to read it as.
            bucket: the entities to read; all by default.
            whole: also facts retracted before after_t.

        Returns:
            Name → facts, also empty ones (fold.py); t_to is END while open, `asserted` the t of the assertion. No rows
            for an attribute that the schema lacks.
        """
        known = self.context.schema.attributes
        ids = {known[name].id: value_type for name, value_type in attributes.items() if name in known}
        after_t = 0 if whole and self.after_t < END else self.after_t
        found = self.facts.of(ids, *(() if bucket is None else (bucket,)), after_t=after_t)
        frames = {name: found[known[name].id] if name in known else NO_FACTS for name in attributes}
        return {name: self._close_at_end(frame) for name, frame in frames.items()}

    def _close_at_end(self, facts: pl.DataFrame) -> pl.DataFrame:
        filled = facts.with_columns(pl.col("t_to").fill_null(END), asserted="t_from")
        return keep_open(filled) if self.after_t == END else filled

    def targets(self, column: Column, bucket: Bucket) -> Shown:
        """What the attribute shows that a column's ref leads to: of all that the bucket refers to, at least."""
        behind = (column.attribute.ref or "", column.attribute.pii)
        if self._referred is not None:
            return self._referred.read(behind, bucket, self._shown_behind(behind, self._close_at_end(NO_FACTS)))
        if behind not in self._targets:
            self._targets[behind] = self.read_behind(behind, WHOLE)
        return self._targets[behind]

    def read_behind(self, behind: Behind, bucket: Bucket) -> Shown:
        """What an attribute behind refs shows of a bucket's entities, never mind which column asks."""
        name, pii = behind
        known = self.context.schema.attributes.get(name)
        value_type = known.value_type if known and not pii else "string"
        return self._shown_behind(behind, self.read({name: value_type}, bucket)[name])

    def _shown_behind(self, behind: Behind, facts: pl.DataFrame) -> Shown:
        name, pii = behind
        known = self.context.schema.attributes.get(name)
        chosen = first_values(name, without_empty(facts), self.context)
        return typed_facts(name, chosen, known.value_type if known else "string", self.context, pii=pii)

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
        known = instance.context.schema.attributes
        asked = [self.key.attribute, *entity.attributes]
        types = {a.attribute: type_to_read(a, known[a.attribute].value_type) for a in asked if a.attribute in known}
        key = {name: types.pop(name) for name in (entity.primary_key,) if name in types}
        # A history row shows the last key, even if that was retracted long before.
        self._facts = instance.read(types, bucket) | instance.read(key, bucket, whole=True)
        self._shown: dict[ContractAttribute, Shown] = {}

    def restricted_to(self, entities: pl.Series) -> "EntityReader":
        """A copy of this reader for these entities only."""
        restricted, wanted = copy(self), entities.implode()
        for name in ("shown_keys", "ranks", "placed_keys"):
            restricted.__dict__.pop(name, None)
        restricted._facts = {name: facts.filter(pl.col("e").is_in(wanted)) for name, facts in self._facts.items()}  # noqa: SLF001 - of its own class
        restricted._shown = {}  # noqa: SLF001
        return restricted

    def facts_of(self, attribute: ContractAttribute) -> pl.DataFrame:
        """The facts of an attribute, as InstanceReader.read gives them; empty if the schema lacks it."""
        return self._facts.get(attribute.attribute, NO_FACTS)

    @cached_property
    def shown_keys(self) -> Shown:
        """What the primary key shows."""
        context, name = self.instance.context, self.key.attribute.attribute
        facts = first_values(name, without_empty(self.facts_of(self.key.attribute)), context)
        return typed_facts(name, facts, self.key.value_type or "string", context)

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

    def timeline_of(self, attribute: ContractAttribute) -> pl.DataFrame:
        """The timeline of an attribute's column, computed once."""
        return self._show(attribute).timeline

    def _show(self, attribute: ContractAttribute) -> Shown:
        if attribute not in self._shown:
            facts, column = without_empty(self.facts_of(attribute)), self.columns[attribute]
            targets = partial(self.instance.targets, bucket=self.bucket)
            self._shown[attribute] = column_timeline(column, facts, self.instance.context, targets)
        return self._shown[attribute]

    def refuse_wrong_values(self, rows: pl.DataFrame, attributes: Iterable[ContractAttribute]) -> None:
        """Raise EngineError if a row shows a value that its column cannot hold.

        Args:
            rows: rows of one contract, with their entities.
            attributes: the attributes that they show beside the key.
        """
        name = self.instance.facts.instance.name
        for attribute in attributes:
            if len(wrong := self._show(attribute).wrong):
                refuse_shown(rows, wrong, instance_name=name)
        if rows[self.key.name].null_count():
            keyless = rows.filter(pl.col(self.key.name).is_null())
            refuse_keys(keyless, self.shown_keys.wrong, instance_name=name)
