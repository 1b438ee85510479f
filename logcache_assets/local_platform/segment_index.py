"""The segment index in SQLite: one row per item of the extractor's DynamoDB table, with the same key.

Each method of the port is its own query and reads only the rows that it returns. Like DynamoDB, the table checks no
types: a malformed item is stored unchanged and refused when it is read.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from typing_extensions import override

from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.index_items import (
    FIELDS,
    IndexItem,
    IndexRange,
    extraction_of_range,
    item_of_segment,
    read_stored_item,
    segment_of_item,
)
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.segment_items import SegmentItems
from logcache_assets.local_platform.sqlite_errors import may_succeed_later
from logcache_assets.ports import SegmentIndex, SegmentIndexUnavailable, SegmentIndexWrongData

REMEDY = "make a world with `logcache local reset`"

_CREATE = f"CREATE TABLE IF NOT EXISTS segments ({', '.join(FIELDS)}, PRIMARY KEY (db_prototype, last_t))"
_AFTER = f"SELECT {', '.join(FIELDS)} FROM segments WHERE db_prototype = ? AND last_t > ? ORDER BY last_t"  # noqa: S608 - own names
_RANGES = "SELECT last_batch_t, last_t, timestamp FROM segments WHERE db_prototype = ?"
_NEWEST = f"{_RANGES} ORDER BY last_t DESC LIMIT 1"
_EXTRACTED_SINCE = f"{_RANGES} AND last_batch_t < ? AND timestamp > ? ORDER BY last_t"
_PUT = f"INSERT OR REPLACE INTO segments VALUES ({', '.join(':' + field for field in FIELDS)})"  # noqa: S608 - own names
_REMOVE = "DELETE FROM segments WHERE db_prototype = ? AND last_t = ?"
_BUSY_SECONDS = 30.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LocalSegmentIndex(SegmentIndex, SegmentItems):
    """The index items of the local world, in one SQLite file that `put` makes.

    Args:
        path: the file.
        reads: how often a failed read is repeated.
        busy_seconds: how long each call waits for another process that holds the file.
    """

    def __init__(self, path: Path, *, reads: RepeatedReads | None = None, busy_seconds: float = _BUSY_SECONDS) -> None:
        self._busy_seconds = busy_seconds
        self.reads = reads or RepeatedReads()
        self._path = path.absolute()

    @override
    def segments(self, instance: Instance, *, after_t: int = 0) -> tuple[Segment, ...]:
        return tuple(self._segment(row) for row in self._select(_AFTER, instance.name, after_t))

    @override
    def newest_t(self, instance: Instance) -> int:
        return max((found.last_t for found in self._ranges(instance, _NEWEST)), default=0)

    @override
    def extracted_since(self, instance: Instance, *, before_t: int, since: datetime) -> tuple[Extraction, ...]:
        # Timestamps are whole milliseconds, so one is newer than an instant if it is newer than its rounding down.
        since_ms = (since - _EPOCH) // timedelta(milliseconds=1)
        return self._ranges(instance, _EXTRACTED_SINCE, before_t, since_ms)

    @override
    def make_empty(self) -> None:
        self._path.unlink(missing_ok=True)

    @override
    def put(self, segments: Iterable[Segment]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._connected("rwc") as connection:
            connection.execute(_CREATE)
            connection.executemany(_PUT, [msgspec.to_builtins(item_of_segment(segment)) for segment in segments])

    @override
    def remove(self, instance: Instance, last_t: int) -> None:
        with self._connected("rw") as connection:
            if not connection.execute(_REMOVE, (instance.name, last_t)).rowcount:
                raise SegmentIndexWrongData(
                    f"{self._path}: no item of {instance.name} ends at t {last_t}, so none was removed; "
                    "name the last_t of an item that exists"
                )

    @repeated
    def _select(self, query: str, *values: str | int) -> Sequence[Mapping[str, object]]:
        """The rows of a query, each as column → value."""
        with self._connected("ro") as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def _ranges(self, instance: Instance, query: str, *values: int) -> tuple[Extraction, ...]:
        rows = self._select(query, instance.name, *values)
        with _refusing():
            items = [read_stored_item(row, IndexRange, where=self._where(instance.name, row), names={}) for row in rows]
        return tuple(extraction_of_range(item) for item in items)

    def _segment(self, row: Mapping[str, object]) -> Segment:
        where = self._where(row["db_prototype"], row)
        with _refusing():
            return segment_of_item(read_stored_item(row, IndexItem, where=where, names={}), where=where)

    def _where(self, name: object, row: Mapping[str, object]) -> str:
        return f"{self._path}, item {name} / last_t {row['last_t']!r}"

    @contextmanager
    def _connected(self, mode: str) -> Iterator[sqlite3.Connection]:
        """Open a connection with one transaction, committed if the block succeeds and rolled back otherwise."""
        if mode != "rwc" and not self._path.is_file():
            raise SegmentIndexWrongData(f"{self._path}: there is no segment index; {REMEDY}")
        try:
            connection = sqlite3.connect(f"{self._path.as_uri()}?mode={mode}", uri=True, timeout=self._busy_seconds)
            with closing(connection), connection:
                yield connection
        except sqlite3.Error as error:
            if may_succeed_later(error):
                raise SegmentIndexUnavailable(
                    f"{self._path}: the segment index cannot answer ({error}); run again"
                ) from error
            raise SegmentIndexWrongData(
                f"{self._path}: the segment index cannot be read ({error}); {REMEDY}"
            ) from error


@contextmanager
def _refusing() -> Iterator[None]:
    """Refuse malformed items as the port says."""
    try:
        yield
    except BadInput as error:
        raise SegmentIndexWrongData(str(error)) from error
