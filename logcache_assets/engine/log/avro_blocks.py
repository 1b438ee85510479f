"""Walks an Avro file from its first to its last byte: the header, and the blocks with their counts and bytes.

Avro libraries believe a count that is too small, end at an empty block, or allocate what a damaged length asks for. So
every length is compared with the bytes that are there before anything is believed. What the bytes of a block hold is
avro_datoms.py's matter; the format is https://avro.apache.org/docs/1.12.0/specification/#object-container-files.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import msgspec
from isal import isal_zlib

MAGIC = b"Obj\x01"
SYNC_BYTES = 16
LAST_GROUP, GOES_ON = 0x7F, 0x80
"""A varint is a number in groups of 7 bits, lowest first; the eighth bit says that more follow."""
LONG_BYTES = 10
"""Longest varint of a 64-bit long."""
MOST_BYTES = 2**30
"""Most bytes that the blocks of one file unpack to, about 25 million datoms. Real segments have a few thousand."""
SNAPPY_RATIO = 32
"""Snappy packs 64 bytes into 3 at best, so a block that claims more than this is damaged."""
CHECKSUM_BYTES = 4

FIELDS: Mapping[str, object] = {
    "e": "long",
    "a": "long",
    "v": "string",
    "t": "long",
    "tx": "long",
    "added": "boolean",
    "tx_instant": {"type": "long", "logicalType": "timestamp-millis"},
}
"""The fields of a segment's record, in order."""


class AvroFault(Exception):
    """What is wrong with the bytes of an Avro file; read_segments.py makes it an error that names the file."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of records, unpacked."""

    number: int
    """From 1, in the order of the file."""
    count: int
    """How many records it says that it holds; not yet compared with its content."""
    content: bytes


def read_blocks(content: bytes) -> Iterator[Block]:
    """Yield the blocks of a file that have records; raises AvroFault unless every byte of the file is accounted for."""
    cursor = _Cursor(content)
    codec, sync = _read_header(cursor)
    number, room = 0, MOST_BYTES
    while cursor.position < len(content):
        number += 1
        block = _read_block(cursor, number, codec, room)
        if cursor.take(SYNC_BYTES, f"the sync marker of block {number}") != sync:
            raise AvroFault(f"block {number} does not end with the file's sync marker")
        room -= len(block.content)
        if block.count:
            yield block


def encode_long(number: int) -> bytes:
    """A long as Avro writes it: zigzag, then a varint."""
    rest, out = (number << 1) ^ (number >> 63), bytearray()
    while rest > LAST_GROUP:
        out.append(rest & LAST_GROUP | GOES_ON)
        rest >>= 7
    return bytes([*out, rest])


def encode_header(schema: str, sync: bytes) -> bytes:
    """The start of a file of uncompressed blocks."""
    meta = b"".join(_encode_text(part) for part in ("avro.schema", schema, "avro.codec", "null"))
    return MAGIC + encode_long(2) + meta + encode_long(0) + sync


def _encode_text(text: str) -> bytes:
    return encode_long(len(text.encode())) + text.encode()


class _Cursor:
    """A position in the bytes of a file."""

    def __init__(self, content: bytes) -> None:
        self.position = 0
        self._content = content

    def long(self, what: str) -> int:
        """Read a long; `what` names it if the bytes are none."""
        number = 0
        for size, byte in enumerate(self._content[self.position : self.position + LONG_BYTES], start=1):
            number |= (byte & LAST_GROUP) << 7 * (size - 1)
            if byte <= LAST_GROUP:
                self.position += size
                return (number >> 1) ^ -(number & 1)
        raise AvroFault(f"{what} is no number: the file is truncated or damaged there")

    def size(self, what: str) -> int:
        """Read a length or a count, which is not negative."""
        number = self.long(what)
        if number < 0:
            raise AvroFault(f"{what} is {number}")
        return number

    def take(self, size: int, what: str) -> bytes:
        """Read bytes; `what` names them if they are not there."""
        left = len(self._content) - self.position
        if size > left:
            raise AvroFault(f"{what} should have {size} bytes, but only {left} follow")
        self.position += size
        return self._content[self.position - size : self.position]


def _read_header(cursor: _Cursor) -> tuple[str, bytes]:
    """Check the header, and return the codec and the sync marker."""
    if cursor.take(len(MAGIC), "the header") != MAGIC:
        raise AvroFault("it does not begin as an Avro file does")
    meta = _read_metadata(cursor)
    _check_schema(meta.get("avro.schema", b""))
    codec = meta.get("avro.codec", b"null").decode("utf-8", "replace")
    if codec not in CODECS:
        raise AvroFault(f"its codec is {codec[:20]!r}; segments are read with the codecs {', '.join(CODECS)}")
    return codec, cursor.take(SYNC_BYTES, "the sync marker of the header")


def _read_metadata(cursor: _Cursor) -> dict[str, bytes]:
    """The map of the header, in blocks of entries: a negative count is followed by the block's size."""
    meta: dict[str, bytes] = {}
    while count := cursor.long("the number of entries of the header"):
        if count < 0:
            cursor.size("the size of the header's entries")
        for _ in range(abs(count)):  # ends early at the end of the file: an entry has at least two bytes
            key = cursor.take(cursor.size("the length of a key of the header"), "a key of the header")
            value = cursor.take(cursor.size("the length of a value of the header"), "a value of the header")
            meta[key.decode("utf-8", "replace")] = value
    return meta


def _check_schema(text: bytes) -> None:
    """Refuse a record whose fields are not the segment's, in name, order and type; names and documents are free."""
    try:
        schema = msgspec.json.decode(text)
        fields = {field["name"]: _plain(field["type"]) for field in schema["fields"]}
    except (msgspec.DecodeError, RecursionError, UnicodeError, LookupError, TypeError) as error:
        raise AvroFault("its header has no schema of a record") from error
    for (name, kind), wanted in zip(fields.items(), FIELDS, strict=False):
        if name != wanted:
            raise AvroFault(f"its record has the field {name[:40]!r} in the place of {wanted}")
        if kind != FIELDS[name]:
            raise AvroFault(f"its field {name} is {str(kind)[:80]} instead of {FIELDS[name]}")
    if len(fields) != len(FIELDS) or len(fields) != len(schema["fields"]):
        raise AvroFault(f"its record has {len(schema['fields'])} fields instead of {', '.join(FIELDS)}")


def _plain(kind: object) -> object:
    """A type without properties that say nothing of its encoding, such as Java's class of a text."""
    if not isinstance(kind, dict):
        return kind
    kept = {key: value for key, value in kind.items() if key in {"type", "logicalType"}}
    return kept["type"] if set(kept) == {"type"} else kept or kind


def _read_block(cursor: _Cursor, number: int, codec: str, room: int) -> Block:
    count = cursor.size(f"the count of block {number}")
    size = cursor.size(f"the size of block {number}")
    packed = cursor.take(size, f"block {number}")
    try:
        content = CODECS[codec](packed, room) if packed else b""
    except AvroFault as error:
        raise AvroFault(f"block {number} {error}") from error
    if count > len(content) // len(FIELDS) or (content and not count):
        raise AvroFault(f"block {number} says that it holds {count} datoms, which its {len(content)} bytes cannot be")
    return Block(number, count, content)


def _stored(packed: bytes, room: int) -> bytes:
    if len(packed) > room:
        raise _too_large()
    return packed


def _inflated(packed: bytes, room: int) -> bytes:
    unpacker = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
    try:
        content: bytes = unpacker.decompress(packed, room + 1)
    except isal_zlib.error as error:  # type: ignore[misc] # isal's stub does not say that it is an exception
        raise AvroFault("is no deflated block") from error
    if len(content) > room:
        raise _too_large()
    if not unpacker.eof or unpacker.unused_data:
        raise AvroFault("does not end where its deflated bytes do")
    return content


def _unsnapped(packed: bytes, room: int) -> bytes:
    """Unpack a snappy block, which ends with the checksum of what it unpacks to."""
    import pyarrow as pa  # noqa: PLC0415 - it starts threads, which code that is only loaded must not

    body, checksum = packed[:-CHECKSUM_BYTES], packed[-CHECKSUM_BYTES:]
    size = _snappy_size(body)
    if size > room:
        raise _too_large()
    if size > SNAPPY_RATIO * len(body):
        raise AvroFault("is no snappy block")
    try:
        content: bytes = pa.Codec("snappy").decompress(body, size, asbytes=True)
    except (pa.ArrowException, OSError) as error:
        raise AvroFault("is no snappy block") from error
    if isal_zlib.crc32(content).to_bytes(CHECKSUM_BYTES, "big") != checksum:
        raise AvroFault("differs from its checksum")
    return content


def _snappy_size(body: bytes) -> int:
    """The size that snappy's bytes begin with, a varint."""
    size = 0
    for place, byte in enumerate(body[:5]):
        size |= (byte & LAST_GROUP) << 7 * place
        if byte <= LAST_GROUP:
            return size
    raise AvroFault("is no snappy block")


def _too_large() -> AvroFault:
    return AvroFault(f"unpacks to more than the {MOST_BYTES} bytes that a segment may have")


CODECS: Mapping[str, Callable[[bytes, int], bytes]] = {"null": _stored, "deflate": _inflated, "snappy": _unsnapped}
"""Codec → how a block is unpacked, given its bytes and the room that is left for it."""
