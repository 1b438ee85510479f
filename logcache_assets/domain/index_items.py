"""Index items as text: one JSON object per segment, with the fields of the extractor's DynamoDB table.

The rules that a chain of segments obeys are in segments.py; adapters know where the items are kept.
"""

from typing import Annotated

import msgspec

from logcache_assets.domain.instances import Instance, is_prototype
from logcache_assets.domain.json_text import NotJsonError, UnfitJsonError, decode_json
from logcache_assets.domain.plain_text import quoted
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.errors import BadInput

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**63 - 1)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800_000)]
"""Milliseconds since 1970, up to the end of Python's last year, 9999. Microseconds exceed this and are refused."""


class IndexItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item of the segment index, field by field."""

    db_prototype: str
    """Partition key: `feed-s0`."""
    database: str
    prototype: str
    path: Annotated[str, msgspec.Meta(pattern=r"^s3://[^/]+/.+\Z")]
    initial_t: Count
    last_batch_t: Count
    last_t: Count
    """Sort key."""
    requested_range: str
    timestamp: Milliseconds
    """Milliseconds since 1970 UTC."""


class IndexRange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The range of t and the timestamp of an index item, as a projection returns them."""

    last_batch_t: Count
    last_t: Count
    timestamp: Milliseconds


def parse_index_item(text: str, *, where: str) -> Segment:
    """Read one index item.

    Args:
        text: a JSON object.
        where: what to call it in an error, for example `index.jsonl, line 7`.

    Raises:
        BadInput: not JSON, unknown or missing fields, a partition key of another instance, an empty range of t.
    """
    try:
        item = decode_json(text, IndexItem)
    except UnfitJsonError as error:
        raise BadInput(f"{where}: {error}; correct that index item") from error
    except NotJsonError as error:
        raise BadInput(f"{where} is not a JSON object: {error}; correct that index item") from error
    return segment_of_item(item, where=where)


def segment_of_item(item: IndexItem, *, where: str) -> Segment:
    """The segment that an item describes; raises BadInput when its fields contradict each other."""
    instance = Instance(database=item.database, prototype=item.prototype)
    if item.db_prototype != instance.name:
        raise BadInput(
            f"{where}: db_prototype is {quoted(item.db_prototype)}, but database and prototype make "
            f"{quoted(instance.name)}; correct that index item"
        )
    if not is_prototype(item.prototype):
        raise BadInput(f"{where}: {quoted(item.prototype)} is no prototype; correct that index item")
    if not item.last_batch_t < item.initial_t <= item.last_t:
        raise BadInput(
            f"{where}: last_batch_t {item.last_batch_t} < initial_t {item.initial_t} <= last_t {item.last_t} "
            "does not hold, so the item covers no range of t; correct that index item"
        )
    return Segment(
        instance=instance,
        path=item.path,
        initial_t=item.initial_t,
        last_batch_t=item.last_batch_t,
        last_t=item.last_t,
        timestamp_ms=item.timestamp,
        requested_range=item.requested_range,
    )


def extraction_of_range(item: IndexRange) -> Extraction:
    """The extraction that a projected item describes."""
    return Extraction(last_batch_t=item.last_batch_t, last_t=item.last_t, timestamp_ms=item.timestamp)


def item_of_segment(segment: Segment) -> IndexItem:
    """The index item of a segment."""
    return IndexItem(
        db_prototype=segment.instance.name,
        database=segment.instance.database,
        prototype=segment.instance.prototype,
        path=segment.path,
        initial_t=segment.initial_t,
        last_batch_t=segment.last_batch_t,
        last_t=segment.last_t,
        requested_range=segment.requested_range,
        timestamp=segment.timestamp_ms,
    )


def render_index_item(segment: Segment) -> str:
    """One JSON line, without its newline."""
    return msgspec.json.encode(item_of_segment(segment)).decode()
