"""Reads Avro segments and checks that each file is what its index item says.

avro_datoms.py decodes the bytes, segment_claims.py compares the datoms with the index. An error names instance, file
and range of t. domain/segments.py checks that the segments make a whole log.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import polars as pl

from logcache_assets.domain.segments import Segment
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.log.avro_blocks import AvroFault
from logcache_assets.engine.log.avro_datoms import read_datoms
from logcache_assets.engine.log.segment_claims import RESTORE, find_broken_tx, find_contradiction
from logcache_assets.ports import ObjectNotFoundError, ObjectStore, ObjectStoreWrongData

PARALLEL_READS = 8
"""How many segments are read at once: they are many and small, so reading them is mostly waiting."""
FAR_PARALLEL_READS = 64
"""The same behind a network. On this computer so many threads would only stand in each other's way."""
PORTION_DATOMS = 100_000
"""At least how many datoms are checked and handed on at once: asking many small frames takes several times as long, and
columns of so many rows stay in the processor's cache."""


class SegmentError(EngineError):
    """A segment is not what its index item says."""


def read_portions(segments: Sequence[Segment], store: ObjectStore) -> Iterator[pl.DataFrame]:
    """Read the datoms of these segments, in their order, in portions of whole segments; few are held at a time.

    Raises:
        SegmentError: a file is missing, unreadable, of another record schema, or its t contradict the index.
    """
    portion: list[tuple[Segment, pl.DataFrame]] = []
    size = 0
    for segment, datoms in zip(segments, _read_ahead(segments, store), strict=True):
        portion.append((segment, datoms))
        size += len(datoms)
        if size >= PORTION_DATOMS:
            yield _checked(portion)
            portion, size = [], 0
    if portion:
        yield _checked(portion)


def _read_ahead(segments: Sequence[Segment], store: ObjectStore) -> Iterator[pl.DataFrame]:
    """Read several segments at once; at most two for each thread are begun before they are taken."""
    threads = FAR_PARALLEL_READS if store.reads_whole_objects else PARALLEL_READS
    begun: deque[Future[pl.DataFrame]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for segment in segments:
            if len(begun) == 2 * threads:
                yield begun.popleft().result()
            begun.append(pool.submit(_read, segment, store))
        while begun:
            yield begun.popleft().result()


def _checked(portion: Sequence[tuple[Segment, pl.DataFrame]]) -> pl.DataFrame:
    datoms = pl.concat(frame for _, frame in portion)
    if find_broken_tx(datoms):
        for segment, frame in portion:
            _check_txes(segment, frame)
    return datoms


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
