"""Rows of snapshots: one per t that holds any datom of the entity."""

import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.engine.contracts.as_of import as_of, distinct
from logcache_assets.engine.contracts.change_rows import fill_moments, keyed_moments
from logcache_assets.engine.contracts.entity_reader import EntityReader


def snapshot_rows(reader: EntityReader, table: ContractTable) -> pl.DataFrame:
    """The whole entity after every transaction that touched it, while its primary key is asserted."""
    times = reader.instance.facts.times(reader.bucket, after_t=reader.instance.after_t)
    moments = distinct(reader.ranks.moments_of(times))
    return fill_moments(reader, table, keyed_moments(as_of(moments, reader.placed_keys)))
