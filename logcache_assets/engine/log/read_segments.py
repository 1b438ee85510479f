"""Reads Avro segments and checks that each file is what its index item says.

An error names instance, file and range of t. domain/segments.py checks that the segments make a whole log.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import polars as pl

from logcache_assets.domain.segments import Segment
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.storage.parquet import one_line
from logcache_assets.engine.storage.schemas import LOG_SCHEMA, column_types
from logcache_assets.ports import ObjectNotFoundError, ObjectStore, ObjectStoreWrongData

PARALLEL_READS = 8
"""How many segments are read at once: they are many and small, so reading them is mostly waiting."""


class SegmentError(EngineError):
    """A segment is not what its index item says."""


def read_segments(segments: Iterable[Segment], store: ObjectStore) -> pl.DataFrame:
    """Read all datoms of these segments, in their order.

    Raises:
        SegmentError: a file is missing, unreadable, of another record schema, or its t contradict the index.
    """
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        frames = list(pool.map(lambda segment: read_segment(segment, store), segments))
    return pl.concat(frames) if frames else LOG_SCHEMA.to_frame()


def read_segment(segment: Segment, store: ObjectStore) -> pl.DataFrame:
    """Read the datoms of one segment, ascending by t; raises SegmentError."""
    frame = _decode(segment, _content(segment, store))
    if frame.schema != LOG_SCHEMA:
        raise SegmentError(
            f"{_place(segment)} has the record {column_types(frame.schema)} instead of {column_types(LOG_SCHEMA)}; "
            "have it extracted again"
        )
    if any(frame.null_count().row(0)):
        raise SegmentError(f"{_place(segment)} holds datoms without a value in every field; have it extracted again")
    _check_range(segment, frame)
    return frame if frame["t"].is_sorted() else frame.sort("t", maintain_order=True)


def _place(segment: Segment) -> str:
    return (
        f"{segment.instance.name}: segment {segment.path}, which covers t in "
        f"({segment.last_batch_t}, {segment.last_t}],"
    )


def _content(segment: Segment, store: ObjectStore) -> bytes:
    try:
        return store.read(segment.path)
    except ObjectNotFoundError as error:
        raise SegmentError(
            f"{_place(segment)} does not exist, though the segment index names it; "
            "restore the file, or have the range extracted again"
        ) from error
    except ObjectStoreWrongData as error:
        raise SegmentError(f"{_place(segment)} cannot be read: {error}") from error


def _decode(segment: Segment, content: bytes) -> pl.DataFrame:
    try:
        return pl.read_avro(BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise SegmentError(
            f"{_place(segment)} is not a readable Avro file ({one_line(error)}): it is truncated or corrupt; "
            "restore the file, or have the range extracted again"
        ) from error


def _check_range(segment: Segment, frame: pl.DataFrame) -> None:
    """Refuse t outside the segment's range, and a file that ends too early.

    A file that was cut between two Avro blocks reads without an error; only its last t shows that the rest is missing.
    """
    too_early, too_late = pl.col("t") <= segment.last_batch_t, pl.col("t") > segment.last_t
    outside = frame.filter(too_early | too_late)["t"].to_list()
    if outside:
        raise SegmentError(
            f"{_place(segment)} holds {len(outside)} datoms outside that range, at t {min(outside)} to {max(outside)}; "
            "correct its index item or have it extracted again"
        )
    last = frame.select(pl.col("t").max()).item()
    if last != segment.last_t:
        raise SegmentError(
            f"{_place(segment)} ends at t {last}: the end of the file is missing; "
            "restore the file, or have the range extracted again"
        )
