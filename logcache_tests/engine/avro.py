"""Writes segments: a small Avro encoder, because polars cannot write timestamps to Avro."""

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

Datom = tuple[int, int, str, int, bool]
"""(e, a, v, t, added)."""

Codec = Literal["null", "deflate", "snappy"]
CODECS: tuple[Codec, ...] = ("null", "deflate", "snappy")

TX_BASE = 13194139533312
TX_INSTANT = 50
"""The attribute :db/txInstant."""
SYNC = bytes(range(16))
FIELDS: list[object] = [
    *({"name": name, "type": kind} for name, kind in (("e", "long"), ("a", "long"), ("v", "string"), ("t", "long"))),
    {"name": "tx", "type": "long"},
    {"name": "added", "type": "boolean"},
    {"name": "tx_instant", "type": {"type": "long", "logicalType": "timestamp-millis"}},
]


def instant_ms(t: int) -> int:
    """The instant of the tx at t in invented logs."""
    return 1_500_000_000_000 + t * 1000


def instant_text(t: int) -> str:
    """The text of the :db/txInstant of the tx at t."""
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant_ms(t))
    return f"{instant:%Y-%m-%dT%H:%M:%S}.000Z"


def avro_bytes(
    datoms: Iterable[Datom], *, block_rows: int = 1000, fields: list[object] = FIELDS, codec: Codec = "null"
) -> bytes:
    """Encode datoms as an Avro file of several blocks; instants of txes are those that the datoms assert."""
    schema = {"type": "record", "name": "datom", "fields": fields}
    meta = _long(2) + _text("avro.schema") + _text(json.dumps(schema)) + _text("avro.codec") + _text(codec) + _long(0)
    datoms = list(datoms)
    given = {t: _ms_of(v) for e, a, v, t, _ in datoms if (e, a) == (TX_BASE + t, TX_INSTANT)}
    rows = [_row(datom, given.get(datom[3], instant_ms(datom[3]))) for datom in datoms]
    blocks = [rows[n : n + block_rows] for n in range(0, len(rows), block_rows)]
    return b"Obj\x01" + meta + SYNC + b"".join(_block(block, codec) for block in blocks)


def _block(rows: list[bytes], codec: Codec) -> bytes:
    content = _COMPRESS[codec](b"".join(rows))
    return _long(len(rows)) + _long(len(content)) + content + SYNC


def _deflate(content: bytes) -> bytes:
    compress = zlib.compressobj(wbits=-15)
    return compress.compress(content) + compress.flush()


def _snappy(content: bytes) -> bytes:
    """A snappy block of literals only, without compression, and the checksum that Avro adds."""
    pieces = (content[n : n + 2**16] for n in range(0, len(content), 2**16))
    literals = b"".join(b"\xf4" + (len(piece) - 1).to_bytes(2, "little") + piece for piece in pieces)
    return _varint(len(content)) + literals + zlib.crc32(content).to_bytes(4, "big")


_COMPRESS: Mapping[Codec, Callable[[bytes], bytes]] = {"null": bytes, "deflate": _deflate, "snappy": _snappy}


def _row(datom: Datom, tx_instant: int) -> bytes:
    e, a, v, t, added = datom
    return _long(e) + _long(a) + _text(v) + _long(t) + _long(TX_BASE + t) + bytes([added]) + _long(tx_instant)


def _ms_of(instant: str) -> int:
    return (datetime.fromisoformat(instant) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _text(text: str) -> bytes:
    content = text.encode()
    return _long(len(content)) + content


def _long(number: int) -> bytes:
    return _varint(number << 1 if number >= 0 else ~(number << 1))


def _varint(rest: int) -> bytes:
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])
