"""Where in the log the cells of faulty rows come from: the t that made them, so that a reader finds the file.

Asked only for rows that are at fault, and only for a few: it is a hint for a person, no part of the verdict.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from msgspec.structs import replace

from logcache_assets.domain.definitions import ContractTable
from logcache_assets.domain.figures import Pattern
from logcache_assets.domain.patterns import with_segments
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.contracts.column_timelines import InstanceContext
from logcache_assets.engine.contracts.columns import Columns
from logcache_assets.engine.contracts.entity_reader import EntityReader, InstanceReader
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.storage.buckets import Bucket
from logcache_assets.engine.storage.schemas import END

Located = Mapping[tuple[str, str, str, str], Collection[int]]
"""Reason, change, prototype and columns of a pattern → the t of its rows, as far as they are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocateTask:
    """Looks for the entities of some faulty rows in one bucket."""

    facts: InstanceFacts
    setting: InstanceContext
    bucket: Bucket
    after_t: int
    table: ContractTable
    columns: Columns
    faulty: pl.DataFrame
    """Columns of Explained.faulty but its t, of this instance's prototype."""

    def run(self) -> pl.DataFrame:
        """Columns reason, change, prototype, columns, t; rows whose t the log does not tell are left out."""
        instance = InstanceReader(self.facts, self.setting, after_t=self.after_t)
        view = EntityReader(instance, self.bucket, self.table.entity, self.columns)
        key = self.table.key[0]
        held = view.keys.select("e", "t_from", pl.col("value").cast(view.key.dtype).alias(key))
        rows = self.faulty.with_columns(pl.col(key).cast(view.key.dtype, strict=False)).join(held, on=key)
        own = view.restricted_to(rows["e"].unique())
        cells = rows.with_columns(column=pl.col("columns").str.split(",")).explode("column", empty_as_null=True)
        dated = cells.join(pl.concat(self._changes(own)), on=["e", "column"], how="left")
        t = pl.when(pl.col("columns") == "").then("t_from").otherwise("changed_t")
        return dated.select("reason", "change", "prototype", "columns", t=t).drop_nulls("t")

    def _changes(self, view: EntityReader) -> Iterator[pl.DataFrame]:
        """Columns e, column, changed_t: the last change of every cell."""
        yield pl.DataFrame(schema={"e": pl.Int64(), "column": pl.String(), "changed_t": pl.Int64()})
        for attribute in self.table.attributes:
            last = pl.max_horizontal("t_from", pl.when(pl.col("t_to") < END).then("t_to"))
            changes = view.timeline_of(attribute).group_by("e").agg(changed_t=last.max())
            yield changes.select("e", pl.lit(attribute.column).alias("column"), "changed_t")


def united(found: Iterable[pl.DataFrame]) -> Located:
    """The t of the rows of each pattern."""
    rows = pl.concat(found)
    by_pattern = rows.group_by("reason", "change", "prototype", "columns").agg(pl.col("t").unique())
    return {(reason, change, where, columns): ts for reason, change, where, columns, ts in by_pattern.iter_rows()}


def located_in(pattern: Pattern, located: Located, segments: Sequence[Segment], *, complete: bool) -> Pattern:
    """A pattern with the t of its rows, if it has none, and with the segments that hold them.

    Args:
        pattern: of one prototype.
        located: of its contract.
        segments: of its instance.
        complete: whether all rows at fault were looked up.
    """
    ts = located.get((pattern.reason, pattern.change, pattern.prototype, ",".join(pattern.columns)))
    if ts and pattern.first_t is None:
        pattern = replace(pattern, first_t=min(ts), last_t=max(ts))
    return with_segments(pattern, segments, ts=ts if complete else None)
