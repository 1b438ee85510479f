"""YAML that people edit by hand, read into msgspec types; every refusal names file and line.

What a file means belongs to its own module; here is only what all of them share.
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
    """Refuses with its line what looks like a date or number and is none, as 2026-02-30; PyYAML forgets the line."""

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
    """Read a file as a msgspec type; the node gives the lines of further problems, see `line_of`.

    Args:
        text: YAML.
        kind: what the file holds.
        where: the file's name for errors.
        remedy: what to do about what is not of this kind: `correct the definition`.
        empty: what a file without content means, in plain values.

    Raises:
        BadInput: not YAML, not of this kind, a doubled key; with file and line.
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
    for key in _doubled_keys(node):
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


def _doubled_keys(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """Keys that a mapping repeats: YAML takes the last one without a word."""
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        for n, (key, value) in enumerate(node.value):
            if key.value in names[:n]:
                yield key
            yield from _doubled_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for element in node.value:
            yield from _doubled_keys(element)


def _spelling_hint(node: yaml.Node | None) -> str:
    """How to write the number that YAML 1.1 takes for a text: it wants the point in 1.0e-9 and the sign in 1.0e+9."""
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
    """Whether the key at this path stands in its mapping without a value, which is more than its absence."""
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
