"""The segment index in SQLite: one row per item of the extractor's DynamoDB table, under the same key.

Like DynamoDB, the table itself checks no types: an item that an extractor wrote wrongly is kept as it came and refused
when it is read.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from typing_extensions import override

from logcache_assets.domain.index_items import IndexItem, item_of_segment, segment_of_item
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment
from logcache_assets.errors import BadInput
from logcache_assets.ports import SegmentIndex, SegmentIndexError

REMEDY = "make a world with `logcache local reset`"

_FIELDS = IndexItem.__struct_fields__
_CREATE = f"CREATE TABLE IF NOT EXISTS segments ({', '.join(_FIELDS)}, PRIMARY KEY (db_prototype, last_t))"
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM segments WHERE db_prototype = ? ORDER BY last_t"  # noqa: S608 - own names
_PUT = f"INSERT OR REPLACE INTO segments VALUES ({', '.join(':' + field for field in _FIELDS)})"  # noqa: S608 - own names
_REMOVE = "DELETE FROM segments WHERE db_prototype = ? AND last_t = ?"
_BUSY_SECONDS = 30.0


class LocalSegmentIndex(SegmentIndex):
    """The index items of the local world, in one SQLite file that `put` makes."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()

    @override
    def segments(self, instance: Instance) -> tuple[Segment, ...]:
        with self._connected("ro") as connection:
            rows = connection.execute(_SELECT, (instance.name,)).fetchall()
        return tuple(self._segment(dict(zip(_FIELDS, row, strict=True))) for row in rows)

    def put(self, segments: Iterable[Segment]) -> None:
        """Add items, all or none; one with the instance and last_t of another replaces it, as in DynamoDB."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._connected("rwc") as connection:
            connection.execute(_CREATE)
            connection.executemany(_PUT, [msgspec.to_builtins(item_of_segment(segment)) for segment in segments])

    def remove(self, instance: Instance, last_t: int) -> None:
        """Take one item out.

        Raises:
            SegmentIndexError: there is no such item.
        """
        with self._connected("rw") as connection:
            if not connection.execute(_REMOVE, (instance.name, last_t)).rowcount:
                raise SegmentIndexError(
                    f"{self._path}: no item of {instance.name} ends at t {last_t}, so none was removed; "
                    "name the last_t of an item that exists"
                )

    def _segment(self, row: dict[str, object]) -> Segment:
        where = f"{self._path}, item {row['db_prototype']} / last_t {row['last_t']!r}"
        try:
            return segment_of_item(msgspec.convert(row, IndexItem), where=where)
        except msgspec.ValidationError as error:
            raise SegmentIndexError(f"{where}: {error}; correct that index item") from error
        except BadInput as error:
            raise SegmentIndexError(str(error)) from error

    @contextmanager
    def _connected(self, mode: str) -> Iterator[sqlite3.Connection]:
        """One transaction: what it wrote is there when the block ends well, and not at all otherwise."""
        if mode != "rwc" and not self._path.is_file():
            raise SegmentIndexError(f"{self._path}: there is no segment index; {REMEDY}")
        try:
            connection = sqlite3.connect(f"{self._path.as_uri()}?mode={mode}", uri=True, timeout=_BUSY_SECONDS)
            with closing(connection), connection:
                yield connection
        except sqlite3.Error as error:
            raise SegmentIndexError(f"{self._path}: the segment index cannot answer ({error}); {REMEDY}") from error
