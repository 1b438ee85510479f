"""Writes a raw log as one segment into another folder: the engine computes from it where segments cannot be read.

For the first look at a platform, on logs that fit in memory. Columns of another width or unit are converted, if no
value is lost.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from typing_extensions import override

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.log.avro_blocks import FIELDS, SYNC_BYTES, encode_header, encode_long
from logcache_assets.engine.storage.parquet import kind_of, read_parquet_files
from logcache_assets.engine.storage.schemas import LOG_SCHEMA
from logcache_assets.ports import ObjectStore, SegmentIndex

_SYNC = b"-" * SYNC_BYTES
_RECORD = {"type": "record", "name": "datom", "fields": [{"name": n, "type": kind} for n, kind in FIELDS.items()]}
_BLOCK_DATOMS = 50_000


@dataclass(frozen=True, slots=True)
class WrittenSegments(SegmentIndex):
    """An index that knows one segment of each instance."""

    of: Mapping[Instance, Segment]

    @override
    def segments(self, instance: Instance, *, after_t: int = 0) -> tuple[Segment, ...]:
        found = self.of.get(instance)
        return (found,) if found and found.last_t > after_t else ()

    @override
    def newest_t(self, instance: Instance) -> int:
        found = self.of.get(instance)
        return found.last_t if found else 0

    @override
    def extracted_since(self, instance: Instance, *, before_t: int, since: datetime) -> tuple[Extraction, ...]:
        return ()


def write_log_as_segment(
    instance: Instance, uris: Sequence[str], *, store: ObjectStore, out: Folder, read_at: datetime
) -> Segment:
    """Write the datoms of a raw log's files as one Avro file.

    Args:
        instance: whose log it is.
        uris: the log's files.
        store: where they lie.
        out: gets the segment.
        read_at: when the log was written; it counts as the segment's extraction.

    Raises:
        EngineError: the log lacks a column, is empty, or a value does not fit.
        ParquetError: a file cannot be read.
    """
    datoms = _datoms(read_parquet_files(uris, store), instance)
    path = f"{out.uri.rstrip('/')}/{uuid.uuid4()}-0-{datoms['t'][-1]}.avro"
    out.store.write(path, _avro(datoms))
    return Segment(
        instance=instance,
        path=path,
        initial_t=datoms["t"][0],
        last_batch_t=0,
        last_t=datoms["t"][-1],
        timestamp_ms=int(read_at.timestamp() * 1000),
    )


def _datoms(log: pl.DataFrame, instance: Instance) -> pl.DataFrame:
    """The rows as segments have them, ascending by t."""
    if missing := [name for name in LOG_SCHEMA if name not in log.schema]:
        raise EngineError(
            f"{instance.name}: the raw log has no column {missing[0]}, so nothing can be computed from it"
        )
    if log.is_empty():
        raise EngineError(f"{instance.name}: the raw log is empty")
    try:
        datoms = log.select(pl.col(name).cast(dtype) for name, dtype in LOG_SCHEMA.items())
    except pl.exceptions.PolarsError as error:
        raise EngineError(
            f"{instance.name}: the raw log has a value that a segment cannot hold ({kind_of(error)})"
        ) from error
    if any(datoms.null_count().row(0)):
        raise EngineError(f"{instance.name}: the raw log has nulls, and a datom has none")
    return datoms.sort("t", maintain_order=True)


def _avro(datoms: pl.DataFrame) -> bytes:
    parts = [encode_header(json.dumps(_RECORD), _SYNC)]
    plain = datoms.with_columns(pl.col("tx_instant").to_physical())
    for block in plain.iter_slices(_BLOCK_DATOMS):
        content = b"".join(map(_record, block.iter_rows()))
        parts += [encode_long(len(block)), encode_long(len(content)), content, _SYNC]
    return b"".join(parts)


def _record(row: tuple[int, int, str, int, int, bool, int]) -> bytes:
    e, a, v, t, tx, added, instant = row
    text = v.encode()
    numbers = map(encode_long, (t, tx))
    return b"".join(
        (encode_long(e), encode_long(a), encode_long(len(text)), text, *numbers, bytes([added]), encode_long(instant))
    )
