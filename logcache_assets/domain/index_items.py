"""Index items: one per segment, with the fields of the extractor's DynamoDB table, as text or as a store keeps them.

The rules that a chain of segments obeys are in segments.py; adapters know where the items are kept.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, TypeVar

import msgspec

from logcache_assets.domain.instances import Instance, is_prototype
from logcache_assets.domain.json_text import NotJsonError, UnfitJsonError, decode_json
from logcache_assets.domain.known_kinds import converted
from logcache_assets.domain.plain_text import quoted
from logcache_assets.domain.segments import Extraction, Segment
from logcache_assets.errors import BadInput

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**63 - 1)]
LEAST_MILLISECONDS = 100_000_000_000
Milliseconds = Annotated[int, msgspec.Meta(ge=LEAST_MILLISECONDS, lt=253_402_300_800_000)]
"""Milliseconds since 1970, from 1973 to the end of Python's last year, 9999: seconds and microseconds are refused."""

_PATH = re.compile(r"s3://[^/]+(?:/(?!\.{1,2}(?:/|\Z))[^/]+)+")
"""Bucket and key, without an empty part and without `.` and `..`, which some stores resolve and others do not."""
_FILE_NAME = re.compile(r"[0-9a-fA-F-]{36}-(\d+)-(\d+)\.avro")
"""`<uuid>-<last_batch_t>-<last_t>.avro`, as the extractor names its files; others may have any name."""


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


Item = TypeVar("Item", IndexItem, IndexRange)
FIELDS = IndexItem.__struct_fields__
"""The fields of an index item."""


def read_stored_item(stored: Mapping[str, object], kind: type[Item], *, where: str, names: Mapping[str, str]) -> Item:
    """Read an index item that a store keeps without checking its types; what it holds beyond the fields is ignored.

    Args:
        stored: the store's name of a field → plain value.
        kind: the fields to read.
        where: what to call the item in an error.
        names: field → the store's own name of it, where they differ.

    Raises:
        BadInput: a field is missing, or its value does not fit.
    """
    own = {field: names.get(field, field) for field in kind.__struct_fields__}
    try:
        return converted({field: stored[name] for field, name in own.items() if name in stored}, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"{where}: {_fault_of(str(error), stored, own)}; correct that index item") from error


def _fault_of(text: str, stored: Mapping[str, object], own: Mapping[str, str]) -> str:
    """Say msgspec's refusal with the store's name of the field, and its value."""
    reason, _, path = text.partition(" - at `$.")
    name = own.get(path.rstrip("`"))
    if name is not None:
        return f"{name} is {quoted(str(stored[name]))}, {reason[:1].lower()}{reason[1:]}"
    absent = next((name for name in own.values() if name not in stored), None)
    return f"it has no {absent}" if absent else reason


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
    for fault in _faults_of(item, instance):
        raise BadInput(f"{where}: {fault}; correct that index item")
    return Segment(
        instance=instance,
        path=item.path,
        initial_t=item.initial_t,
        last_batch_t=item.last_batch_t,
        last_t=item.last_t,
        timestamp_ms=item.timestamp,
        requested_range=item.requested_range,
    )


def _faults_of(item: IndexItem, instance: Instance) -> Iterator[str]:
    if item.db_prototype != instance.name:
        yield (f"db_prototype is {quoted(item.db_prototype)}, but database and prototype make {quoted(instance.name)}")
    if not is_prototype(item.prototype):
        yield f"{quoted(item.prototype)} is no prototype"
    if not _is_folder_name(item.database):
        yield f"{quoted(item.database)} is no name of a database"
    if not item.last_batch_t < item.initial_t <= item.last_t:
        yield (
            f"last_batch_t {item.last_batch_t} < initial_t {item.initial_t} <= last_t {item.last_t} does not hold, so "
            "the item covers no range of t"
        )
    if not _PATH.fullmatch(item.path) or not item.path.isprintable():
        yield f"the path {quoted(item.path)} has an empty part, one of dots, or a control character"
    named = _FILE_NAME.fullmatch(item.path.rpartition("/")[2])
    if named and named.groups() != (str(item.last_batch_t), str(item.last_t)):
        yield f"the file {quoted(named[0])} is not that of last_batch_t {item.last_batch_t} and last_t {item.last_t}"


def _is_folder_name(name: str) -> bool:
    """Whether a name is one folder of a path, as in the name of every dataset of the database."""
    return name.isprintable() and name not in {"", ".", ".."} and not {"/", "\\"} & set(name)


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
