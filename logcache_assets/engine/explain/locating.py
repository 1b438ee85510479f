"""Finds the t that the cells of faulty rows come from, so that people can find the segment.

Only a few faulty rows are looked up: the result is a hint for people and not part of the verdict.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl
from msgspec.structs import replace
from typing_extensions import override

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.domain.figures import Pattern
from logcache_assets.domain.patterns import with_segments
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.contracts.column_timelines import InstanceContext
from logcache_assets.engine.contracts.columns import Columns
from logcache_assets.engine.contracts.entity_reader import EntityReader, InstanceReader
from logcache_assets.engine.contracts.referral_tasks import AskedRefs
from logcache_assets.engine.contracts.referred import Referred
from logcache_assets.engine.explain.joined_columns import SEPARATOR
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.schemas import END

Located = Mapping[tuple[str, str, str, str], Collection[int]]
"""(reason, change, prototype, columns) of a pattern → every known t of its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty(AskedRefs):
    """Faulty rows of one contract on one prototype."""

    table: ContractTable
    columns: Columns
    rows: pl.DataFrame
    """Columns of Explained.faulty, with the primary key."""

    def find(self, reader: EntityReader) -> pl.DataFrame:
        """The rows with each entity `e` of the reader that ever had their key, and since when in `t_from`."""
        held = reader.keys.select("e", "t_from", key=pl.col("value").cast(reader.key.dtype))
        return self.rows.with_columns(pl.col("key").cast(reader.key.dtype, strict=False)).join(held, on="key")

    @override
    def read(self, reader: InstanceReader, names: Collection[str], bucket: Bucket) -> dict[str, pl.DataFrame]:
        refs = tuple(attribute for attribute in self.table.attributes if attribute.attribute in names)
        every = EntityReader(reader, bucket, replace(self.table.entity, attributes=refs), self.columns)
        own = every.restricted_to(self.find(every)["e"].unique())
        return {attribute.attribute: own.facts_of(attribute) for attribute in refs}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocateTask:
    """Looks up faulty rows whose entities are in one bucket."""

    facts: InstanceFacts
    context: InstanceContext
    bucket: Bucket
    after_t: int
    faulty: Faulty
    referred: Referred | None
    """What their refs lead to; None if it is to be read of the whole instance."""

    def run(self) -> pl.DataFrame:
        """Columns reason, change, prototype, columns, t; rows without a known t are left out."""
        instance = InstanceReader(self.facts, self.context, after_t=self.after_t, referred=self.referred)
        reader = EntityReader(instance, self.bucket, self.faulty.table.entity, self.faulty.columns)
        rows = self.faulty.find(reader)
        own = reader.restricted_to(rows["e"].unique())
        cells = rows.with_columns(column=pl.col("columns").str.split(SEPARATOR)).explode("column", empty_as_null=True)
        dated = cells.join(pl.concat(self._changes(own)), on=["e", "column"], how="left")
        t = pl.when(pl.col("columns") == "").then("t_from").otherwise("changed_t")
        return dated.select("reason", "change", "prototype", "columns", t=t).drop_nulls("t")

    def _changes(self, reader: EntityReader) -> Iterator[pl.DataFrame]:
        """Columns e, column, changed_t: the last change of every cell."""
        yield pl.DataFrame(schema={"e": pl.Int64(), "column": pl.String(), "changed_t": pl.Int64()})
        for attribute in self.faulty.table.attributes:
            last = pl.max_horizontal("t_from", pl.when(pl.col("t_to") < END).then("t_to"))
            changes = reader.timeline_of(attribute).group_by("e").agg(changed_t=last.max())
            yield changes.select("e", pl.lit(attribute.column).alias("column"), "changed_t")


def collect_ts(found: Iterable[pl.DataFrame]) -> Located:
    """Collect the t of the rows of each pattern."""
    rows = pl.concat(found)
    by_pattern = rows.group_by("reason", "change", "prototype", "columns").agg(pl.col("t").unique())
    return {(reason, change, where, columns): ts for reason, change, where, columns, ts in by_pattern.iter_rows()}


def locate_patterns(
    patterns: Iterable[Pattern], located: Located, sources: Iterable[LogSource], *, complete: bool
) -> tuple[Pattern, ...]:
    """Patterns with the first and last t of their rows, if they have none, and the segments that hold them.

    Args:
        patterns: the patterns of one contract.
        located: the known t of their rows.
        sources: the log of each prototype; its index is read only from the first t of the prototype's patterns.
        complete: whether all faulty rows were looked up.
    """
    dated = [_dated(pattern, _ts_of(pattern, located)) for pattern in patterns]
    segments = {source.instance.prototype: _segments_of(dated, source) for source in sources}
    return tuple(
        with_segments(p, segments.get(p.prototype, ()), ts=_ts_of(p, located) if complete else None) for p in dated
    )


def _ts_of(pattern: Pattern, located: Located) -> Collection[int] | None:
    return located.get((pattern.reason, pattern.change, pattern.prototype, SEPARATOR.join(pattern.columns)))


def _dated(pattern: Pattern, ts: Collection[int] | None) -> Pattern:
    if not ts or pattern.first_t is not None:
        return pattern
    return replace(pattern, first_t=min(ts), last_t=max(ts))


def _segments_of(patterns: Iterable[Pattern], source: LogSource) -> tuple[Segment, ...]:
    """The segments of a log from the first t of its patterns on; none if no pattern has a t."""
    own = (pattern for pattern in patterns if pattern.prototype == source.instance.prototype)
    first_ts = [pattern.first_t for pattern in own if pattern.first_t is not None]
    return source.index.segments(source.instance, after_t=min(first_ts) - 1) if first_ts else ()
