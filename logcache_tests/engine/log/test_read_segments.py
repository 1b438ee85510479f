"""A segment is read to its last byte, or refused in a sentence that names it."""

import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.log import avro_blocks
from logcache_assets.engine.log import read_segments as read_segments_module
from logcache_assets.engine.log.avro_blocks import AvroFault, encode_long
from logcache_assets.engine.log.avro_datoms import read_datoms
from logcache_assets.engine.log.read_segments import (
    PARALLEL_READS,
    SegmentError,
    read_portions,
    read_segment,
)
from logcache_tests.engine.avro import (
    CODECS,
    FIELDS,
    SYNC,
    TX_BASE,
    TX_INSTANT,
    Codec,
    Datom,
    avro_bytes,
    instant_ms,
    instant_text,
)
from logcache_tests.engine.generated import datom_rows, write_segment
from logcache_tests.engine.world import FEED_S0, OWN_BUCKET, segments_of

T = 1000


def tx(t: int, *datoms: tuple[int, int, str, bool]) -> list[Datom]:
    """A tx: its own instant, then its datoms."""
    return [(TX_BASE + t, TX_INSTANT, instant_text(t), t, True), *((e, a, v, t, added) for e, a, v, added in datoms)]


DATOMS = [
    *tx(T, *((17592186044418 + n, 72, f"Zoë {n}", True) for n in range(7))),
    *tx(T + 5, (17592186044418, 72, "x" * 700, True), (17592186044418, 72, "Zoë 0", False)),
    *tx(T + 9, (-1, 72, "", True), (2305864999446250524, 2**40, "\0" * 70, True)),
]
LAST = T + 9


def packed(content: bytes, codec: Codec) -> bytes:
    """The bytes of a block."""
    if codec == "snappy":
        return bytes(pa.Codec("snappy").compress(content, asbytes=True)) + zlib.crc32(content).to_bytes(4, "big")
    pack = zlib.compressobj(wbits=-15)
    return pack.compress(content) + pack.flush() if codec == "deflate" else content


def records(
    datoms: Iterable[Datom], *, tx: Callable[[int], int] = lambda t: TX_BASE + t, ms: Callable[[int], int] = instant_ms
) -> bytes:
    """The bytes of datoms, whose tx and instant are functions of their t."""
    out = b""
    for e, a, v, t, added in datoms:
        text = v.encode()
        out += b"".join(map(encode_long, (e, a, len(text)))) + text + b"".join(map(encode_long, (t, tx(t))))
        out += bytes([added]) + encode_long(ms(t))
    return out


def file_of(*blocks: tuple[int, bytes], codec: Codec = "null", header: bytes | None = None) -> bytes:
    """A file of blocks, each the count that it says and its unpacked bytes."""
    out = avro_bytes([], codec=codec) if header is None else header
    for count, content in blocks:
        body = packed(content, codec)
        out += encode_long(count) + encode_long(len(body)) + body + SYNC
    return out


ONE, TWO = records(DATOMS[:5]), records(DATOMS[5:])
WHOLE = ((5, ONE), (len(DATOMS) - 5, TWO))


def rows_of(content: bytes) -> list[Datom]:
    """The datoms of a file."""
    return datom_rows(read_datoms(content))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "places", [pytest.param(n, id=name) for n, name in enumerate(("first", "in the middle", "last"))]
)
def test_an_empty_block_is_a_block(places: int, codec: Codec) -> None:
    """Writers that flush on a timer make them; what comes after one is read."""
    blocks = [*WHOLE[:places], (0, b""), *WHOLE[places:]]

    assert rows_of(file_of(*blocks, codec=codec)) == DATOMS
    assert rows_of(file_of((0, b""), codec=codec)) == []


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("wrong", [0, 1], ids=["the first block", "the last block"])
@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda n: n - 1, id="one less"),
        pytest.param(lambda n: n // 2, id="half"),
        pytest.param(lambda _: 0, id="none"),
        pytest.param(lambda n: n + 1, id="one more"),
        pytest.param(lambda n: -n, id="negative"),
        pytest.param(lambda _: 2**40, id="2^40"),
        pytest.param(lambda _: 2**62, id="2^62"),
        pytest.param(lambda _: -(2**63), id="-2^63"),
    ],
)
def test_a_count_that_does_not_fit_the_bytes_is_refused(
    lie: Callable[[int], int], wrong: int, codec: Codec, capfd: pytest.CaptureFixture[str]
) -> None:
    """No datom is lost or invented, nothing is allocated, and no library prints its panic."""
    blocks = [(lie(n) if place == wrong else n, content) for place, (n, content) in enumerate(WHOLE)]

    with pytest.raises(AvroFault, match=f"block {wrong + 1}"):
        read_datoms(file_of(*blocks, codec=codec))

    assert capfd.readouterr().err == ""


def test_counts_that_are_wrong_together_are_refused() -> None:
    """One block says one datom less and the next one more: the sum is right."""
    with pytest.raises(AvroFault, match="block 1 says that it holds 4 datoms, but holds 5"):
        read_datoms(file_of((4, ONE), (len(DATOMS) - 4, TWO)))


WHOLE_FILE = file_of(*WHOLE)
HEADER = avro_bytes([])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(WHOLE_FILE + b"\0", "is no number|only 0 follow", id="a byte behind the end"),
        pytest.param(WHOLE_FILE + WHOLE_FILE, "block 3", id="two files in one"),
        pytest.param(WHOLE_FILE[:-1], "sync marker of block 2", id="cut in the last marker"),
        pytest.param(WHOLE_FILE[:-17], "block 2 should have", id="cut in a block"),
        pytest.param(WHOLE_FILE[:-1] + b"!", "block 2 does not end with", id="another marker"),
        pytest.param(HEADER[:-3], "sync marker of the header", id="cut in the header"),
        pytest.param(b"", "header", id="empty"),
        pytest.param(b"PAR1" + WHOLE_FILE[4:], "does not begin", id="not Avro"),
        pytest.param(HEADER + encode_long(5) + encode_long(-1), "size of block 1 is -1", id="a negative size"),
        pytest.param(HEADER + encode_long(5) + encode_long(2**62) + ONE, "block 1 should have", id="a size of 2^62"),
        pytest.param(HEADER + b"\xff" * 12, "count of block 1 is no number", id="a number without an end"),
        pytest.param(b"Obj\x01" + encode_long(-(2**63)) + b"\xff" * 3, "header", id="a header of 2^63 entries"),
        pytest.param(b"Obj\x01" + encode_long(1) + encode_long(2**40), "header", id="a key of 2^40 bytes"),
        pytest.param(file_of((5, ONE[:-1])), "block 1 holds bytes that are no datom", id="cut in a record"),
        pytest.param(file_of((5, ONE.replace(b"\x0c", b"\x7e", 1))), "no datom", id="a text beyond its block"),
        pytest.param(file_of((1, b"\0\0" + encode_long(2**62) + b"\0" * 9)), "no datom", id="a text of 2^62 bytes"),
        pytest.param(file_of((1, b"\0\0" + encode_long(-9) + b"\0" * 9)), "no datom", id="a text of -9 bytes"),
        pytest.param(file_of((1, b"\0" * 5 + b"\2" + b"\0")), "no datom", id="a boolean that is 2"),
        pytest.param(file_of((1, b"\xff" * 9 + b"\2" + b"\0" * 6)), "no datom", id="a long of 65 bits"),
        pytest.param(file_of((5, ONE.replace(b"\xc3\xab", b"\xc3\x28", 1))), "no UTF-8", id="a text that is no text"),
    ],
)
def test_a_damaged_file_is_refused(content: bytes, reason: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Every byte is accounted for, and no length is believed; nothing is printed besides."""
    with pytest.raises(AvroFault, match=reason):
        read_datoms(content)

    assert capfd.readouterr().err == ""


def test_a_snappy_block_is_compared_with_its_checksum() -> None:
    """A bit that was flipped while the block lay packed is found even where the block unpacks."""
    content = bytearray(file_of(*WHOLE, codec="snappy"))
    content[-len(SYNC) - 1] ^= 1

    with pytest.raises(AvroFault, match="block 2 differs from its checksum"):
        read_datoms(bytes(content))


@pytest.mark.parametrize("codec", CODECS)
def test_a_block_that_unpacks_to_too_much_is_refused(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a megabyte may unpack to a thousand; the limit is one for the whole file."""
    content = file_of(*WHOLE, codec=codec)

    monkeypatch.setattr(avro_blocks, "MOST_BYTES", len(ONE) + len(TWO))
    assert len(read_datoms(content)) == len(DATOMS)
    monkeypatch.setattr(avro_blocks, "MOST_BYTES", len(ONE) + len(TWO) - 1)
    with pytest.raises(AvroFault, match="block 2 unpacks to more"):
        read_datoms(content)


def header_of(schema: object, *more: tuple[str, str], count: int = 1, size: bytes = b"") -> bytes:
    """A header with a schema and more entries."""
    entries = [("avro.schema", json.dumps(schema)), *more]
    texts = b"".join(encode_long(len(t.encode())) + t.encode() for entry in entries for t in entry)
    return b"Obj\x01" + encode_long(count * len(entries)) + size + texts + b"\0" + SYNC


def record(*fields: object) -> dict[str, object]:
    """A record schema."""
    return {"type": "record", "name": "datom", "fields": list(fields)}


def with_type(name: str, kind: object) -> dict[str, object]:
    """The segment's record with another type of one field."""
    return record(*({**f, "type": kind} if f["name"] == name else f for f in FIELDS if isinstance(f, dict)))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(header_of(record(*FIELDS)), id="without a codec"),
        pytest.param(
            header_of(record(*FIELDS), ("writer", "x"), ("avro.codec", "null")), id="with an entry of its own"
        ),
        pytest.param(header_of(record(*FIELDS), count=-1, size=encode_long(9)), id="entries with their size"),
        pytest.param(
            header_of({**record(*FIELDS), "name": "Datom", "namespace": "a.b", "doc": "…"}), id="named otherwise"
        ),
        pytest.param(header_of(with_type("v", {"type": "string", "avro.java.string": "String"})), id="written by Java"),
        pytest.param(header_of(with_type("e", {"type": "long"})), id="a type in braces"),
    ],
)
def test_headers_of_other_writers_are_read(header: bytes) -> None:
    """What does not change the encoding may differ."""
    assert rows_of(file_of(*WHOLE, header=header)) == DATOMS


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        pytest.param(header_of(with_type("v", ["null", "string"])), "field v is", id="a union with null"),
        pytest.param(header_of(with_type("e", "int")), "field e is int instead of long", id="a short integer"),
        pytest.param(
            header_of(with_type("tx_instant", {"type": "long", "logicalType": "timestamp-micros"})),
            "timestamp-micros",
            id="microseconds",
        ),
        pytest.param(header_of(with_type("tx_instant", "long")), "field tx_instant is long", id="no timestamp"),
        pytest.param(header_of(record(*FIELDS[::-1])), "'tx_instant' in the place of e", id="another order"),
        pytest.param(header_of(record(*FIELDS[:-1])), "6 fields", id="a field less"),
        pytest.param(header_of(record(*FIELDS, FIELDS[0])), "8 fields", id="a field twice"),
        pytest.param(header_of(["null"]), "no schema of a record", id="no record"),
        pytest.param(header_of({"fields": 7}), "no schema of a record", id="no fields"),
        pytest.param(header_of(record(*FIELDS), ("avro.codec", "zstandard")), "codec is 'zstandard'", id="zstandard"),
    ],
)
def test_a_file_of_another_record_or_codec_is_refused(header: bytes, reason: str) -> None:
    """By name, never read in another way than it was written."""
    with pytest.raises(AvroFault, match=reason):
        read_datoms(file_of(*WHOLE, header=header))


@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.text(max_size=600), st.booleans()), max_size=30),
    st.integers(1, 9),
    st.sampled_from(CODECS),
)
@settings(max_examples=60, deadline=None)
def test_any_datoms_are_read_as_they_were_written(
    values: list[tuple[int, str, bool]], block_rows: int, codec: Codec
) -> None:
    """Ids of 64 bits and texts of any length, split into blocks of any size."""
    datoms = [(e, 7, v, T, added) for e, v, added in values]

    assert rows_of(avro_bytes(datoms, block_rows=block_rows, codec=codec)) == datoms


def segment_in(store: FolderObjectStore, datoms: Iterable[Datom] = DATOMS, content: bytes | None = None) -> Segment:
    """A segment of (0, LAST] with its file."""
    segment = write_segment(DATOMS, store, last_batch_t=0, last_t=LAST)
    store.write(segment.path, avro_bytes(datoms) if content is None else content)
    return segment


def file_with_last(*, tx: int = 0, ms: int = 0) -> bytes:
    """The file whose last datom has another tx or instant, by so much."""
    last = records(DATOMS[-1:], tx=lambda t: TX_BASE + t + tx, ms=lambda t: instant_ms(t) + ms)
    return file_of((len(DATOMS) - 1, records(DATOMS[:-1])), (1, last))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            avro_bytes(DATOMS[8:]), "begins at t 1005, but its index item says 1000", id="its begin is missing"
        ),
        pytest.param(avro_bytes(DATOMS[:8]), "ends at t 1000, the end of the file is missing", id="its end is missing"),
        pytest.param(
            avro_bytes(DATOMS[:8] + DATOMS[9:]), "txInstant once for each tx, first at t 1005", id="no instant"
        ),
        pytest.param(avro_bytes([DATOMS[0], *DATOMS]), "once for each tx, first at t 1000", id="an instant twice"),
        pytest.param(file_with_last(tx=1), "a tx that is not that of its t, first at t 1009", id="tx"),
        pytest.param(file_with_last(ms=1), "several instants for one tx, first at t 1009", id="instants"),
    ],
)
def test_a_segment_that_is_no_whole_log_of_its_range_is_refused(
    content: bytes, reason: str, store: FolderObjectStore
) -> None:
    """Datomic writes whole txes, each with its own instant; the index says where they begin and end."""
    segment = segment_in(store, content=content)

    with pytest.raises(SegmentError, match=reason) as refusal:
        read_segment(segment, store)
    with pytest.raises(SegmentError, match=reason):
        list(read_portions([segment], store))
    assert segment.path in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["2017-07-14T02:56:40.001Z", "9999-12-31T23:59:59.999Z", "-0044-03-15T12:00:00.000Z", "2017"]
)
def test_an_instant_that_its_tx_does_not_assert_is_refused(text: str, store: FolderObjectStore) -> None:
    """`tx_instant` repeats what the tx says of itself."""
    other = [(e, a, text if e == TX_BASE + T else v, t, added) for e, a, v, t, added in DATOMS]
    segment = segment_in(store, content=file_of((len(DATOMS), records(other))))

    with pytest.raises(SegmentError, match="not the :db/txInstant of its tx, first at t 1000"):
        read_segment(segment, store)


def test_an_instant_of_another_millennium_is_read(store: FolderObjectStore) -> None:
    """Datomic accepts instants of any year for a tx."""
    years = {T: ("-0044-03-15T12:00:00.000Z", -63_549_316_800_000), T + 5: ("1969-12-31T23:59:59.999Z", -1)}
    datoms = [(e, a, years[t][0] if t in years and a == TX_INSTANT else v, t, d) for e, a, v, t, d in DATOMS]
    content = file_of((len(datoms), records(datoms, ms=lambda t: years[t][1] if t in years else instant_ms(t))))

    assert datom_rows(read_segment(segment_in(store, content=content), store)) == datoms


def test_an_instant_beyond_every_calendar_is_refused(
    store: FolderObjectStore, capfd: pytest.CaptureFixture[str]
) -> None:
    """A damaged tx_instant of 2^62 is compared like any other, and no library prints its panic."""
    content = file_of((len(DATOMS), records(DATOMS, ms=lambda _: 2**62)))
    segment = replace(segment_in(store, content=content), timestamp_ms=2**62)

    with pytest.raises(SegmentError, match="not the :db/txInstant of its tx"):
        read_segment(segment, store)

    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("timestamp_ms", "refused"),
    [
        pytest.param(instant_ms(LAST) // 1000, True, id="in seconds"),
        pytest.param(instant_ms(LAST) - 3_600_000, True, id="an hour before its last tx"),
        pytest.param(instant_ms(LAST) - 60_000, False, id="within a minute, as clocks differ"),
        pytest.param(instant_ms(LAST), False, id="at its last tx"),
    ],
)
def test_no_segment_is_older_than_its_txes(timestamp_ms: int, *, refused: bool, store: FolderObjectStore) -> None:
    """Whether a cache is stale is judged by the timestamp, so one in seconds must not pass for an old extraction."""
    segment = replace(segment_in(store), timestamp_ms=timestamp_ms)

    if refused:
        with pytest.raises(SegmentError, match=r"was extracted \d+ ms before its last tx"):
            read_segment(segment, store)
    else:
        assert datom_rows(read_segment(segment, store)) == DATOMS


def test_a_wrong_tx_is_found_among_many_segments(store: FolderObjectStore) -> None:
    """All datoms are checked at once; the error still names the one file."""
    bad, good = segments_of(FEED_S0)[:2]
    datoms = [datom for datom in datom_rows(read_segment(bad, store)) if datom[1] != TX_INSTANT]
    broken = replace(bad, path=f"s3://{OWN_BUCKET}/broken.avro", initial_t=datoms[0][3])
    store.write(broken.path, avro_bytes(datoms))

    with pytest.raises(SegmentError, match=rf"segment {broken.path}, .*:db/txInstant"):
        list(read_portions([good, broken], store))


def test_portions_are_whole_segments_in_order(store: FolderObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each portion ends at the first segment that makes it large enough; together they are the log."""
    segments = segments_of(FEED_S0)
    frames = [read_segment(segment, store) for segment in segments]
    sizes = [len(frame) for frame in frames]
    monkeypatch.setattr(read_segments_module, "PORTION_DATOMS", sizes[0] + 1)

    first, *others = read_portions(segments, store)

    assert len(first) == sizes[0] + sizes[1]
    assert datom_rows(pl.concat([first, *others])) == datom_rows(pl.concat(frames))


def test_few_segments_are_read_ahead(store: FolderObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one portion is worked on, the others are not all read and held."""
    segments = [segments_of(FEED_S0)[0]] * 100
    read: list[str] = []

    def counted(asked: FolderObjectStore, uri: str) -> bytes:
        read.append(uri)
        return asked.path_of(uri).read_bytes()

    monkeypatch.setattr(read_segments_module, "PORTION_DATOMS", 1)
    monkeypatch.setattr(FolderObjectStore, "read", counted)

    next(read_portions(segments, store))

    assert 1 <= len(read) <= 2 * PARALLEL_READS
