"""Computes the rows that a contract must show today, according to the log, of every entity that may have changed.

Only datoms after yesterday's t change rows. So the rows of entities that they touch, directly or through a ref, are
computed from the facts at yesterday's t and these datoms; of histories, only the rows after that t. A name, a
definition or an excision may change more; then the rows of every entity it reaches are computed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.engine.compare.digests import ComparedColumns, key_hash
from logcache_assets.engine.contracts.compute import compute_rows
from logcache_assets.engine.contracts.entity_reader import EntityReader
from logcache_assets.engine.contracts.referred import Referred
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.explain.affected import Affected, bits_of
from logcache_assets.engine.explain.causes import EntityCauses
from logcache_assets.engine.explain.earlier_values import earlier_values
from logcache_assets.engine.explain.joined_columns import (
    ENTITY,
    HELD,
    MOVED,
    PRESENT,
    WHY,
    WHY_BITS,
)
from logcache_assets.engine.storage.buckets import Bucket
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

    affected: Affected
    bucket: Bucket
    referred: Mapping[bool, Referred]
    """Whether facts that ended before after_t count → what the refs of affected entities lead to; if missing, it is
    read of the whole instance."""
    buckets: Mapping[str, int]
    """Dataset → number of buckets of its comparison."""
    folder: Folder | None
    """Where shards are written; None keeps them in memory."""
    keyless: bool
    """Whether the deployment's key is missing, and personal data is hashed with another one."""

    def run(self) -> tuple[Recorded, ...]:
        """The recorded rows of each contract that has any."""
        return tuple(recorded for recorded in self._record_all() if recorded.shards)

    def _record_all(self) -> Iterator[Recorded]:
        touched = self.affected.touched(self.bucket)
        readers = {w: self.affected.reader(whole=w, referred=self.referred.get(w)) for w in (False, True)}
        for entity, tables in groupby(self.affected.tables, key=lambda table: table.entity):
            instance = readers[self.affected.is_whole(entity)]
            whole = EntityReader(instance, self.bucket, entity, self.affected.columns)
            affected = self.affected.find(whole, entity, touched)
            reader = whole.restricted_to(affected["e"])
            for table in tables:
                yield self._record(table, reader, affected, self.affected.causes[entity.name])

    @property
    def after_t(self) -> int:
        """Yesterday's t."""
        return self.affected.after_t

    def _record(
        self, table: ContractTable, reader: EntityReader, affected: pl.DataFrame, causes: EntityCauses
    ) -> Recorded:
        columns = self.affected.compared_columns[table.dataset]
        rows = compute_rows(reader, table).join(affected, on="e", how="left", maintain_order="left")
        rows = rows.with_columns(
            self._held(table, reader, rows), pl.lit(True).alias(PRESENT), pl.col("e").alias(ENTITY)
        )
        recorded = _to_common_types(rows, columns)
        if table.kind.rows_have_t:
            recorded = recorded if causes.whole else self._due_rows(table, recorded)
        else:
            recorded = recorded.hstack(
                earlier_values(reader, table.attributes, columns, rows["e"], after_t=self.after_t)
            )
            recorded = recorded.hstack(self._moved_flags(table, reader, rows["e"], causes) if self.keyless else [])
            gone = self._gone_keys(table, reader, affected, recorded)
            recorded = pl.concat([recorded, gone], how="diagonal") if len(gone) else recorded
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
        if self.affected.shared is None:
            return newer
        older = recorded.filter(pl.col("db__t") <= self.after_t).with_columns(bits_of(0).alias(WHY_BITS))
        return pl.concat([newer, older.join(self.affected.shared, on=list(table.key), how="semi")])

    def _gone_keys(
        self, table: ContractTable, reader: EntityReader, affected: pl.DataFrame, recorded: pl.DataFrame
    ) -> pl.DataFrame:
        """Rows for keys that affected entities had yesterday or since and do not have today."""
        held = reader.keys.filter(pl.col("t_to") > self.after_t).join(affected, on="e")
        key, prototype = table.key
        since_yesterday = pl.col("t_from") > self.after_t
        named = held.with_columns(
            pl.col("value").cast(reader.key.dtype).alias(key),
            pl.lit(self.affected.facts.instance.prototype).alias(prototype),
            pl.when(~since_yesterday).then(pl.lit(False)).alias(PRESENT),
            pl.col("e").alias(ENTITY),
            (~since_yesterday).alias(HELD),
        )
        keyed = named.drop_nulls(key)
        by_entity = [key, ENTITY]
        rows = keyed.sort(PRESENT, nulls_last=True).unique(by_entity, keep="first", maintain_order=True)
        gone = _to_common_types(
            rows.select(key, prototype, *WHY), self.affected.compared_columns[table.dataset].only_key()
        )
        return gone.join(recorded, on=[*table.key, ENTITY], how="anti")

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


def _to_common_types(rows: pl.DataFrame, columns: ComparedColumns) -> pl.DataFrame:
    """Rows in the comparison's types, with the columns of joined_columns.WHY."""
    common = columns.recorded_to_common(rows)
    return common.hstack(rows.select(pl.col(name).cast(dtype) for name, dtype in WHY.items()))
