"""What `logcache shadow` finds: what the real systems look like, and which past contracts the engine reproduces.

Counts, names of columns, types and shapes of names and paths; never a value of a log or of a contract.
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from logcache_assets.domain.documents import Document

Holds = Literal["yes", "no", "unknown"]
"""Whether what we assume holds; `unknown` if nothing answered."""

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_NUMBER = re.compile(r"(?<![A-Za-z])\d+")
SHAPES = 12
"""How many shapes are told."""


class Observation(Document, frozen=True, kw_only=True):
    """One thing that we assume, and what was found."""

    subject: str
    """System, instance or dataset."""
    assumed: str
    found: str
    holds: Holds


class ShadowColumn(Document, frozen=True, kw_only=True):
    """A column that is not the same in the night's table and in ours."""

    name: str
    night_type: str | None
    """None if the night's table has no such column."""
    our_type: str | None
    changed: int = 0
    """Cells with another value."""
    only_night: int = 0
    """Cells that have a value in the night's table alone."""
    only_ours: int = 0


class ShadowRule(Document, frozen=True, kw_only=True):
    """One rule for a contract, and what came out."""

    rule: str
    holds: Holds
    found: str


class ShadowContract(Document, frozen=True, kw_only=True):
    """A contract of the night beside the one that was recomputed."""

    dataset: str
    prototypes: tuple[str, ...]
    """Those that were recomputed; only their rows are compared."""
    night_rows: int | None = None
    our_rows: int | None = None
    computed_from: Literal["segments", "raw log"] = "segments"
    rules: tuple[ShadowRule, ...]
    columns: tuple[ShadowColumn, ...] = ()

    @property
    def state(self) -> str:
        """`reproduced`, `differs` or `not compared`."""
        answers = {rule.holds for rule in self.rules}
        return "differs" if "no" in answers else "not compared" if "unknown" in answers else "reproduced"


class ShadowNight(Document, frozen=True, kw_only=True):
    """One past night."""

    transaction: str
    type: str
    started_at: datetime
    observations: tuple[Observation, ...]
    contracts: tuple[ShadowContract, ...]


class ShadowStudy(Document, frozen=True, kw_only=True):
    """Everything that one call found."""

    at: datetime
    databases: tuple[str, ...]
    instances: tuple[str, ...]
    observations: tuple[Observation, ...]
    """What does not depend on a night."""
    nights: tuple[ShadowNight, ...]

    @property
    def all_observations(self) -> tuple[Observation, ...]:
        """Those of every night, too."""
        return (*self.observations, *(found for night in self.nights for found in night.observations))

    @property
    def contracts(self) -> tuple[ShadowContract, ...]:
        """Those of every night."""
        return tuple(contract for night in self.nights for contract in night.contracts)

    @property
    def broken(self) -> tuple[Observation, ...]:
        """What did not hold."""
        return tuple(found for found in self.all_observations if found.holds == "no")

    @property
    def unknown(self) -> tuple[Observation, ...]:
        """What nothing answered."""
        return tuple(found for found in self.all_observations if found.holds == "unknown")


def shape_of(text: str, *, names: Iterable[str] = ()) -> str:
    """The shape of a name or path: ids, numbers and the given names are replaced by what they are."""
    shaped = _UUID.sub("<uuid>", text)
    for name in sorted(names, key=len, reverse=True):
        shaped = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "<name>", shaped)
    return _NUMBER.sub("<n>", shaped)


def shapes_of(texts: Iterable[str], *, names: Iterable[str] = ()) -> str:
    """The most frequent shapes, each with its number: `12 x s3://bucket/<uuid>/…`."""
    known = tuple(names)
    counted = Counter(shape_of(text, names=known) for text in texts)
    shown = [f"{count:,} x {shape}" for shape, count in counted.most_common(SHAPES)]
    more = len(counted) - len(shown)
    return "; ".join(shown + ([f"and {more:,} more shapes"] if more else [])) or "none"
