"""Database instances: one database on one prototype, written `feed-s0`."""

from dataclasses import dataclass

from logcache_assets.errors import BadInput

PROTOTYPES: tuple[str, ...] = ("global", *(f"s{n}" for n in range(15)))
"""All prototypes (shards); source: the platform's documentation."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Instance:
    """One database on one prototype."""

    database: str
    prototype: str

    @property
    def name(self) -> str:
        """`feed-s0`: the partition key of the segment index and the name in raw datasets."""
        return f"{self.database}-{self.prototype}"


def parse_instance(name: str) -> Instance:
    """Parse `feed-s0`. The prototype is the last part, because database names may have hyphens (`double-entry-s0`).

    Raises:
        BadInput: the last part is no known prototype.
    """
    database, _, prototype = name.rpartition("-")
    if not database or prototype not in PROTOTYPES:
        raise BadInput(f"{name!r} is no database instance: write <database>-<prototype>, for example feed-s0")
    return Instance(database=database, prototype=prototype)
