"""Canonical JSON, the form of the map and of all documents: equal values are equal bytes with one SHA-256."""

import hashlib
import json
from datetime import UTC, datetime

import msgspec


def canonical_json(value: object) -> str:
    """Render a value as canonical JSON: sorted keys, two spaces, instants as `utc_text`, final newline.

    Args:
        value: anything that msgspec can turn into plain values.
    """
    plain = msgspec.to_builtins(value, builtin_types=(datetime,))
    return json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False, default=utc_text) + "\n"


def utc_text(instant: datetime) -> str:
    """Render an instant as ISO-8601 UTC with milliseconds and Z, the form that all documents use."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sha256_of(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
