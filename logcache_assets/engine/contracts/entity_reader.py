"""One kind of entity of one bucket: its facts and timelines, read once for all its contracts."""

from collections.abc import Mapping
from copy import copy
from functools import cached_property

import polars as pl

from logcache_assets.domain.definitions import ContractAttribute, ContractEntity
from logcache_assets.engine.contracts.as_of import EntityRanks, require_room
from logcache_assets.engine.contracts.column_timelines import (
    InstanceContext,
    column_timeline,
    type_to_read,
    typed_facts,
)
from logcache_assets.engine.contracts.columns import Column, Columns, primary_key
from logcache_assets.engine.contracts.integer_index import IntegerIndex
from logcache_assets.engine.errors import EngineError
from logcache_assets.engine.facts.datomic_schema import TX_INSTANT
from logcache_assets.engine.facts.instance_facts import NO_FACTS, InstanceFacts
from logcache_assets.engine.facts.timelines import keep_open, one_valued
from logcache_assets.engine.facts.values import INSTANT
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.schemas import END, TX_BASE


class InstanceReader:
    """What the buckets of an instance share: its schema, the instants of its txes, what refs lead to.

    Args:
        facts: of the instance.
        setting: its schema, and the key of personal data.
        after_t: rows of histories are complete after that t only; END is for entity contracts alone, which ask nothing
            of what was retracted.
    """

    def __init__(self, facts: InstanceFacts, setting: InstanceContext, *, after_t: int) -> None:
        self.facts, self.setting, self.after_t = facts, setting, after_t
        self._targets: dict[tuple[str, bool], pl.DataFrame] = {}

    def read(
        self, attributes: Mapping[str, str], bucket: Bucket | None = None, *, whole: bool = False
    ) -> dict[str, pl.DataFrame]:
        """The facts of attributes by name, with END where open; none of an attribute that the schema lacks.

        Args:
            attributes: name → the type to read it as.
            bucket: which entities; all by default.
            whole: also what was retracted before after_t.
        """
        known = self.setting.schema.attributes
        ids = {known[name].id: value_type for name, value_type in attributes.items() if name in known}
        after_t = 0 if whole and self.after_t < END else self.after_t
        found = self.facts.of(ids, *(() if bucket is None else (bucket,)), after_t=after_t)
        frames = {name: found[known[name].id] if name in known else NO_FACTS for name in attributes}
        return {name: self._filled(frame) for name, frame in frames.items()}

    def _filled(self, facts: pl.DataFrame) -> pl.DataFrame:
        filled = facts.with_columns(pl.col("t_to").fill_null(END))
        return keep_open(filled) if self.after_t == END else filled

    def targets(self, column: Column) -> pl.DataFrame:
        """The timeline of what a column's ref leads to, over all buckets: a ref leads anywhere."""
        name = column.attribute.ref or ""
        asked = (name, column.attribute.pii)
        if asked not in self._targets:
            own = self.setting.schema.attributes.get(name)
            read_as = "string" if column.attribute.pii or own is None else own.value_type
            self._targets[asked] = one_valued(typed_facts(column, name, self.read({name: read_as})[name], self.setting))
        return self._targets[asked]

    @cached_property
    def _instants(self) -> IntegerIndex:
        facts = self.facts.of({TX_INSTANT: "instant"}, after_t=END)[TX_INSTANT].unique("e")
        return IntegerIndex(facts["e"] - TX_BASE, facts["n"])

    def instants_of(self, ts: pl.Series) -> pl.Series:
        """The instant of the tx at each t; a tx without one proves that the log is not whole."""
        found = self._instants.of(ts)
        if found.null_count():
            t = ts.filter(found.is_null())[0]
            raise EngineError(
                f"{self.facts.instance.name}: the tx at t {t} has no :db/txInstant, so the log is not whole; "
                "check the segments around that t"
            )
        return found.cast(INSTANT)


class EntityReader:
    """The entities of one kind in one bucket.

    Args:
        instance: of the instance.
        bucket: which entities.
        entity: which kind, with the attributes to read.
        columns: of the definition.
    """

    def __init__(self, instance: InstanceReader, bucket: Bucket, entity: ContractEntity, columns: Columns) -> None:
        self.instance, self.bucket, self.columns = instance, bucket, columns
        self.key = columns[primary_key(entity)]
        known = instance.setting.schema.attributes
        asked = [self.key.attribute, *entity.attributes]
        types = {a.attribute: type_to_read(a, known[a.attribute].value_type) for a in asked if a.attribute in known}
        key = {name: types.pop(name) for name in (entity.primary_key,) if name in types}
        # A row of a history shows the last key even if that was retracted long before.
        self._facts = instance.read(types, bucket) | instance.read(key, bucket, whole=True)
        self._timelines: dict[ContractAttribute, pl.DataFrame] = {}

    def restricted_to(self, entities: pl.Series) -> "EntityReader":
        """The same with these entities only."""
        restricted, wanted = copy(self), entities.implode()
        for name in ("keys", "ranks", "placed_keys"):
            restricted.__dict__.pop(name, None)
        restricted._facts = {name: facts.filter(pl.col("e").is_in(wanted)) for name, facts in self._facts.items()}  # noqa: SLF001 - of its own class
        restricted._timelines = {}  # noqa: SLF001
        return restricted

    def facts_of(self, attribute: ContractAttribute) -> pl.DataFrame:
        """The facts of an attribute."""
        return self._facts.get(attribute.attribute, NO_FACTS)

    @cached_property
    def keys(self) -> pl.DataFrame:
        """The timeline of the primary key."""
        setting = self.instance.setting
        return one_valued(
            typed_facts(self.key, self.key.attribute.attribute, self.facts_of(self.key.attribute), setting)
        )

    @cached_property
    def placed_keys(self) -> pl.DataFrame:
        """The keys as intervals of moments, each with its `place` in the order of all."""
        require_room(len(self.keys))
        return self.ranks.intervals_of(self.keys.with_columns(place=pl.col("value").rank("dense")))

    @cached_property
    def ranks(self) -> EntityRanks:
        """The entities that have, or ever had, a primary key."""
        return EntityRanks(self.keys["e"])

    def timeline_of(self, attribute: ContractAttribute) -> pl.DataFrame:
        """The timeline of a column."""
        if attribute not in self._timelines:
            self._timelines[attribute] = column_timeline(
                self.columns[attribute], self.facts_of(attribute), self.instance.setting, self.instance.targets
            )
        return self._timelines[attribute]
