"""The calls that docs/operations.md lists: who asks what, where, and the rights that this needs."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from logcache_tests.rights.policies import PLACES, Right

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"
_ROW = re.compile(r"\| `(\w+)` \| (\w+) \| ([^|]+) \| [^|]+ \| ([^|]+) \|")
_RIGHT = re.compile(rf"(?:({'|'.join(PLACES.values())}) )?`(\w+:\w+)`")

Call = tuple[str, str]
"""An operation and its place."""


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    call: Call
    roles: tuple[str, ...]
    rights: frozenset[Right]


def rows() -> Iterator[Row]:
    """Every row of the table of calls."""
    for operation, place, roles, rights in _ROW.findall(DOCUMENT.read_text(encoding="utf-8")):
        needed = frozenset((action, elsewhere or place) for elsewhere, action in _RIGHT.findall(rights))
        yield Row((operation, place), tuple(roles.split(", ")), needed)


def calls_of_roles() -> dict[str, set[Call]]:
    """Role → the calls that are listed for it."""
    found: dict[str, set[Call]] = defaultdict(set)
    for row in rows():
        for role in row.roles:
            found[role].add(row.call)
    return dict(found)


def rights_of_roles() -> dict[str, set[Right]]:
    """Role → the rights that its calls need."""
    found: dict[str, set[Right]] = defaultdict(set)
    for row in rows():
        for role in row.roles:
            found[role] |= row.rights
    return dict(found)
