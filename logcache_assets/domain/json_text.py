"""The one reader of JSON, whoever wrote it: any text gives a value of the wanted kind or an error in one clause.

It refuses what would end in a traceback or be read in two ways: nesting without end, numbers of thousands of digits,
text that is not UTF-8, a key given twice, an instant at the end of the calendar.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NoReturn, TypeVar

import msgspec

from logcache_assets.domain.known_kinds import prepared
from logcache_assets.domain.plain_text import quoted, shortened

Kind = TypeVar("Kind")

FIRST_YEAR, LAST_YEAR = 1000, 8999
"""Instants outside these years are refused: near the ends of the calendar no time zone or duration can be added."""

_TOO_DEEP = "it is nested too deeply"
_FAR_YEAR = re.compile(rb'"[09]\d{3}-')
"""How the text of an instant outside these years begins; digests and ids begin in other ways."""
_SMALL = 65_536
"""Characters up to which a text is written once more, to see whether a key is given twice: fast, but it takes room."""


class JsonError(ValueError):
    """A text is no JSON of the wanted kind; the message is a short clause."""


class NotJsonError(JsonError):
    """The text is not JSON; the message says where."""


class UnfitJsonError(JsonError):
    """The text is JSON, but not of the wanted kind."""


def decode_json(text: str | bytes, kind: type[Kind]) -> Kind:
    """Read JSON as a msgspec type.

    Raises:
        NotJsonError: it is not JSON in UTF-8.
        UnfitJsonError: it is not of this kind, gives a key twice, or has an instant outside the years 1000 to 8999.
    """
    try:
        value = msgspec.json.decode(text, type=prepared(kind))
        _refuse_doubled_keys(text)
    except RecursionError as error:
        raise NotJsonError(_TOO_DEEP) from error
    except UnicodeError as error:
        raise NotJsonError("it is not UTF-8") from error
    except msgspec.ValidationError as error:
        raise UnfitJsonError(shortened(str(error))) from error
    except msgspec.DecodeError as error:
        raise NotJsonError(_place(text)) from error
    _refuse_far_instants(text, value)
    return value


def plain_json(text: str | bytes) -> object:
    """Read JSON as plain values; raises what `decode_json` raises."""
    return decode_json(text, object)


def _place(text: str | bytes) -> str:
    """Say where and why a text is not valid JSON: `line 4 column 17: Expecting ',' delimiter`."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"line {error.lineno} column {error.colno}: {error.msg}"
    except UnicodeError:
        return "it is not UTF-8"
    except RecursionError:
        return _TOO_DEEP
    except ValueError:
        return "a number has too many digits"
    return "a value is malformed"


def _refuse_doubled_keys(text: str | bytes) -> None:
    if len(text) <= _SMALL and _is_as_written_here(text):
        return

    def unique(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise UnfitJsonError(f"the key {quoted(key)} is given twice")
            seen.add(key)

    json.loads(text, object_pairs_hook=unique, parse_int=len, parse_float=len, parse_constant=_no_constant)


def _is_as_written_here(text: str | bytes) -> bool:
    """Whether a text is what msgspec writes of its values, but for white space: it then gives every key once."""
    return msgspec.json.encode(msgspec.json.decode(text)) == _encoded(msgspec.json.format(text, indent=-1))


def _encoded(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _no_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is no number")


def _refuse_far_instants(text: str | bytes, value: object) -> None:
    if not _FAR_YEAR.search(_encoded(text)):
        return
    for instant in _instants(value):
        if not FIRST_YEAR <= instant.year <= LAST_YEAR:
            raise UnfitJsonError(f"{instant.isoformat()} is outside the years {FIRST_YEAR} to {LAST_YEAR}")


def _instants(value: object) -> Iterator[datetime]:
    if isinstance(value, datetime):
        yield value
    for part in _parts(value):
        yield from _instants(part)


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, msgspec.Struct):
        return [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()
