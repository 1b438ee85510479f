"""Rows of attribute histories: one per t that holds a datom of the entity and the attribute."""

import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.engine.contracts.as_of import distinct, last_begun
from logcache_assets.engine.contracts.change_rows import fill_moments, keyed_moments
from logcache_assets.engine.contracts.entity_reader import EntityReader
from logcache_assets.engine.storage.schemas import END


def history_rows(reader: EntityReader, table: ContractTable) -> pl.DataFrame:
    """The attribute's value after every change, from the entity's first primary key on.

    The key of a row is the last one asserted by then, even if it was retracted since.
    """
    facts = reader.facts_of(table.attributes[0])
    begins, ends = facts.select("e", t="t_from"), facts.filter(pl.col("t_to") < END).select("e", t="t_to")
    moments = distinct(reader.ranks.moments_of(pl.concat([begins.drop_nulls(), ends])))
    return fill_moments(reader, table, keyed_moments(last_begun(moments, reader.placed_keys)))
