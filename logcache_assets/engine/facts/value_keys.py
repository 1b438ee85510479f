"""Keys by which texts of values sort as Datomic's index has the values: what Java and Clojure compare, in plain Python.

Each raises ValueError or ArithmeticError for a text that is not of its type.
"""

import re
from base64 import b64decode
from decimal import Decimal
from typing import Any

Key = tuple[Any, ...]
"""What sorts as a value does, among values of its type."""

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_SIGNED = bytes((byte + 128) % 256 for byte in range(256))
"""Turns the order of unsigned bytes into that of signed ones."""


def text_key(text: str) -> Key:
    """Texts by their UTF-16 units, as Java's strings: U+1F600 comes before U+FFFF."""
    return (text.encode("utf-16-be", "surrogatepass"),)


def name_key(text: str) -> Key:
    """Keywords and symbols: without a namespace first, then by namespace and name; Clojure cuts at the first `/`."""
    namespace, slash, name = text.partition("/")
    return (True, text_key(namespace), text_key(name)) if slash and text != "/" else (False, text_key(text))


def number_key(text: str) -> Key:
    """Numbers by value, whatever their scale; NaN last."""
    number = Decimal(text)
    return (True,) if number.is_nan() else (False, number)


def uuid_key(text: str) -> Key:
    """UUIDs as two signed longs, as java.util.UUID compares them."""
    if not _UUID.fullmatch(text):
        raise ValueError(text)
    raw = bytes.fromhex(text.replace("-", ""))
    return (int.from_bytes(raw[:8], signed=True), int.from_bytes(raw[8:], signed=True))


def bytes_key(text: str) -> Key:
    """Byte arrays: the shorter first, then by signed bytes."""
    raw = b64decode(text, validate=True)
    return (len(raw), raw.translate(_SIGNED))
