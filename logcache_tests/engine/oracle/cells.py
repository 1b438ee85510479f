"""Values as an analyst sees them, and their orders, from the texts of a log; nothing here is the engine's."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from logcache_tests.engine.facts.test_index_order import ORDERS
from logcache_tests.engine.oracle.calendar_days import milliseconds

Cell = Any
"""None, a number, a text, bytes, or a list of these; an instant is its milliseconds, a double NaN the text `NaN`."""


def name_of(keyword: str) -> str:
    """A keyword or ident as a value."""
    return keyword.removeprefix(":").replace("/", "__").replace("-", "_").replace(".", "_")


def cell(text: str, value_type: str) -> Cell:
    """What a column of this type shows for a text."""
    return _SHOWN.get(value_type, str)(text)


def _double(text: str) -> str:
    return "NaN" if text == "NaN" else repr(float(text.replace("Infinity", "inf")))


def _boolean(text: str) -> bool:
    return text == "true"


_SHOWN: Mapping[str, Callable[[str], Cell]] = {
    "keyword": name_of,
    "long": int,
    "ref": int,
    "boolean": _boolean,
    "instant": milliseconds,
    "double": _double,
    "float": _double,
    "bigdec": Decimal,
    "bigint": Decimal,
    "bytes": base64.b64decode,
}


def fits(text: str, value_type: str) -> bool:
    """Whether a column can hold the value."""
    if value_type == "bigint":
        return len(text.lstrip("-")) <= 38
    if value_type == "bigdec":
        whole, _, fraction = text.lstrip("-").partition(".")
        return len(whole) <= 29 and len(fraction.rstrip("0")) <= 9
    return True


def listed(texts: Iterable[str], value_type: str) -> list[Cell] | None:
    """The list that a column of cardinality many shows: ascending by value, without duplicates."""
    found = sorted({_ascending(text, value_type): cell(text, value_type) for text in sorted(texts)}.items())
    return [value for _, value in found] or None


def _ascending(text: str, value_type: str) -> tuple[Any, ...]:
    """What equal elements have in common and others sort by: text by code point, NaN last, -0.0 equals 0.0."""
    if value_type in {"double", "float"}:
        return (text == "NaN", 0.0 if text == "NaN" else float(text.replace("Infinity", "inf")))
    value = cell(text, value_type)
    return (value.encode(),) if isinstance(value, str) else (value,)


def hashed(text: str, value_type: str, key: bytes) -> str:
    """The hash of what a cell would show."""
    shown = name_of(text) if value_type == "keyword" else text
    return hmac.digest(key, shown.encode(), hashlib.sha256).hex()


def listed_hashes(texts: Iterable[str], value_type: str, key: bytes) -> list[str] | None:
    """The hashes of a list's elements, sorted; of two texts of one element, the smaller hash."""
    found: dict[tuple[Any, ...], str] = {}
    for text in texts:
        place, own = _ascending(text, value_type), hashed(text, value_type, key)
        found[place] = min(found.get(place, own), own)
    return sorted(found.values()) or None


def first_of_index(texts: Iterable[str], value_type: str) -> str | None:
    """The first in Datomic's index: by number, or by the orders that were written down by hand."""
    match value_type:
        case "long" | "ref" | "instant" | "boolean":
            return min(texts, key=lambda text: int(cell(text, value_type)), default=None)
        case "double" | "float" | "bigdec" | "bigint":
            return min(
                texts, key=lambda text: (text == "NaN", Decimal(0 if text == "NaN" else text), text), default=None
            )
    return min(texts, key=ORDERS[value_type].index, default=None)
