"""Makes types known to msgspec before several threads read values of them.

msgspec looks through the fields of a struct when it first meets one. A second thread that meets it meanwhile finds the
fields half filled in, and the process dies by SIGSEGV (msgspec 0.22.0). So each type is looked through alone, once.
"""

from threading import RLock
from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind")

_LOCK = RLock()
_KNOWN: set[Any] = set()


def prepared(kind: type[Kind]) -> type[Kind]:
    """The same type, which any thread may read values of from now on."""
    if kind not in _KNOWN:
        with _LOCK:
            msgspec.json.Decoder(kind)
            _KNOWN.add(kind)
    return kind


def converted(value: object, kind: type[Kind], *, strict: bool = True) -> Kind:
    """A plain value as this type; raises msgspec.ValidationError. Unless strict, texts become numbers and the like."""
    return msgspec.convert(value, prepared(kind), strict=strict)
