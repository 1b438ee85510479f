"""Finds the entities whose rows may differ from yesterday's, with the causes, and what these entities refer to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from msgspec.structs import replace
from typing_extensions import override

from logcache_assets.domain.contract_definitions import IDENT_REF, ContractTable
from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.engine.compare.digests import ComparedColumns
from logcache_assets.engine.contracts.column_timelines import InstanceContext
from logcache_assets.engine.contracts.columns import Columns
from logcache_assets.engine.contracts.entity_reader import EntityReader, InstanceReader
from logcache_assets.engine.contracts.referral_tasks import AskedRefs, find_referred, find_refs
from logcache_assets.engine.contracts.referred import Referred
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.explain.causes import BITS, REFERRED, RENAMED, TOUCHED, EntityCauses
from logcache_assets.engine.explain.joined_columns import WHY_BITS, WHY_T
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.storage.buckets import WHOLE, Bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """Finds the entities of one instance whose rows may differ, in one bucket at a time."""

    facts: InstanceFacts
    context: InstanceContext
    after_t: int
    """Yesterday's t."""
    tables: tuple[ContractTable, ...]
    columns: Columns
    causes: Mapping[str, EntityCauses]
    """Entity's name → its causes."""
    compared_columns: Mapping[str, ComparedColumns]
    """Dataset → its compared columns."""
    shared: pl.DataFrame | None = None
    """Keys of the one table, in the types of its comparison, that several entities may have: all their rows are
    recorded, also without a cause, and of histories also those up to after_t."""

    def reader(self, *, whole: bool, referred: Referred | None = None) -> InstanceReader:
        """Reads the instance, with facts that ended before after_t or without them."""
        return InstanceReader(self.facts, self.context, after_t=0 if whole else self.after_t, referred=referred)

    def is_whole(self, entity: ContractEntity) -> bool:
        """Whether facts that ended before after_t count, too."""
        return self.causes[entity.name].whole or self.shared is not None

    def tables_read(self, *, whole: bool) -> tuple[ContractTable, ...]:
        """The tables for which facts that ended before after_t count, or the others."""
        return tuple(table for table in self.tables if self.is_whole(table.entity) is whole)

    def touched(self, bucket: Bucket) -> pl.DataFrame:
        """Columns e, why_t: entities that datoms after after_t touch, and the last t at which they do."""
        return self.facts.datoms.touched(bucket, after_t=self.after_t).rename({"t": "why_t"})

    def find(self, reader: EntityReader, entity: ContractEntity, touched: pl.DataFrame) -> pl.DataFrame:
        """Columns e, WHY_T, WHY_BITS: entities whose rows may differ, the last t that touched them, bits of causes.

        Args:
            reader: reads the entities of a bucket; it needs their keys and their telling refs alone.
            entity: their kind.
            touched: the entities of the bucket that later datoms touch.
        """
        causes = self.causes[entity.name]
        shares = [touched.select("e", "why_t", why=bits_of(TOUCHED))]
        shares += [self._find_referring(reader, attribute, causes) for attribute in self.telling_refs(entity)]
        if causes.everywhere:
            every = reader.ranks.entities.to_frame("e")
            shares.append(every.select("e", why_t=pl.lit(None, pl.Int64), why=bits_of(causes.bits())))
        if self.shared is not None:
            shares.append(self._find_sharing(reader, self.shared))
        combined = [(pl.col("why") & bit).max().alias(str(bit)) for bit in BITS.values()]
        found = pl.concat(shares).group_by("e").agg(*combined, pl.col("why_t").max())
        bits = pl.sum_horizontal(str(bit) for bit in BITS.values()).cast(pl.UInt8)
        return found.select("e", pl.col("why_t").alias(WHY_T), bits.alias(WHY_BITS))

    def telling_refs(self, entity: ContractEntity) -> tuple[ContractAttribute, ...]:
        """The refs that may lead to something that changed."""
        idents = self.causes[entity.name].idents
        refs = (attribute for attribute in entity.attributes if attribute.ref is not None)
        return tuple(a for a in refs if a.ref != IDENT_REF or len(idents[a.column]))

    def _find_referring(self, reader: EntityReader, attribute: ContractAttribute, causes: EntityCauses) -> pl.DataFrame:
        """The entities whose ref leads to something that changed."""
        is_ident = attribute.ref == IDENT_REF
        targets = causes.idents[attribute.column].to_frame("n") if is_ident else self._changed_targets(attribute)
        refs = reader.facts_of(attribute).join(targets, on="n")
        t = pl.lit(None, pl.Int64) if is_ident else pl.col("why_t")
        return refs.select("e", why_t=t, why=bits_of(RENAMED if is_ident else REFERRED))

    def _changed_targets(self, attribute: ContractAttribute) -> pl.DataFrame:
        """Columns n, why_t: entities of any bucket whose attribute behind the ref has datoms after after_t."""
        shown = self.context.schema.attributes.get(attribute.ref or "")
        if shown is None:
            return pl.DataFrame(schema={"n": pl.Int64(), "why_t": pl.Int64()})
        changed = self.facts.datoms.touched(WHOLE, after_t=self.after_t, attribute=shown.id)
        return changed.rename({"e": "n", "t": "why_t"})

    def _find_sharing(self, reader: EntityReader, shared: pl.DataFrame) -> pl.DataFrame:
        """Entities that ever had one of these keys; that alone changes no row."""
        (table,) = {table.dataset for table in self.tables}
        columns = self.compared_columns[table]
        name = columns.key[0]
        held = reader.keys.select("e", pl.col("value").cast(reader.key.dtype).alias(name))
        keys = columns.to_common(held).select(name).with_columns(held["e"])
        sharing = keys.join(shared.select(name).unique(), on=name, how="semi").select("e").unique()
        return sharing.with_columns(why_t=pl.lit(None, pl.Int64), why=bits_of(0))


@dataclass(frozen=True, slots=True)
class RefsOfAffected(AskedRefs):
    """The refs of the affected entities of some tables."""

    affected: Affected
    tables: tuple[ContractTable, ...]

    @override
    def read(self, reader: InstanceReader, names: Collection[str], bucket: Bucket) -> dict[str, pl.DataFrame]:
        touched = self.affected.touched(bucket)
        found: dict[str, list[pl.DataFrame]] = {}
        for entity in {table.entity.name: table.entity for table in self.tables}.values():
            telling = self.affected.telling_refs(entity)
            every = EntityReader(reader, bucket, replace(entity, attributes=telling), self.affected.columns)
            own = every.restricted_to(self.affected.find(every, entity, touched)["e"])
            for attribute in telling:
                if attribute.attribute in names:
                    found.setdefault(attribute.attribute, []).append(own.facts_of(attribute).select("n"))
        return {name: pl.concat(frames) for name, frames in found.items()}


def follow_refs_of(affected: Sequence[Affected], driver: Driver, place: Folder, *, whole: bool) -> dict[str, Referred]:
    """Find what the affected entities of several instances refer to.

    Args:
        affected: one per instance.
        driver: runs the tasks.
        place: an empty folder for what is found.
        whole: for the tables for which facts that ended before after_t count, or for the others.

    Returns:
        Name of an instance of several buckets → what its affected entities refer to.
    """
    tables = {a.facts.instance.name: a.tables_read(whole=whole) for a in affected}
    own = [a for a in affected if tables[a.facts.instance.name]]
    asked = {a.facts.instance.name: RefsOfAffected(a, tables[a.facts.instance.name]) for a in own}
    refs = find_refs(table for its_tables in tables.values() for table in its_tables)
    return find_referred([a.reader(whole=whole) for a in own], refs, asked, driver, place)


def bits_of(bits: int) -> pl.Expr:
    """The bits of causes, as a column."""
    return pl.lit(bits, pl.UInt8)
