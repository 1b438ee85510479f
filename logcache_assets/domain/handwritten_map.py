"""Reads a log cache map also in its older form, which people wrote by hand: last_t and paths alone, and no manifest.

    older form                              read as
    {"last_t": 95599, "log": …, …}          an UnprovenEntry
    "last_t": "95599", "95599N" or 95599N   95599
    a transaction, a source_read_at         kept as they are; they prove nothing
    any order of keys, any layout           the same map

Whatever writes a map writes the canonical form. A map whose entries all name manifests has no other form, so there an
edit by hand stays an error (C15).
"""

import re
from collections.abc import Mapping

import msgspec

from logcache_assets.domain.json_text import JsonError, plain_json
from logcache_assets.domain.known_kinds import converted
from logcache_assets.domain.log_cache_map import AnyEntry, LogCacheMap, MapEntry, UnprovenEntry, parse_map
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.problems import Problem
from logcache_assets.errors import BadInput

_TEXT_OR_CLOJURE_NUMBER = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\Z))|\b(\d+)N\b')
_WHOLE_NUMBER = re.compile(r"([1-9][0-9]{0,18})N?")
_MANIFEST = "manifest_sha256"


def parse_any_map(text: str, *, where: str) -> LogCacheMap:
    """Parse a map in its canonical or in its older form.

    Args:
        text: the file.
        where: what to call it in an error, for example `log_cache_map.json on main`.

    Raises:
        BadInput: the text is a map in neither form.
    """
    plain = _plain_map(text)
    if plain is None or not _names_no_manifest(plain):
        return parse_map(text, where=where)
    return {
        prototype: {name: _entry(found, place=f"{where}: entry {prototype} / {name}") for name, found in own.items()}
        for prototype, own in plain.items()
    }


def _plain_map(text: str) -> Mapping[str, Mapping[str, object]] | None:
    """The map as plain values, its integers as JSON writes them; None if it is no JSON of two levels."""
    try:
        plain = plain_json(_TEXT_OR_CLOJURE_NUMBER.sub(r"\1\2", text))
        return converted(plain, dict[str, dict[str, object]])
    except (JsonError, msgspec.ValidationError):
        return None


def _names_no_manifest(plain: Mapping[str, Mapping[str, object]]) -> bool:
    """True if some entry is of the older form."""
    entries = (entry for databases in plain.values() for entry in databases.values())
    return any(isinstance(entry, dict) and _MANIFEST not in entry for entry in entries)


def _entry(plain: object, *, place: str) -> AnyEntry:
    is_older = isinstance(plain, dict) and _MANIFEST not in plain
    try:
        return converted(_with_whole_t(plain), UnprovenEntry) if is_older else converted(plain, MapEntry)
    except msgspec.ValidationError as error:
        found = shortened(f"{place}: {error}")
        raise BadInput(str(Problem(code="C15", found=(found,), remedy="correct it and commit"))) from error


def _with_whole_t(plain: object) -> object:
    """The entry with a last_t that was written as a text, as a number."""
    written = plain.get("last_t") if isinstance(plain, dict) else None
    found = _WHOLE_NUMBER.fullmatch(written) if isinstance(written, str) else None
    return {**plain, "last_t": int(found[1])} if isinstance(plain, dict) and found else plain
