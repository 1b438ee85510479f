"""Names of the columns that explanation.py works with: one row per key, both days' and the log's cells side by side.

A cell's column is a prefix and the contract's column. All names begin with a character that no table's columns have, so
that none is a column of the key, which keeps its name.
"""

import polars as pl

from logcache_assets.engine.compare.digests import ComparedColumns

YESTERDAY_CELL, TODAY_CELL, LOG_CELL = "\x00yesterday:", "\x00today:", "\x00log:"
"""Prefixes of the cells of yesterday's table, of today's, and of what the log says."""

IN_YESTERDAY, IN_TODAY, IN_LOG = "\x00in:yesterday:", "\x00in:today:", "\x00in:log:"
"""Whether each of the three has the row."""

DIFFERS = "\x00differs:"
"""Prefix: whether the cell differs between the days."""

WRONG = "\x00wrong:"
"""Prefix: whether today's cell is not what the log says."""

STALE = "\x00stale:"
"""Prefix: whether today's cell is wrong and shows what the log has replaced."""

CAUSELESS = "\x00causeless:"
"""Prefix: whether the cell differs although no cause of its row can change it."""

PRESENT, WHY_BITS, WHY_T, ENTITY, HELD = "\x00present", "\x00why", "\x00why t", "\x00entity", "\x00held"
WHY = {
    PRESENT: pl.Boolean(),
    WHY_BITS: pl.UInt8(),
    WHY_T: pl.Int64(),
    ENTITY: pl.Int64(),
    HELD: pl.Boolean(),
}
"""Columns of a recorded row beside its cells: whether the log shows the row, the bits of its causes (causes.BITS), the
last t at which the log touched its entity, that entity, and whether the log showed it with this key yesterday. A key
that an entity no longer has is not shown; PRESENT is null if the entity got and lost it since yesterday, which says
nothing of another entity's row with that key."""

AFTER_T, COMPLETE = "\x00after t", "\x00complete"
"""Yesterday's t on the row's prototype, and the bits that explain why a row is gone that is not recorded (Scope)."""

DUE, IN_BOTH, IN_ONE = "\x00due", "\x00in both", "\x00in one"
"""Whether today must have the row; whether both days have it; whether only one has."""

SEPARATOR = "\x00"
"""Stands between the names of the columns of a pattern."""

REASON, CHANGE = "\x00reason", "\x00change"
"""Why the row differs, or is wrong, and what happened to it (figures.Reason, figures.Change); null if it is right."""

EARLIER = "\x00earlier:"
"""Prefix: hashes of the values that the cell showed since yesterday, before its present one."""

VALUE_SEED = 3
"""The seed of these hashes."""

MOVED = "\x00moved:"
"""Prefix: whether the value changed since yesterday, where no more can be verified; null if the log cannot tell."""


def no_recorded(columns: ComparedColumns) -> pl.DataFrame:
    """No row of the log, with its columns."""
    empty = columns.no_rows()
    return empty.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in WHY.items())
