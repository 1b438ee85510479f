"""Computes the rows that a contract must show today, according to the log, of every entity that may have changed.

Only datoms after yesterday's t change rows. So the rows of entities that they touch, directly or through a ref, are
computed from the facts at yesterday's t and these datoms; of histories, only the rows after that t. A name, a
definition or an excision may change more; then the rows of every entity it reaches are computed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from logcache_assets.domain.contract_definitions import IDENT_REF, ContractTable
from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_assets.engine.compare.digests import ComparedColumns, key_hash
from logcache_assets.engine.contracts.column_timelines import InstanceContext
from logcache_assets.engine.contracts.columns import Columns
from logcache_assets.engine.contracts.compute import compute_rows
from logcache_assets.engine.contracts.entity_reader import EntityReader, InstanceReader
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.explain.causes import (
    BITS,
    REFERRED,
    RENAMED,
    TOUCHED,
    EntityCauses,
)
from logcache_assets.engine.explain.joined_columns import (
    EARLIER,
    ENTITY,
    HELD,
    MOVED,
    PRESENT,
    VALUE_SEED,
    WHY,
    WHY_BITS,
    WHY_T,
)
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.storage.buckets import WHOLE, Bucket
from logcache_assets.engine.storage.schemas import END
from logcache_assets.engine.storage.shards import Shard, put_shards


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The rows of one contract computed from one bucket of the log, by bucket of the comparison."""

    dataset: str
    shards: tuple[Shard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTask:
    """Computes the recorded rows of all contracts, for one bucket of one instance."""

    facts: InstanceFacts
    context: InstanceContext
    bucket: Bucket
    after_t: int
    tables: tuple[ContractTable, ...]
    columns: Columns
    causes: Mapping[str, EntityCauses]
    """Entity's name → its causes."""
    compared_columns: Mapping[str, ComparedColumns]
    """Dataset → its compared columns."""
    buckets: Mapping[str, int]
    """Dataset → number of buckets of its comparison."""
    folder: Folder | None
    """Where shards are written; None keeps them in memory."""
    keyless: bool
    """Whether the deployment's key is missing, and personal data is hashed with another one."""
    shared: pl.DataFrame | None = None
    """Keys of the one table, in the types of its comparison, that several entities may have: all their rows are
    recorded, also without a cause, and of histories also those up to after_t."""

    def run(self) -> tuple[Recorded, ...]:
        """The recorded rows of each contract that has any."""
        return tuple(recorded for recorded in self._record_all() if recorded.shards)

    def _record_all(self) -> Iterator[Recorded]:
        touched = self._find_touched(self.bucket)
        readers = {
            whole: InstanceReader(self.facts, self.context, after_t=0 if whole else self.after_t)
            for whole in (False, True)
        }
        for entity, tables in groupby(self.tables, key=lambda table: table.entity):
            causes = self.causes[entity.name]
            whole = EntityReader(readers[causes.whole or self.shared is not None], self.bucket, entity, self.columns)
            affected = self._find_affected(whole, entity, causes, touched)
            reader = whole.restricted_to(affected["e"])
            for table in tables:
                yield self._record(table, reader, affected, causes)

    def _find_touched(self, bucket: Bucket) -> pl.DataFrame:
        """Columns e, why_t: entities that datoms after after_t touch, and the last t at which they do."""
        datoms = self.facts.datoms.every(bucket).filter(pl.col("t") > self.after_t)
        return datoms.group_by("e").agg(why_t=pl.col("t").max())

    def _find_affected(
        self, reader: EntityReader, entity: ContractEntity, causes: EntityCauses, touched: pl.DataFrame
    ) -> pl.DataFrame:
        """Columns e, WHY_T, WHY_BITS: entities whose rows may differ, the last t that touched them, bits of causes."""
        shares = [touched.select("e", "why_t", why=_bit(TOUCHED))]
        for attribute in entity.attributes:
            if attribute.ref is None:
                continue
            is_ident = attribute.ref == IDENT_REF
            targets = causes.idents[attribute.column].to_frame("n") if is_ident else self._changed_targets(attribute)
            refs = reader.facts_of(attribute).join(targets, on="n")
            t = pl.lit(None, pl.Int64) if is_ident else pl.col("why_t")
            shares.append(refs.select("e", why_t=t, why=_bit(RENAMED if is_ident else REFERRED)))
        if causes.everywhere:
            every = reader.ranks.entities.to_frame("e")
            shares.append(every.select("e", why_t=pl.lit(None, pl.Int64), why=_bit(causes.bits())))
        if self.shared is not None:
            shares.append(self._find_sharing(reader, self.shared))
        combined = [(pl.col("why") & bit).max().alias(str(bit)) for bit in BITS.values()]
        found = pl.concat(shares).group_by("e").agg(*combined, pl.col("why_t").max())
        bits = pl.sum_horizontal(str(bit) for bit in BITS.values()).cast(pl.UInt8)
        return found.select("e", pl.col("why_t").alias(WHY_T), bits.alias(WHY_BITS))

    def _find_sharing(self, reader: EntityReader, shared: pl.DataFrame) -> pl.DataFrame:
        """Entities that ever had one of these keys; that alone changes no row."""
        (table,) = {table.dataset for table in self.tables}
        columns = self.compared_columns[table]
        name = columns.key[0]
        held = reader.keys.select("e", pl.col("value").cast(reader.key.dtype).alias(name))
        keys = columns.to_common(held).select(name).with_columns(held["e"])
        sharing = keys.join(shared.select(name).unique(), on=name, how="semi").select("e").unique()
        return sharing.with_columns(why_t=pl.lit(None, pl.Int64), why=_bit(0))

    def _changed_targets(self, attribute: ContractAttribute) -> pl.DataFrame:
        """Columns n, why_t: entities of any bucket whose attribute behind the ref has datoms after after_t."""
        shown = self.context.schema.attributes.get(attribute.ref or "")
        if shown is None:
            return pl.DataFrame(schema={"n": pl.Int64(), "why_t": pl.Int64()})
        datoms = self.facts.datoms.of([shown.id], WHOLE).get(shown.id)
        if datoms is None:
            return pl.DataFrame(schema={"n": pl.Int64(), "why_t": pl.Int64()})
        newer = datoms.filter(pl.col("t") > self.after_t)
        return newer.group_by(n="e").agg(why_t=pl.col("t").max())

    def _record(
        self, table: ContractTable, reader: EntityReader, affected: pl.DataFrame, causes: EntityCauses
    ) -> Recorded:
        columns = self.compared_columns[table.dataset]
        rows = compute_rows(reader, table).join(affected, on="e", how="left", maintain_order="left")
        rows = rows.with_columns(
            self._held(table, reader, rows), pl.lit(True).alias(PRESENT), pl.col("e").alias(ENTITY)
        )
        recorded = _to_common_types(rows, columns)
        if table.kind.rows_have_t:
            recorded = recorded if causes.whole else self._due_rows(table, recorded)
        else:
            recorded = recorded.hstack(self._earlier_values(table, reader, rows["e"]))
            recorded = recorded.hstack(self._moved_flags(table, reader, rows["e"], causes) if self.keyless else [])
            recorded = pl.concat([recorded, self._gone_keys(table, reader, affected, recorded)])
        hashed = recorded.with_columns(key_hash(recorded, columns))
        folder = self.folder.at(table.dataset) if self.folder else None
        shards = put_shards(hashed, buckets=self.buckets[table.dataset], folder=folder) if len(hashed) else ()
        return Recorded(dataset=table.dataset, shards=tuple(shards))

    def _held(self, table: ContractTable, reader: EntityReader, rows: pl.DataFrame) -> pl.Series:
        """Whether the log showed each row, with this key of its entity, yesterday."""
        if table.kind.rows_have_t:
            return (rows["db__t"] <= self.after_t).alias(HELD)
        held = reader.keys.filter(pl.col("t_from") <= self.after_t, pl.col("t_to") > self.after_t)
        keys = rows.select("e", key=table.key[0]).join(
            held.select("e", then=pl.col("value").cast(reader.key.dtype)), on="e", how="left", maintain_order="left"
        )
        return keys.select((pl.col("key") == pl.col("then")).fill_null(value=False).alias(HELD)).to_series()

    def _due_rows(self, table: ContractTable, recorded: pl.DataFrame) -> pl.DataFrame:
        """Of a history, the rows after yesterday's t, and all rows of keys that several entities may have."""
        newer = recorded.filter(pl.col("db__t") > self.after_t)
        if self.shared is None:
            return newer
        older = recorded.filter(pl.col("db__t") <= self.after_t).with_columns(_bit(0).alias(WHY_BITS))
        return pl.concat([newer, older.join(self.shared, on=list(table.key), how="semi")])

    def _gone_keys(
        self, table: ContractTable, reader: EntityReader, affected: pl.DataFrame, recorded: pl.DataFrame
    ) -> pl.DataFrame:
        """Rows for keys that affected entities had yesterday or since and do not have today."""
        held = reader.keys.filter(pl.col("t_to") > self.after_t).join(affected, on="e")
        key, prototype = table.key
        since_yesterday = pl.col("t_from") > self.after_t
        named = held.with_columns(
            pl.col("value").cast(reader.key.dtype).alias(key),
            pl.lit(self.facts.instance.prototype).alias(prototype),
            pl.when(~since_yesterday).then(pl.lit(False)).alias(PRESENT),
            pl.col("e").alias(ENTITY),
            (~since_yesterday).alias(HELD),
        )
        keyed = named.drop_nulls(key)
        by_entity = [key, ENTITY]
        rows = keyed.sort(PRESENT, nulls_last=True).unique(by_entity, keep="first", maintain_order=True)
        gone = _to_common_types(rows.select(key, prototype, *WHY), self.compared_columns[table.dataset])
        missing = gone.join(recorded, on=[*table.key, ENTITY], how="anti")
        nothing = [pl.lit(None, dtype).alias(n) for n, dtype in recorded.schema.items() if n not in missing.columns]
        return missing.with_columns(nothing).select(recorded.columns)

    def _earlier_values(self, table: ContractTable, reader: EntityReader, entities: pl.Series) -> list[pl.Series]:
        """One series per column: for each entity, hashes of the values that its cell had since yesterday and lost."""
        columns = self.compared_columns[table.dataset]
        nothing = pl.Series([None], dtype=pl.List(pl.UInt64)).new_from_index(0, len(entities))
        found = []
        for attribute in table.attributes:
            name, column = attribute.column, self.columns[attribute]
            shown = reader.timeline_of(attribute)
            if shown.filter(_changed_after(self.after_t)).is_empty():
                found.append(nothing.alias(EARLIER + name))
                continue
            timeline = shown.with_columns(pl.col("value").cast(column.dtype))
            common = timeline.select("e", "t_from", "t_to", columns.comparable_cell(name, "value", column.dtype))
            past = _past_values(common, after_t=self.after_t).group_by("e").agg(pl.col("value").alias(EARLIER + name))
            found.append(entities.to_frame().join(past, on="e", how="left", maintain_order="left")[EARLIER + name])
        return found

    def _moved_flags(
        self, table: ContractTable, reader: EntityReader, entities: pl.Series, causes: EntityCauses
    ) -> list[pl.Series]:
        """One series per column of personal data: for each entity, whether its value changed since yesterday.

        Null for an entity that did not have its key yesterday, and for a column that other causes may change.
        """
        steady = reader.keys.filter(pl.col("t_from") <= self.after_t, pl.col("t_to") == END)["e"]
        found = []
        for attribute in (a for a in table.attributes if a.pii):
            timeline = reader.timeline_of(attribute)
            now = timeline.filter(pl.col("t_to") == END).select("e", now="value")
            then = timeline.filter(pl.col("t_from") <= self.after_t, pl.col("t_to") > self.after_t)
            both = entities.to_frame().join(now, on="e", how="left", maintain_order="left")
            both = both.join(then.select("e", then="value"), on="e", how="left", maintain_order="left")
            known = pl.col("e").is_in(steady.implode()) & (not causes.reaches(attribute.column))
            moved = pl.when(known).then(pl.col("now").ne_missing(pl.col("then"))).alias(MOVED + attribute.column)
            found.append(both.select(moved).to_series())
        return found


def _changed_after(after_t: int) -> pl.Expr:
    """Whether a value began or ended after a t."""
    return (pl.col("t_from") > after_t) | ((pl.col("t_to") > after_t) & (pl.col("t_to") < END))


def _past_values(timeline: pl.DataFrame, *, after_t: int) -> pl.DataFrame:
    """Columns e, value: hashes of the values that ended after after_t, and of null where a value began after a gap."""
    same_entity = pl.col("e") == pl.col("e").shift(1)
    began_after_nothing = ~(same_entity & (pl.col("t_to").shift(1) == pl.col("t_from"))).fill_null(value=False)
    nulls = timeline.filter(began_after_nothing, pl.col("t_from") > after_t).with_columns(
        pl.lit(None, timeline.schema["value"]).alias("value")
    )
    ended = timeline.filter(pl.col("t_to") > after_t, pl.col("t_to") < END)
    return pl.concat([ended, nulls]).select("e", pl.col("value").hash(VALUE_SEED))


def _bit(bits: int) -> pl.Expr:
    return pl.lit(bits, pl.UInt8)


def _to_common_types(rows: pl.DataFrame, columns: ComparedColumns) -> pl.DataFrame:
    """Rows in the comparison's types, with the columns of joined_columns.WHY."""
    common = columns.recorded_to_common(rows)
    return common.hstack(rows.select(pl.col(name).cast(dtype) for name, dtype in WHY.items()))
