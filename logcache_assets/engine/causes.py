"""Why a row may differ from yesterday's: the causes that the log or the definition gives, as bits.

Found in expectation.py, matched with the differences in explanation.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from logcache_assets.domain.figures import EXPLANATIONS, Explanation

BITS: Mapping[Explanation, int] = {name: 1 << n for n, name in enumerate(EXPLANATIONS)}
TOUCHED, REFERRED, RENAMED, EXCISED, REDEFINED = (BITS[name] for name in EXPLANATIONS)

WHY = {"present": pl.Boolean(), "why": pl.UInt8(), "why_t": pl.Int64()}
"""What a recorded row says beside its cells: whether the log shows it at all, the bits of its causes, and the last t at
which the log touched its entity. Not shown are keys that an entity has no more: `present` is null where it got and lost
them since yesterday, which says nothing of another entity's row of that key."""


EARLIER = "earlier:"
"""Prefix of the columns that list, as hashes, what a cell showed between both days before what it shows now."""
VALUE_SEED = 3
"""Of these hashes."""
MOVED = "moved:"
"""Prefix of the columns that tell whether a cell has another value than yesterday, where no more can be verified of it;
null where the log cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is known of the causes on one prototype, for one contract."""

    after_t: int
    """Yesterday's t."""
    columns: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Bit → the columns that this cause may change; what is not named may change any."""
    former_names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Column → names that its idents had yesterday or since, and that no ident has any more; `""` is null, which a
    column shows as long as its attribute, or what it refers to, has another name or none."""
    complete: int = 0
    """Where not 0, every row that the log shows is recorded, and these bits explain that another one is gone."""
