"""Reads Avro segments and checks that each file is what its index item says.

avro_datoms.py decodes the bytes, segment_claims.py compares the datoms with the index. An error names instance, file
and range of t. domain/segments.py checks that the segments make a whole log.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from logcache_assets.domain.segments import Segment
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.log.avro_blocks import AvroFault
from logcache_assets.engine.log.avro_datoms import read_datoms
from logcache_assets.engine.log.segment_claims import RESTORE, find_broken_tx, find_contradiction
from logcache_assets.engine.storage.schemas import LOG_SCHEMA
from logcache_assets.ports import ObjectNotFoundError, ObjectStore, ObjectStoreWrongData

PARALLEL_READS = 8
"""How many segments are read at once: they are many and small, so reading them is mostly waiting."""
FAR_PARALLEL_READS = 64
"""The same behind a network. On this computer so many threads would only stand in each other's way."""


class SegmentError(EngineError):
    """A segment is not what its index item says."""


def read_segments(segments: Iterable[Segment], store: ObjectStore) -> pl.DataFrame:
    """Read all datoms of these segments, in their order.

    Raises:
        SegmentError: a file is missing, unreadable, of another record schema, or its t contradict the index.
    """
    chosen = tuple(segments)
    with ThreadPoolExecutor(FAR_PARALLEL_READS if store.reads_whole_objects else PARALLEL_READS) as pool:
        frames = list(pool.map(lambda segment: _read(segment, store), chosen))
    log = pl.concat(frames) if frames else LOG_SCHEMA.to_frame()
    if find_broken_tx(log):  # asked once of all datoms, because many small frames take several times as long
        for segment, frame in zip(chosen, frames, strict=True):
            _check_txes(segment, frame)
    return log


def read_segment(segment: Segment, store: ObjectStore) -> pl.DataFrame:
    """Read the datoms of one segment, ascending by t; raises SegmentError."""
    datoms = _read(segment, store)
    _check_txes(segment, datoms)
    return datoms


def _read(segment: Segment, store: ObjectStore) -> pl.DataFrame:
    content = _content(segment, store)
    try:
        datoms = read_datoms(content)
    except AvroFault as fault:
        raise SegmentError(
            f"{_place(segment)} is not a readable Avro file: {fault}. Is it truncated or corrupt? {RESTORE}"
        ) from fault
    if not datoms["t"].is_sorted():
        datoms = datoms.sort("t", maintain_order=True)
    if contradiction := find_contradiction(segment, datoms):
        raise SegmentError(f"{_place(segment)} {contradiction}")
    return datoms


def _check_txes(segment: Segment, datoms: pl.DataFrame) -> None:
    if broken := find_broken_tx(datoms):
        raise SegmentError(f"{_place(segment)} {broken}")


def _place(segment: Segment) -> str:
    return (
        f"{segment.instance.name}: segment {segment.path}, which covers t in "
        f"({segment.last_batch_t}, {segment.last_t}],"
    )


def _content(segment: Segment, store: ObjectStore) -> bytes:
    try:
        return store.read(segment.path)
    except ObjectNotFoundError as error:
        raise SegmentError(f"{_place(segment)} does not exist, though the segment index names it; {RESTORE}") from error
    except ObjectStoreWrongData as error:
        raise SegmentError(f"{_place(segment)} cannot be read: {error}") from error
