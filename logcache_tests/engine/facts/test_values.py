"""For each value type, a canonical text becomes exactly its value, or null."""

import math
import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.names import column_name
from logcache_assets.engine.facts.values import COLUMN_TYPES, column_names, hash_texts, parse_values

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_one(text: str, value_type: str) -> object:
    """The value of one text; instants as milliseconds."""
    parsed = parse_values(pl.Series([text], dtype=pl.String), value_type)
    assert parsed.dtype == COLUMN_TYPES[value_type]
    return parsed.cast(pl.Int64)[0] if value_type == "instant" else parsed[0]


@pytest.mark.parametrize(
    ("value_type", "text", "value"),
    [
        ("string", "", ""),
        ("string", "a\u0000b\nç😀", "a\u0000b\nç😀"),
        ("uuid", "5b1c9f8e-2f3b-4a55-8d6f-4f2f3a1b2c3d", "5b1c9f8e-2f3b-4a55-8d6f-4f2f3a1b2c3d"),
        ("uri", "https://bank.example/a?q=1#é", "https://bank.example/a?q=1#é"),
        ("symbol", "bank.core/settle!", "bank.core/settle!"),
        ("tuple", '["x\\"y" 83870]', '["x\\"y" 83870]'),
        ("keyword", ":flag.v2/a-b", "flag_v2__a_b"),
        ("keyword", ":sms", "sms"),
        ("long", "-9223372036854775808", -(2**63)),
        ("long", "9223372036854775807", 2**63 - 1),
        ("ref", "2305864999446250524", 2305864999446250524),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("double", "1.0E-320", 1e-320),
        ("double", "5.0E-324", 5e-324),
        ("double", "1.7976931348623157E308", 1.7976931348623157e308),
        ("double", "Infinity", math.inf),
        ("double", "-Infinity", -math.inf),
        ("float", "0.1", 0.1),
        ("bigdec", "1.00", Decimal(1)),
        ("bigdec", "-0.000000001", Decimal("-0.000000001")),
        ("bigdec", "1.10000000000", Decimal("1.1")),
        ("bigdec", "9" * 29 + "." + "9" * 9, Decimal("9" * 29 + "." + "9" * 9)),
        ("bigint", "-" + "9" * 38, Decimal("-" + "9" * 38)),
        ("bytes", "", b""),
        ("bytes", "/wA=", b"\xff\x00"),
        ("instant", "1970-01-01T00:00:00.000Z", 0),
        ("instant", "1969-12-31T23:59:59.999Z", -1),
        ("instant", "0001-01-01T00:00:00.000Z", -62_135_596_800_000),
        ("instant", "9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("instant", "+10000-01-01T00:00:00.000Z", 253_402_300_800_000),
        ("instant", "+292278994-08-17T07:12:55.807Z", 2**63 - 1),
    ],
)
def test_a_canonical_text_is_its_value(value_type: str, text: str, value: object) -> None:
    """Expected values were written by hand, from the documentation of each type."""
    assert parse_one(text, value_type) == value


@pytest.mark.parametrize(
    ("value_type", "text"),
    [
        ("long", "9223372036854775808"),
        ("long", "1.0"),
        ("long", ""),
        ("boolean", "TRUE"),
        ("double", "1e999"),
        ("double", "one"),
        ("bigdec", "1.0000000001"),
        ("bigdec", "1" + "0" * 29),
        ("bigdec", "1E+3"),
        ("bigint", "1" + "0" * 38),
        ("bigint", "1.5"),
        ("bytes", "5Q"),
        ("instant", "2018-02-30T00:00:00.000Z"),
        ("instant", "2018-01-01T00:00:00.1234Z"),
        ("instant", "2018-01-01T25:00:00.000Z"),
        ("instant", "2018-01-01"),
    ],
)
def test_what_a_type_cannot_hold_is_nothing(value_type: str, text: str) -> None:
    """Values are never rounded, wrapped around or guessed."""
    assert parse_one(text, value_type) is None


def test_nan_and_negative_zero_are_kept() -> None:
    """NaN stays NaN and -0.0 keeps its sign, which equality alone would not show."""
    nan, zero = parse_values(pl.Series(["NaN", "-0.0"]), "double")

    assert math.isnan(nan)
    assert math.copysign(1, zero) == -1


@given(st.floats(allow_nan=False))
def test_every_double_reads_back(number: float) -> None:
    """The shortest text of a double reads back bit for bit."""
    found = parse_one(repr(number) if math.isfinite(number) else f"{'-' if number < 0 else ''}Infinity", "double")

    assert struct.pack(">d", found) == struct.pack(">d", number)


@given(st.decimals(min_value=-(10**29) + 1, max_value=10**29 - 1, places=9))
def test_every_decimal_of_nine_places_reads_back(number: Decimal) -> None:
    """Decimals are exact, never read through a double."""
    assert parse_one(f"{number:f}", "bigdec") == number


@given(st.integers(-(10**15), 10**15))
def test_every_instant_reads_back(milliseconds: int) -> None:
    """Instants in and far beyond Python's years, by the calendar's 400-year cycle."""
    cycle = 146_097 * 86_400_000
    years, inside = divmod(milliseconds - 946_684_800_000, cycle)
    instant = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(milliseconds=inside)
    year = instant.year + 400 * years
    text = f"{'+' if year > 9999 else '-' if year < 0 else ''}{abs(year):04d}-{instant:%m-%dT%H:%M:%S}"

    assert parse_one(f"{text}.{instant.microsecond // 1000:03d}Z", "instant") == milliseconds


@given(st.from_regex(r":[a-z.-]{1,9}(/[a-z0-9.!?*-]{1,9})?", fullmatch=True))
def test_keywords_follow_the_column_rule(keyword: str) -> None:
    """Keyword values follow the same rule as column names."""
    assert column_names(pl.Series([keyword]))[0] == column_name(keyword)


def test_personal_data_is_hashed_with_the_key() -> None:
    """HMAC-SHA256 in hex, RFC 4231 test case 2; null stays null."""
    hashed = hash_texts(pl.Series(["what do ya want for nothing?", None]), b"Jefe")

    assert hashed.to_list() == ["5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", None]
