"""Reads YAML that people edit by hand into msgspec types; every error names file and line.

Only what all these files share is here; the meaning of each file is in its own module.
"""

import math
from collections.abc import Iterator
from typing import TypeVar

import msgspec
import yaml
from typing_extensions import override

from logcache_assets.errors import BadInput

FileType = TypeVar("FileType")


class _Loader(yaml.SafeLoader):
    """Adds the line to errors for impossible dates and numbers such as 2026-02-30, which PyYAML reports without it."""

    @override
    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except (AttributeError, KeyError, ValueError) as error:
            problem = f"{node.value!r} is no {node.tag.rpartition(':')[2]}"
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
        BadInput: the text is not YAML, not of this kind, or has a duplicate key; the message has file and line.
    """
    node, plain = _read_yaml(text, where)
    try:
        value = msgspec.convert(empty if plain is None else plain, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        path = path.rstrip("`")
        line = line_of(node, path, key=message.partition("unknown field `")[2].rstrip("`"))
        at = f" at {path.removeprefix('$.')}" if path else ""
        hint = _spelling_hint(_nearest(node, path)) if message == "Expected `float`, got `str`" else ""
        raise BadInput(f"{where}, line {line}: {message}{at}; {hint or remedy}") from error
    for key in _duplicate_keys(node):
        raise BadInput(f"{where}, line {key.start_mark.line + 1}: the key {key.value!r} is given twice; keep one")
    return value, node


def _read_yaml(text: str, where: str) -> tuple[yaml.Node | None, object]:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader), yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{where}, line {line}: not YAML: {error.problem}; correct the file") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadInput(f"{where}, line {line}: not YAML: {error.reason}; correct the file") from error


def _duplicate_keys(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """Keys that occur twice in one mapping; PyYAML would silently use the last one."""
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        for n, (key, value) in enumerate(node.value):
            if key.value in names[:n]:
                yield key
            yield from _duplicate_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for element in node.value:
            yield from _duplicate_keys(element)


def _spelling_hint(node: yaml.Node | None) -> str:
    """Say how to write a number that YAML 1.1 reads as text: it needs the point in 1.0e-9 and the sign in 1.0e+9."""
    try:
        number = float(node.value) if node else math.nan
    except ValueError:
        return ""
    if node is None or not math.isfinite(number):
        return ""
    mantissa, _, exponent = repr(number).partition("e")
    point = "" if "." in mantissa else ".0"
    power = f"e{int(exponent):+d}" if exponent else ""
    return f"YAML reads {node.value!r} as a text, write {mantissa}{point}{power}"


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
    if isinstance(node, yaml.SequenceNode) and step.startswith("[") and step.strip("[]").isdigit():
        return node.value[int(step.strip("[]"))] if int(step.strip("[]")) < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    return None
