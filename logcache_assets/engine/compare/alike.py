"""Days that consist of the same files: their rows are equal without a look, so that only the keys of one day are read.

Whether a key repeats, and how many rows a prototype has, no checksum tells.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl
from typing_extensions import override

from logcache_assets.engine.compare.contract_files import Piece, Table
from logcache_assets.engine.compare.digests import EQUALS, KEYS, TODAY, YESTERDAY, ComparedColumns
from logcache_assets.engine.compare.reading import DayReading, Digested
from logcache_assets.engine.drivers.driver import Folder


def have_same_files(one: Table, other: Table) -> bool:
    """Whether two tables have the same files in the same order, by their sizes and checksums.

    False also where a store keeps no checksum.
    """
    places = [[(piece.first, piece.rows, piece.begin) for piece in table.pieces] for table in (one, other)]
    if places[0] != places[1] or not places[0] or one.schema != other.schema:
        return False
    files = dict.fromkeys((a.uri, b.uri) for a, b in zip(one.pieces, other.pieces, strict=True))
    return all(_has_same_bytes(one, uri, other, other_uri) for uri, other_uri in files)


def _has_same_bytes(one: Table, uri: str, other: Table, other_uri: str) -> bool:
    found, wanted = one.store.head(uri), other.store.head(other_uri)
    known = found.checksum is not None
    return known and (found.size_bytes, found.checksum) == (wanted.size_bytes, wanted.checksum)


@dataclass(slots=True, kw_only=True)
class _KeysOfDay(DayReading):
    """One day, of which only the keys are read."""

    @override
    def names(self) -> tuple[str, ...]:
        return self.columns.key

    @override
    def digests(self) -> Iterator[pl.Expr]:
        yield self.columns.key_hash(self.table.schema)
        yield self.is_recorded()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeTask:
    """Reads the keys of some pieces, which both days have."""

    table: Table
    pieces: tuple[Piece, ...]
    columns: ComparedColumns
    buckets: int
    recorded: frozenset[str]
    """As for ReadTask."""
    folder: Folder | None

    def run(self) -> tuple[Digested, Digested]:
        """Read them; yesterday's result and today's."""
        day = _KeysOfDay(
            side=TODAY,
            table=self.table,
            pieces=self.pieces,
            columns=self.columns,
            recorded=self.recorded,
            touched=KEYS.to_series(),
            most_kept_bytes=0,
            buckets=self.buckets,
            folder=self.folder,
        )
        for batch in day.batches():
            day.count(batch)
            day.equal.append(batch.select(EQUALS.columns))
            day.put_many_digests()
        today = day.finish()
        return replace(today, side=YESTERDAY), today
