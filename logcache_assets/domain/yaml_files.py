"""Reads YAML that people edit by hand into msgspec types; every error names file and line.

Only what all these files share is here; the meaning of each file is in its own module.
"""

import math
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec
import yaml
from typing_extensions import override

from logcache_assets.domain.known_kinds import converted
from logcache_assets.domain.plain_text import plain_text, quoted, shortened
from logcache_assets.errors import BadInput

FileType = TypeVar("FileType")

ENDING = ".yaml"
"""How the names of all these files end; there is one spelling, because a file that is not found is not read."""

MOST_CHARACTERS = 300_000
MOST_VALUES = 100_000
"""How many values a file may hold, each alias counted as what it stands for: few lines can stand for 10^9."""
MOST_LEVELS = 50
NUMBER_CHARACTERS = 400
"""A double in decimal has fewer; what is longer takes PyYAML time without end."""

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp")


class _Loader(yaml.SafeLoader):
    """Adds the line to errors for impossible dates and numbers such as 2026-02-30, which PyYAML reports without it."""

    @override
    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            problem = f"{_shown(node)} is no {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


def parse_yaml(
    text: str, kind: type[FileType], *, where: str, remedy: str, empty: object = None
) -> tuple[FileType, yaml.Node | None]:
    """Parse YAML as a msgspec type; returns the value, and the node in which `line_of` finds lines.

    Args:
        text: YAML.
        kind: what the file holds.
        where: the file's name for errors.
        remedy: advice in errors, for example `correct the definition`.
        empty: plain value of a file without content.

    Raises:
        BadInput: the text is not YAML, not of this kind, too large, too deep, or has a duplicate key; the message has
            file and line.
    """
    node, plain = _read_yaml(text, where)
    try:
        value = converted(empty if plain is None else plain, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"{where}, {_unfit(str(error), node, remedy)}") from error
    for key in _duplicate_keys(node):
        raise BadInput(f"{where}, line {key.start_mark.line + 1}: the key {_shown(key)} is given twice; keep one")
    return value, node


def refuse_other_endings(paths: Iterable[str]) -> None:
    """Raise BadInput for a file that looks like YAML but would not be read: `feed.yml`, `feed.YAML`."""
    for path in paths:
        stem, dot, ending = path.rpartition(".")
        if ending.lower() in {"yml", "yaml"} and dot + ending != ENDING:
            raise BadInput(f"{path} would not be read, because names end with {ENDING}; rename it to {stem}{ENDING}")


def _unfit(message: str, node: yaml.Node | None, remedy: str) -> str:
    """Say at which line and key a value is not of the file's kind."""
    message, _, path = message.partition(" - at `")
    path = path.rstrip("`")
    line = line_of(node, path, key=message.partition("unknown field `")[2].rstrip("`"))
    at = f" at {path.removeprefix('$.')}" if path else ""
    found = _nearest(node, path)
    hint = _spelling_hint(found) if message == "Expected `float`, got `str`" else ""
    said = f"{_shown(found)} is refused: {message}" if found and message.startswith(_OF_VALUES) else message
    return f"line {line}: {shortened(said)}{at}; {hint or remedy}"


_OF_VALUES = ("Expected `str` matching", "Expected `str` of length")
"""How msgspec begins what it says of a text's form; it does not say which text."""


def _read_yaml(text: str, where: str) -> tuple[yaml.Node | None, object]:
    if len(text) > MOST_CHARACTERS:
        raise BadInput(f"{where} has {len(text):,} characters, more than {MOST_CHARACTERS:,}; name the right file")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        for problem in _unreadable(node):
            raise BadInput(f"{where}, {problem}; correct the file")
        return node, None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{where}, line {line}: not YAML: {shortened(str(error.problem))}; correct the file") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadInput(f"{where}, line {line}: not YAML: {error.reason}; correct the file") from error
    except RecursionError as error:
        raise BadInput(f"{where} is nested deeper than {MOST_LEVELS} levels; correct the file") from error
    except (ArithmeticError, ValueError) as error:  # an escape such as "\UFFFFFFFF" that is no character
        raise BadInput(f"{where} is not YAML: it has an escape that is no character; correct the file") from error


def _unreadable(root: yaml.Node | None) -> Iterator[str]:
    """What makes a file that is YAML unfit to be read: its depth, its size, characters that nobody can see."""
    waiting = [(root, 1)] if root else []
    values = 0
    while waiting:
        node, level = waiting.pop()
        values += 1
        line = f"line {node.start_mark.line + 1}:"
        if level > MOST_LEVELS:
            yield f"{line} nested deeper than {MOST_LEVELS} levels"
        if values > MOST_VALUES:
            yield f"{line} more than {MOST_VALUES:,} values, with every alias counted as what it stands for"
        if isinstance(node, yaml.ScalarNode) and node.value != plain_text(node.value):
            yield f"{line} {_shown(node)} has control characters"
        if node.tag in _NUMBERS and len(node.value) > NUMBER_CHARACTERS:
            yield f"{line} {_shown(node)} has {len(node.value):,} characters"
        waiting += [(child, level + 1) for child in _children(node)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _shown(node: yaml.Node) -> str:
    """What stands at a node, for a message: a text in quotes, shortened; anything else by its kind."""
    return quoted(node.value) if isinstance(node, yaml.ScalarNode) else f"a {str(node.tag).rpartition(':')[2]}"


def _duplicate_keys(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """Keys that occur twice in one mapping; PyYAML would silently use the last one."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key
                seen.add(key.value)
            yield from _duplicate_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for element in node.value:
            yield from _duplicate_keys(element)


def _spelling_hint(node: yaml.Node | None) -> str:
    """Say how to write a number that YAML 1.1 reads as text: it needs the point in 1.0e-9 and the sign in 1.0e+9."""
    try:
        number = float(node.value) if isinstance(node, yaml.ScalarNode) else math.nan
    except ValueError:
        return ""
    if node is None or not math.isfinite(number):
        return ""
    mantissa, _, exponent = repr(number).partition("e")
    point = "" if "." in mantissa else ".0"
    power = f"e{int(exponent):+d}" if exponent else ""
    return f"YAML reads {_shown(node)} as a text, write {mantissa}{point}{power}"


def line_of(node: yaml.Node | None, path: str, *, key: str = "") -> int:
    """The 1-based line of `$.entities[0].attributes[2].ref`, or of the nearest parent that exists.

    Args:
        node: the file.
        path: as msgspec writes it.
        key: a key of the mapping found there, whose own line is wanted.
    """
    found = _nearest(node, path)
    if isinstance(found, yaml.MappingNode):
        found = next((name for name, _ in found.value if name.value == key), found)
    return found.start_mark.line + 1 if found is not None else 1


def is_blank(node: yaml.Node | None, path: str) -> bool:
    """True if the key at this path is present without a value; False if the key is absent."""
    found = _nearest(node, path)
    return found is not None and found.tag == "tag:yaml.org,2002:null"


def _nearest(node: yaml.Node | None, path: str) -> yaml.Node | None:
    for step in path.replace("[", ".[").split(".")[1:]:
        found = _child(node, step)
        if found is None:
            break
        node = found
    return node


def _child(node: yaml.Node | None, step: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and step.startswith("[") and step.strip("[]").isdecimal():
        return node.value[int(step.strip("[]"))] if int(step.strip("[]")) < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    return None
