"""The order of tuples: element by element, nil first; their texts are EDN, as Clojure prints a vector."""

import re
from collections.abc import Iterator

from logcache_assets.engine.facts.value_keys import Key, name_key, number_key, text_key, uuid_key
from logcache_assets.engine.facts.values import milliseconds

_ELEMENT = re.compile(
    r"""\s*(?:
      (?:\#(?P<tag>[a-z]+)\s+)?"(?P<text>(?:[^"\\]|\\.)*)"
    | (?P<word>[^\s"\[\](){}]+)
    )\s*""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "b": "\b"}
_NUMBER = re.compile(r"([+-]?[0-9][0-9.eE+-]*)[NM]?", re.ASCII)
_DOUBLES = {"##NaN": "NaN", "##Inf": "Infinity", "##-Inf": "-Infinity"}


def tuple_key(text: str) -> Key:
    """Tuples by element, nil first; one that is the beginning of another is before it.

    Raises:
        ValueError: the text is no vector of values that a tuple may hold.
    """
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError(text)
    return tuple(_elements(text[1:-1]))


def _elements(inner: str) -> Iterator[Key]:
    at = 0
    while at < len(inner):
        found = _ELEMENT.match(inner, at)
        if found is None:
            raise ValueError(inner)
        yield (
            _tagged_key(found["tag"], _unescaped(found["text"])) if found["word"] is None else _word_key(found["word"])
        )
        at = found.end()


def _unescaped(text: str) -> str:
    def replace(found: re.Match[str]) -> str:
        escape = found[1]
        return chr(int(escape[1:], 16)) if len(escape) > 1 else _ESCAPED.get(escape, escape)

    return _ESCAPE.sub(replace, text)


def _tagged_key(tag: str | None, text: str) -> Key:
    """The number before the key tells types apart, which one place of a tuple never mixes."""
    match tag:
        case "inst":
            return (4, _instant(text))
        case "uuid":
            return (5, *uuid_key(text))
    return (6, *text_key(text))


def _instant(text: str) -> int:
    found = milliseconds(f"{text.removesuffix('-00:00')}Z")
    if found is None:
        raise ValueError(text)
    return found


def _word_key(word: str) -> Key:
    if word == "nil":
        return (0,)
    if word in {"false", "true"}:
        return (1, word == "true")
    if word in _DOUBLES or _NUMBER.fullmatch(word):
        return (2, *number_key(_DOUBLES.get(word, word.rstrip("NM"))))
    return (3, *name_key(word.removeprefix(":")))
