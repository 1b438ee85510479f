"""The facts of one instance at the build's t: its materialized entities with the later datoms applied.

Each query reads only the attributes and the bucket it asks for. Spark can send an InstanceFacts to another process once
its datoms are spilled to files.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.engine.facts.cells import Cells, number_cells, share_frames
from logcache_assets.engine.facts.datomic_schema import NAMING, DatomicSchema, read_schema
from logcache_assets.engine.facts.facts_files import FactsFolder
from logcache_assets.engine.facts.fold import CHANGES, FACTS, continue_facts
from logcache_assets.engine.facts.values import INTEGER_TYPES, parse_integers
from logcache_assets.engine.log.cache_error import refusing_damage
from logcache_assets.engine.log.datoms import Datoms, by_attribute
from logcache_assets.engine.storage.buckets import WHOLE, Bucket
from logcache_assets.engine.storage.schemas import END, FACTS_ORDER, FACTS_SCHEMA
from logcache_assets.ports import ObjectStore

NO_FACTS = pl.DataFrame(schema={name: FACTS_SCHEMA[name] for name in FACTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedFacts:
    """The materialized entities that an entry of the map points to."""

    entry: MapEntry
    folder: FactsFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class FactGroup:
    """The facts of attributes that are treated alike."""

    cells: Cells[int]
    """The cells of attributes, given by their ids."""
    facts: pl.DataFrame
    """Columns of fold.FACTS, sorted by e, which is a number of `cells`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFacts:
    """Reads the facts of one instance by attribute and bucket."""

    instance: Instance
    cached: CachedFacts | None
    datoms: Datoms
    """The datoms after the cache, up to the build's t."""
    buckets: int
    store: ObjectStore

    def all_buckets(self) -> Iterator[Bucket]:
        """Every bucket of this instance, in order."""
        return (Bucket(number, self.buckets) for number in range(self.buckets))

    def of(self, types: Mapping[int, str], bucket: Bucket = WHOLE, *, after_t: int = 0) -> dict[int, pl.DataFrame]:
        """Read the facts of some attributes.

        Args:
            types: attribute id → its value type.
            bucket: the entities to read.
            after_t: leave out facts retracted at or before this t; END leaves only open facts.

        Returns:
            Attribute id → its facts, sorted by e; columns of fold.FACTS.
        """
        groups = self.together([(value_type, [a]) for a, value_type in types.items()], bucket, after_t=after_t)
        return {group.cells.attributes[0]: group.facts for group in groups}

    def together(
        self, alike: Iterable[tuple[str, Sequence[int]]], bucket: Bucket = WHOLE, *, after_t: int = 0
    ) -> Iterator[FactGroup]:
        """Read the facts of some attributes, those of small ones that are alike in one frame.

        Args:
            alike: value types, each with ids of attributes.
            bucket: the entities to read.
            after_t: leave out facts retracted at or before this t; END leaves only open facts.
        """
        asked = [(value_type, ids) for value_type, ids in alike if ids]
        integers = {a: value_type in INTEGER_TYPES for value_type, ids in asked for a in ids}
        cached, changes = self._read_cached(integers, bucket, after_t=after_t), self.datoms.of(integers, bucket)
        rows = {a: len(cached.get(a, ())) + len(changes.get(a, ())) for a in integers}
        for value_type, ids in asked:
            for attributes in share_frames(ids, rows):
                yield _fold_together(attributes, cached, changes, value_type, after_t=after_t)

    def _read_cached(self, integers: Mapping[int, bool], bucket: Bucket, *, after_t: int) -> dict[int, pl.DataFrame]:
        if self.cached is None:
            return {}
        with refusing_damage(self.instance, self.cached.entry):
            only_open = after_t >= self.cached.folder.end
            return self.cached.folder.read_values(integers, bucket, self.store, only_open=only_open)

    def count_open(self, attributes: Collection[int]) -> tuple[int, ...]:
        """How many facts of some attributes are read for the open ones, by bucket of the cache; of later datoms all."""
        if self.cached is None:
            return (self.datoms.count,)
        folder = self.cached.folder
        with refusing_damage(self.instance, self.cached.entry):
            cached = folder.count_values(attributes, self.store, only_open=True)
        return tuple(facts + -(-self.datoms.count // folder.buckets) for facts in cached)

    def times(self, bucket: Bucket = WHOLE, *, after_t: int = 0) -> pl.DataFrame:
        """Columns e, t: each t after after_t with a datom of an entity of the bucket; may repeat, unordered."""
        datoms = self.datoms.every(bucket).select("e", "t")
        if after_t:
            datoms = datoms.filter(pl.col("t") > after_t)
        if self.cached is None or after_t >= self.cached.folder.end:
            return datoms
        with refusing_damage(self.instance, self.cached.entry):
            cached = self.cached.folder.read_times(bucket, self.store)
        return pl.concat([cached.filter(pl.col("t") > after_t) if after_t else cached, datoms])

    def read_schema(self, *, at_t: int = END) -> DatomicSchema:
        """The schema as of at_t, by default the build's t."""
        naming = self.of(dict.fromkeys(NAMING, "string"), after_t=at_t)
        return read_schema({a: facts.filter(pl.col("t_from") <= at_t) for a, facts in naming.items()})

    def every(self, schema: DatomicSchema, bucket: Bucket = WHOLE) -> pl.DataFrame:
        """All facts of a bucket, with texts; columns of FACTS_SCHEMA, sorted by FACTS_ORDER."""
        cached = by_attribute(self._read_every_cached(bucket))
        changes = by_attribute(self.datoms.every(bucket))
        parts = [
            _fold_attribute(cached.get(a), changes.get(a), a, schema.types.get(a)) for a in sorted({*cached, *changes})
        ]
        return pl.concat(parts) if parts else FACTS_SCHEMA.to_frame()

    def _read_every_cached(self, bucket: Bucket) -> pl.DataFrame:
        if self.cached is None:
            return FACTS_SCHEMA.to_frame()
        with refusing_damage(self.instance, self.cached.entry):
            return self.cached.folder.read_facts(bucket, self.store)


def _fold_together(
    attributes: tuple[int, ...],
    cached: Mapping[int, pl.DataFrame],
    changes: Mapping[int, pl.DataFrame],
    value_type: str,
    *,
    after_t: int,
) -> FactGroup:
    cells = number_cells(attributes, (cached, changes))
    own = {a: changes[a] for a in attributes if a in changes}
    facts = cells.merge({a: cached.get(a, NO_FACTS) for a in attributes})
    folded = _apply_changes(facts, cells.merge(own) if own else None, value_type)
    if after_t:
        folded = folded.filter(pl.col("t_to").is_null() | (pl.col("t_to") > after_t))
    return FactGroup(cells=cells, facts=folded)


def _apply_changes(facts: pl.DataFrame, changes: pl.DataFrame | None, value_type: str) -> pl.DataFrame:
    if changes is None:
        return facts
    return continue_facts(facts, typed_changes(changes, value_type))


def _fold_attribute(
    cached: pl.DataFrame | None, changes: pl.DataFrame | None, a: int, value_type: str | None
) -> pl.DataFrame:
    """All facts of one attribute, folded by text, with `n` filled in afterwards if the type is an integer's."""
    facts = NO_FACTS if cached is None else _without_integers(cached).select(FACTS).sort("e", "t_from")
    folded = _apply_changes(facts, changes, "string")
    integer = parse_integers(folded["v"], value_type or "") if value_type in INTEGER_TYPES else folded["n"]
    complete = folded.with_columns(integer.alias("n"), a=pl.lit(a, pl.Int64))
    return complete.select(FACTS_SCHEMA.names()).sort(FACTS_ORDER)


def _without_integers(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(n=pl.lit(None, pl.Int64))


def typed_changes(datoms: pl.DataFrame, value_type: str) -> pl.DataFrame:
    """Datoms of one attribute with columns CHANGES: the value in `n` if its type is an integer's, otherwise in `v`."""
    if value_type not in INTEGER_TYPES:
        return _without_integers(datoms).select(CHANGES)
    integer = parse_integers(datoms["v"], value_type).alias("n")
    text = pl.when(integer.is_null()).then("v").alias("v")
    return datoms.select("e", text, integer, "t", "added")
