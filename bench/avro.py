"""Encodes datoms as Avro segments, vectorised: each column becomes bytes, and rows are joins of byte columns.

polars cannot be used: it cannot write timestamps to Avro and makes every field nullable. A joined Arrow
column holds the bytes of its rows contiguously, so a block of rows is a slice of its buffer.
"""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

TX_BASE = 13194139533312
"""The entity of the tx at t is TX_BASE + t."""
BLOCK_ROWS = 8000
SCHEMA = {
    "type": "record",
    "name": "datom",
    "fields": [
        {"name": "e", "type": "long"},
        {"name": "a", "type": "long"},
        {"name": "v", "type": "string"},
        {"name": "t", "type": "long"},
        {"name": "tx", "type": "long"},
        {"name": "added", "type": "boolean"},
        {"name": "tx_instant", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ],
}
"""The record schema of docs/formats.md."""

LAST_GROUP, GOES_ON = 0x7F, 0x80
"""A varint is a number in groups of 7 bits, lowest first; the eighth bit says that more follow."""
MAX_BYTES = 8
"""Longest varint, so that it fits a 64-bit integer."""
END = 1 << 55
"""Exclusive limit of encodable longs, by MAX_BYTES; ids, t and instants of a bench log are below it."""


def _deflated(content: memoryview) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def _snappy(content: memoryview) -> bytes:
    """Compress a block for Avro, whose snappy blocks end with the checksum of the uncompressed bytes."""
    packed: bytes = pa.Codec("snappy").compress(content, asbytes=True)
    return packed + zlib.crc32(content).to_bytes(4, "big")


CODECS: dict[str, Callable[[memoryview], bytes]] = {"deflate": _deflated, "null": bytes, "snappy": _snappy}


def header(codec: str, sync: bytes) -> bytes:
    """The start of a file, up to its first block."""
    meta = _text("avro.schema") + _text(json.dumps(SCHEMA, separators=(",", ":"))) + _text("avro.codec") + _text(codec)
    return b"Obj\x01" + _long(2) + meta + _long(0) + sync


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded rows, contiguous."""

    content: memoryview
    starts: memoryview
    """Offset of each row in `content`, and the end of the last one."""

    def block(self, first: int, end: int, codec: str) -> bytes:
        """The block of the rows [first, end), without its sync marker."""
        packed = CODECS[codec](self.content[self.starts[first] : self.starts[end]])
        return _long(end - first) + _long(len(packed)) + packed


def encode_rows(datoms: pl.DataFrame, txs: pl.DataFrame) -> Rows:
    """Encode each datom as its Avro record.

    Args:
        datoms: columns e, a, v, added, and `tx_row`, the row of its tx in `txs`.
        txs: columns t and `instant_ms`.
    """
    # The fields of a tx are encoded once per tx and value of `added`, which lies between them.
    own = pl.Series([b"\x00", b"\x01"] * txs.height, dtype=pl.Binary)
    twice = txs.select(pl.all().repeat_by(2).explode())
    tails = _joined(varints(twice["t"]), varints(twice["t"] + TX_BASE), own, varints(twice["instant_ms"]))
    sizes = datoms["v"].str.len_bytes()
    rows = _joined(
        varints(datoms["e"]),
        _looked_up(datoms["a"]),
        _looked_up(sizes),
        datoms["v"].cast(pl.Binary),
        pl.Series(tails).gather(datoms.select(pl.col("tx_row") * 2 + pl.col("added").cast(pl.UInt32)).to_series()),
    )
    _, starts, content = rows.buffers()
    return Rows(memoryview(content), memoryview(starts).cast("q"))


def _joined(*columns: pl.Series) -> pa.LargeBinaryArray:
    arrays = [column.to_arrow().cast(pa.large_binary()) for column in columns]
    return pc.binary_join_element_wise(*arrays, pa.scalar(b"", pa.large_binary()))


def _looked_up(small: pl.Series) -> pl.Series:
    """Varints of small numbers, each distinct number encoded once."""
    numbers = pl.Series(range(_range_of(small)[1] + 1), dtype=pl.Int64)
    return varints(numbers).gather(small)


def _range_of(numbers: pl.Series) -> tuple[int, int]:
    """The least and the greatest value; zeros if there are none."""
    least, greatest = numbers.to_frame().select(pl.first().min().alias("least"), pl.first().max().alias("most")).row(0)
    return least or 0, greatest or 0


def varints(numbers: pl.Series) -> pl.Series:
    """Encode longs as Avro does, for 0 <= long < 2^55."""
    least, greatest = _range_of(numbers)
    if least < 0 or greatest >= END:
        raise ValueError(f"longs from {least} to {greatest}: only 0 to 2^55 are encoded; choose smaller ids")
    zigzag, later = pl.col("n") * 2, range(1, MAX_BYTES)
    groups = [((zigzag // _u64(1 << 7 * i)) & _u64(LAST_GROUP)) * _u64(1 << 8 * i) for i in range(MAX_BYTES)]
    goes_on = [zigzag >= _u64(1 << 7 * i) for i in later]
    marks = [more.cast(pl.UInt64) * _u64(GOES_ON << 8 * (i - 1)) for i, more in zip(later, goes_on, strict=True)]
    words = numbers.cast(pl.UInt64).alias("n").to_frame()
    words = words.select(word=pl.sum_horizontal(*groups, *marks), size=1 + pl.sum_horizontal(goes_on))
    words = words.with_columns(little_endian(words["word"]).alias("bytes"))
    return words.select(pl.col("bytes").bin.slice(0, pl.col("size"))).to_series()


def little_endian(numbers: pl.Series) -> pl.Series:
    """The eight bytes of each UInt64, a view of the same memory."""
    array = numbers.to_arrow()
    parts = [None, array.buffers()[1]]
    return pl.Series(pa.Array.from_buffers(pa.binary(8), len(array), parts, offset=array.offset))


def _u64(number: int) -> pl.Expr:
    return pl.lit(number, dtype=pl.UInt64)


def _text(text: str) -> bytes:
    return _long(len(text.encode())) + text.encode()


def _long(number: int) -> bytes:
    """Encode one long; a loop is faster than a column of one row."""
    rest, out = number << 1, bytearray()
    while rest > LAST_GROUP:
        out.append(rest & LAST_GROUP | GOES_ON)
        rest >>= 7
    return bytes([*out, rest])
