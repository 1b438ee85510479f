"""Turns the bytes of a segment into datoms, wherever they were fetched; the only reader of Avro.

Polars decodes records fastest (docs/performance.md), but it believes counts, and panics at a text that is longer than
its block. So three things surround it:

- avro_blocks.py walks the file and unpacks its blocks;
- a pattern proves that the bytes of each block are whole records, which leaves nothing to panic at;
- every block gets one more record, the mark, before polars reads it. The marks are found in the places that the counts
  say exactly if all counts are right.
"""

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from itertools import accumulate

import polars as pl

from logcache_assets.engine.log.avro_blocks import (
    FIELDS,
    SYNC_BYTES,
    AvroFault,
    Block,
    encode_header,
    encode_long,
    read_blocks,
)
from logcache_assets.engine.storage.schemas import LOG_SCHEMA

_SYNC = b"-" * SYNC_BYTES
_RECORD = {"type": "record", "name": "datom", "fields": [{"name": n, "type": kind} for n, kind in FIELDS.items()]}
_HEADER = encode_header(json.dumps(_RECORD), _SYNC)
_MARK_E = secrets.randbits(62)
"""The e of the record that marks the end of a block; no file can know it."""
_MARK = encode_long(_MARK_E) + encode_long(0) * (len(FIELDS) - 1)
_FEW_BLOCKS = 16
"""Up to so many blocks stay chunks of the frame; more are joined."""

_USUAL_LONG = rb"[\x80-\xff]{0,8}+[\x00-\x7f]"
"""A varint of at most 63 bits, as all are that Datomic's ids and times make."""
_LONG = rb"(?:%b|[\x80-\xff]{9}[\x00\x01])" % _USUAL_LONG
"""A varint of at most 64 bits."""
_BOOLEAN = rb"[\x00\x01]"
_SHORT_TEXT = 512
"""Texts of fewer bytes than this are walked by a pattern alone, which has an alternative for each length."""


def read_datoms(content: bytes) -> pl.DataFrame:
    """Decode all datoms of an Avro file, in its order; columns of LOG_SCHEMA.

    Raises:
        AvroFault: the file is damaged, truncated, longer than it should be, or no segment.
    """
    blocks = list(read_blocks(content))
    for block in blocks:
        _check_records(block)
    if not blocks:
        return LOG_SCHEMA.to_frame()
    try:
        frame = pl.read_avro(BytesIO(b"".join(_marked(blocks))))
    except (pl.exceptions.PolarsError, OSError) as error:
        _find_wrong_count(blocks)
        raise AvroFault("a text in it is no UTF-8") from error
    return _without_marks(frame, blocks)


def _marked(blocks: Sequence[Block]) -> Iterator[bytes]:
    """The parts of an uncompressed file that has the mark at the end of each block."""
    yield _HEADER
    for block in blocks:
        yield encode_long(block.count + 1)
        yield encode_long(len(block.content) + len(_MARK))
        yield block.content
        yield _MARK
        yield _SYNC


def _without_marks(frame: pl.DataFrame, blocks: Sequence[Block]) -> pl.DataFrame:
    """Remove the marks; raises AvroFault unless each lies where the counts say."""
    ends = list(accumulate((block.count + 1 for block in blocks), initial=0))
    entities = frame["e"]
    if len(frame) != ends[-1] or any(entities[end - 1] != _MARK_E for end in ends[1:]):
        _find_wrong_count(blocks)
    parts = [frame.slice(begin, block.count) for begin, block in zip(ends[:-1], blocks, strict=True)]
    return pl.concat(parts, rechunk=len(parts) > _FEW_BLOCKS)


def _find_wrong_count(blocks: Sequence[Block]) -> None:
    """Raise an AvroFault that names the first block whose count is wrong, if there is one."""
    for block in blocks:
        held = sum(1 for _ in _record_ends(block))
        if held != block.count:
            raise AvroFault(f"block {block.number} says that it holds {block.count} datoms, but holds {held}")


def _check_records(block: Block) -> None:
    """Refuse a block whose bytes are not whole records of the segment's fields."""
    content, position = block.content, 0
    while position < len(content):
        # Python's regular expressions walk usual records in C; a text of any length needs its length looked at.
        match = _patterns()[0].match(content, position)
        position = match.end() if match else position
        if position < len(content):
            position = _end_of_record(block, position)


def _record_ends(block: Block) -> Iterator[int]:
    position = 0
    while position < len(block.content):
        position = _end_of_record(block, position)
        yield position


def _end_of_record(block: Block, position: int) -> int:
    """Where the record ends that begins at a position; its text may have any length."""
    _, head, tail = _patterns()
    begin = head.match(block.content, position)
    if begin and (length := _long_of(begin[1])) >= 0:
        end = tail.match(block.content, begin.end() + length)
        if end:
            return end.end()
    raise AvroFault(f"block {block.number} holds bytes that are no datom, {position} bytes after its begin")


def _long_of(varint: bytes) -> int:
    number = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(varint))
    return (number >> 1) ^ -(number & 1)


@cache
def _patterns() -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    """Patterns for many usual records, for the begin of any record with its text's length, and for its end."""
    text = b"|".join(_texts())
    return (
        re.compile(b"(?:%b(?:%b)%b)*+" % (_USUAL_LONG * 2, text, _end_of(_USUAL_LONG)), re.DOTALL),
        re.compile(b"%b(%b)" % (_LONG * 2, _LONG)),
        re.compile(_end_of(_LONG)),
    )


def _end_of(long: bytes) -> bytes:
    return long * 2 + _BOOLEAN + long


def _texts() -> Iterator[bytes]:
    """One pattern per short length: the length, then so many bytes."""
    for size in range(_SHORT_TEXT):
        yield re.escape(encode_long(size)) + b".{%d}" % size
