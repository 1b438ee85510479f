"""What the value of a setting must be, in words: from the type with which the setting is declared."""

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from logcache_assets.settings.deployment import Settings


def expectation_of(setting: str) -> str:
    """`a whole number from 1 to 100`; what a text must look like is told by the description of its type."""
    kind, meta = _taken_apart(get_type_hints(Settings, include_extras=True)[setting])
    if meta.description:
        return meta.description
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    if kind is bool:
        return "true or false"
    if kind in {int, float}:
        return " ".join(["a whole number" if kind is int else "a number", *_bounds(meta)])
    return "a text that is not empty" if meta.min_length else "a text"


def default_of(setting: str, *, platform: Mapping[str, str]) -> str:
    """`unset it for 192`; a setting without a value of its own is just unset.

    Args:
        setting: its name.
        platform: what the chosen platform sets.
    """
    default = platform.get(setting, getattr(Settings(), setting))
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return "unset it" if default in {None, ""} else f"unset it for {shown}"


def _taken_apart(kind: Any) -> tuple[Any, msgspec.Meta]:  # noqa: ANN401 - a type, or a form that stands for types
    """The type without None, and what its annotation says."""
    if get_origin(kind) in {types.UnionType, Union}:
        (kind,) = (part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is Annotated:
        kind, *notes = get_args(kind)
        return kind, next(note for note in notes if isinstance(note, msgspec.Meta))
    return kind, msgspec.Meta()


def _bounds(meta: msgspec.Meta) -> Iterator[str]:
    least, most = meta.ge, meta.le
    if meta.gt is not None:
        yield f"above {meta.gt}"
    if least is not None and most is not None:
        yield f"from {least} to {most}"
    elif least is not None:
        yield f"of at least {least}"
    elif most is not None:
        yield f"of at most {most}" if meta.gt is None else f"and at most {most}"
    if meta.lt is not None:
        yield f"and below {meta.lt}"
