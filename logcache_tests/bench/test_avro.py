"""bench/avro.py: rows encoded by column are what Avro's specification says."""

import json
from pathlib import Path

import polars as pl
import pytest

from logcache_tests.bench.bank import TX_BASE, load_script, read_log, write_bank
from logcache_tests.engine.avro import FIELDS


def test_the_record_is_the_documented_one(tmp_path: Path) -> None:
    """No field is nullable, which a lenient reader would accept."""
    out = write_bank(tmp_path, datoms=1000)
    file = next(out.rglob("*.avro")).read_bytes()

    start = file.index(b"{")
    schema, _ = json.JSONDecoder().raw_decode(file[start : start + 1000].decode(errors="replace"))

    assert schema == {"type": "record", "name": "datom", "fields": FIELDS}


def test_codecs_hold_the_same_log(tmp_path: Path) -> None:
    """All codecs read back the same."""
    banks = {codec: write_bank(tmp_path / codec, datoms=1000, codec=codec) for codec in ("deflate", "null", "snappy")}

    assert read_log(banks["null"]).equals(read_log(banks["deflate"]))
    assert read_log(banks["snappy"]).equals(read_log(banks["deflate"]))
    for codec, out in banks.items():
        assert f"avro.codec{chr(2 * len(codec))}{codec}".encode() in next(out.rglob("*.avro")).read_bytes()


def test_rows_are_encoded_as_avro_says(tmp_path: Path) -> None:
    """Numbers at the limits of each length, and multi-byte texts, read back by polars."""
    avro = load_script("avro")
    edges = [n for bits in range(6, 54, 1) for n in (2**bits - 1, 2**bits)]
    texts = ["", "é", "x" * 63, "x" * 64, "ü" * 5000]
    datoms = pl.DataFrame(
        {"e": edges, "a": list(range(len(edges))), "v": (texts * len(edges))[: len(edges)], "tx_row": [0, 1] * 48}
    ).with_columns(added=pl.col("a") % 3 == 0, tx_row=pl.col("tx_row").cast(pl.UInt32))
    txs = pl.DataFrame({"t": [1000, 2**42], "instant_ms": [0, 253_402_300_799_999]})

    block = avro.encode_rows(datoms, txs).block(0, datoms.height, "null")
    (tmp_path / "file").write_bytes(avro.header("null", bytes(16)) + block + bytes(16))

    read = pl.read_avro(tmp_path / "file")
    assert read.select("e", "a", "v", "added").equals(datoms.select("e", "a", "v", "added"))
    assert read["t"].to_list() == [1000, 2**42] * 48
    assert read["tx"].to_list() == [TX_BASE + 1000, TX_BASE + 2**42] * 48
    assert read["tx_instant"].cast(pl.Int64).to_list() == [0, 253_402_300_799_999] * 48


def test_what_does_not_fit_is_refused() -> None:
    """Longs beyond the limit are refused, because they would silently lose bits."""
    with pytest.raises(ValueError, match="choose smaller ids"):
        load_script("avro").varints(pl.Series([1, 2**55]))
