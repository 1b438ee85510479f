"""Database instances: one database on one prototype, written `feed-s0`."""

import re
from dataclasses import dataclass

from logcache_assets.errors import BadInput

_PROTOTYPE = re.compile(r"global|s(?:0|[1-9][0-9]*)")
PROTOTYPE_EXAMPLES = "global, s0, s1 and so on"
"""What prototypes are called, for messages."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Instance:
    """One database on one prototype."""

    database: str
    prototype: str

    @property
    def name(self) -> str:
        """`feed-s0`: the partition key of the segment index and the name in raw datasets."""
        return f"{self.database}-{self.prototype}"


def is_prototype(name: str) -> bool:
    """True for `global` and for a shard, `s0`, `s1` and so on; source: the platform's documentation."""
    return _PROTOTYPE.fullmatch(name) is not None


def is_instance_of(name: str, database: str) -> bool:
    """True if the name `feed-s0` is that of an instance of the database `feed`; no name is refused."""
    return name.rpartition("-")[0] == database


def parse_instance(name: str) -> Instance:
    """Parse `feed-s0`. The prototype is the last part, because database names may have hyphens (`double-entry-s0`).

    Raises:
        BadInput: the name has no database, or its last part is no prototype.
    """
    database, _, prototype = name.rpartition("-")
    if not database or not is_prototype(prototype):
        raise BadInput(f"{name!r} is no database instance: write <database>-<prototype>, for example feed-s0")
    return Instance(database=database, prototype=prototype)
