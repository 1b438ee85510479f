"""Parses the canonical texts of datoms into the typed values of contract columns, exactly or not at all.

Conversions give null if the text is not a value of the type or does not fit; the caller reports whose value it is.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import date

import polars as pl

TEXT_TYPES = frozenset({"string", "uuid", "uri", "symbol", "tuple", "keyword"})
INSTANT = pl.Datetime("ms", "UTC")
BIGDEC = pl.Decimal(38, 9)
BIGINT = pl.Decimal(38, 0)

COLUMN_TYPES: Mapping[str, pl.DataType] = {
    **dict.fromkeys(TEXT_TYPES, pl.String()),
    "long": pl.Int64(),
    "boolean": pl.Boolean(),
    "instant": INSTANT,
    "double": pl.Float64(),
    "float": pl.Float64(),
    "bigdec": BIGDEC,
    "bigint": BIGINT,
    "bytes": pl.Binary(),
    "ref": pl.Int64(),
}
"""Value type → column type. A type that is missing here (`fn`) cannot be a column."""


INTEGER_TYPES = frozenset({"long", "ref", "boolean", "instant"})
"""Value types that fit one integer: an instant is its milliseconds, a boolean 0 or 1."""


def parse_values(texts: pl.Series, value_type: str) -> pl.Series:
    """Parse canonical texts; null where the type cannot hold the value."""
    parse = _PARSERS.get(value_type)
    return texts if parse is None else parse(texts)


def parse_integers(texts: pl.Series, value_type: str) -> pl.Series:
    """Parse texts of one of the INTEGER_TYPES into integers; null where a text is not one."""
    return parse_values(texts, value_type).cast(pl.Int64)


def typed_integers(integers: pl.Series, value_type: str) -> pl.Series:
    """Convert the result of parse_integers into that of parse_values."""
    return integers.cast(COLUMN_TYPES[value_type])


def shown_texts(texts: pl.Series, value_type: str) -> pl.Series:
    """The texts that cells show: keywords by the column rule, others unchanged."""
    return column_names(texts) if value_type == "keyword" else texts


def column_names(keywords: pl.Series) -> pl.Series:
    """Keywords by the column rule of domain/names.py (`:status/settled` → `status__settled`), vectorized."""
    return keywords.str.strip_prefix(":").str.replace_all("/", "__", literal=True).str.replace_all("[-.]", "_")


def distinct_texts(texts: pl.Series, value_type: str) -> pl.Series:
    """Texts that are equal exactly where a list shows one element: 1.0 and 1.00 are one, 0.0 and -0.0 too."""
    if value_type in {"double", "float"}:
        return texts.replace("-0.0", "0.0")
    if value_type != "bigdec":
        return shown_texts(texts, value_type)
    short = pl.col("text").str.strip_chars_end("0").str.strip_chars_end(".").replace("-0", "0")
    has_point = pl.col("text").str.contains(".", literal=True)
    return texts.to_frame("text").select(pl.when(has_point).then(short).otherwise("text")).to_series()


def hash_texts(texts: pl.Series, key: bytes) -> pl.Series:
    """Hex HMAC-SHA256 of each text under the deployment's key; null stays null."""
    hashes = [None if text is None else hmac.digest(key, text.encode(), hashlib.sha256).hex() for text in texts]
    return pl.Series(texts.name, hashes, dtype=pl.String)


def _parse_long(texts: pl.Series) -> pl.Series:
    return texts.cast(pl.Int64, strict=False)


def _parse_boolean(texts: pl.Series) -> pl.Series:
    return texts.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)


def _parse_double(texts: pl.Series) -> pl.Series:
    """Null for a finite number beyond the range of doubles, which polars would make infinite."""
    numbers = texts.cast(pl.Float64, strict=False)
    overflows = numbers.is_infinite() & ~texts.str.ends_with("Infinity")
    return numbers.set(overflows.fill_null(value=False), None) if overflows.any() else numbers


def _parse_bigdec(texts: pl.Series) -> pl.Series:
    """Polars rounds beyond nine decimals, so only zeros may be dropped there; short texts have no such decimals."""
    if (texts.str.len_bytes() <= _SHORT).all():
        return _where(~texts.str.contains(r"[^-0-9.]"), texts).cast(BIGDEC, strict=False)
    fits = texts.str.contains(r"^-?0*[0-9]{1,29}(\.[0-9]{0,9}0*)?$")
    exact = texts.str.replace(r"(\.[0-9]{9})0+$", "${1}")
    return _where(fits, exact).cast(BIGDEC, strict=False)


_SHORT = 10


def _parse_bigint(texts: pl.Series) -> pl.Series:
    return _where(texts.str.contains(r"^-?0*[0-9]{1,38}$"), texts).cast(BIGINT, strict=False)


def _where(fits: pl.Series, texts: pl.Series) -> pl.Series:
    return texts.to_frame("text").select(pl.when(fits).then(pl.col("text")))["text"]


def _parse_bytes(texts: pl.Series) -> pl.Series:
    return texts.str.decode("base64", strict=False)


def _parse_instant(texts: pl.Series) -> pl.Series:
    """Four-digit years are parsed vectorized, the rare others (Java writes `+10000-01-01…`) one by one."""
    instants = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="ms", time_zone="UTC", strict=False)
    rare = instants.is_null() & texts.is_not_null()
    if not rare.any():
        return instants
    found = [milliseconds(text) if is_rare else None for text, is_rare in zip(texts, rare, strict=True)]
    return instants.cast(pl.Int64).fill_null(pl.Series(found, dtype=pl.Int64)).cast(INSTANT)


_INSTANT = re.compile(r"([+-]?\d{4,9})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3})0*)?Z", re.ASCII)
_YEARS_OF_A_CYCLE, _DAYS_OF_A_CYCLE = 400, 146_097


def milliseconds(text: str) -> int | None:
    """Milliseconds from 1970 to an instant of any year, as far as 64 bits reach (Java's Date ends there, too).

    The Gregorian calendar repeats every 400 years. None for a text that is no instant.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    cycles, year_of_cycle = divmod(year - 2000, _YEARS_OF_A_CYCLE)
    try:
        days = (date(2000 + year_of_cycle, month, day) - date(1970, 1, 1)).days + cycles * _DAYS_OF_A_CYCLE
    except ValueError:
        return None
    if not (hour < 24 and minute < 60 and second < 60):  # noqa: PLR2004 - limits of a clock
        return None
    found = ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + int((match[7] or "0").ljust(3, "0"))
    return found if -(2**63) <= found < 2**63 else None


_PARSERS: Mapping[str, Callable[[pl.Series], pl.Series]] = {
    "keyword": column_names,
    "long": _parse_long,
    "ref": _parse_long,
    "boolean": _parse_boolean,
    "double": _parse_double,
    "float": _parse_double,
    "bigdec": _parse_bigdec,
    "bigint": _parse_bigint,
    "bytes": _parse_bytes,
    "instant": _parse_instant,
}
