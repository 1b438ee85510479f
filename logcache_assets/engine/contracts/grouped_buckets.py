"""Chooses the buckets of a build that shows only what holds now: by the open facts that it reads.

A cache has as many buckets as all its facts need, also those that were retracted long ago. Where several buckets have
few open facts, one task reads them together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.engine.contracts.columns import primary_key
from logcache_assets.engine.facts.datomic_schema import DatomicSchema
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.storage.buckets import group_buckets

OPEN_PART = 4
"""A group has at most this part of a bucket's datoms as open facts: reading more together saves no time, but takes
more memory than a full bucket, in which most facts are closed, and leaves fewer tasks to run at once."""


def with_grouped_buckets(
    facts: InstanceFacts, tables: Iterable[ContractTable], schema: DatomicSchema, *, bucket_datoms: int
) -> InstanceFacts:
    """The facts in the fewest buckets of which none has more open facts, and later datoms, than a task should read.

    Args:
        facts: an instance's; they keep their buckets if one of the cache's has too many alone.
        tables: entity contracts.
        schema: the instance's.
        bucket_datoms: about how many datoms are computed at once.

    Raises:
        CacheError: the cache is damaged.
    """
    if facts.buckets == 1:
        return facts
    known = schema.attributes
    attributes = {known[name].id for name in _names_read(tables) if name in known}
    groups = group_buckets(facts.count_open(attributes), at_most=bucket_datoms // OPEN_PART)
    return facts if groups is None else replace(facts, buckets=groups)


def _names_read(tables: Iterable[ContractTable]) -> Iterator[str]:
    for table in tables:
        for attribute in (primary_key(table.entity), *table.attributes):
            yield from (name for name in (attribute.attribute, attribute.ref) if name)
