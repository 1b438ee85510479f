"""Writes segments: a small Avro encoder, because polars cannot write timestamps to Avro."""

import json
from collections.abc import Iterable

Datom = tuple[int, int, str, int, bool]
"""(e, a, v, t, added)."""

TX_BASE = 13194139533312
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


def avro_bytes(datoms: Iterable[Datom], *, block_rows: int = 1000, fields: list[object] = FIELDS) -> bytes:
    """An uncompressed Avro file of these datoms, in blocks."""
    schema = {"type": "record", "name": "datom", "fields": fields}
    meta = _long(1) + _text("avro.schema") + _text(json.dumps(schema)) + _long(0)
    rows = [_row(datom) for datom in datoms]
    blocks = [rows[n : n + block_rows] for n in range(0, len(rows), block_rows)]
    return b"Obj\x01" + meta + SYNC + b"".join(_block(block) for block in blocks)


def _block(rows: list[bytes]) -> bytes:
    content = b"".join(rows)
    return _long(len(rows)) + _long(len(content)) + content + SYNC


def _row(datom: Datom) -> bytes:
    e, a, v, t, added = datom
    return _long(e) + _long(a) + _text(v) + _long(t) + _long(TX_BASE + t) + bytes([added]) + _long(instant_ms(t))


def _text(text: str) -> bytes:
    content = text.encode()
    return _long(len(content)) + content


def _long(number: int) -> bytes:
    rest = number << 1 if number >= 0 else ~(number << 1)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])
