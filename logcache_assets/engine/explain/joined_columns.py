"""Names of the columns that explanation.py works with: one row per key, both days' and the log's cells side by side.

A cell's column is a prefix and the contract's column, such as `today:transaction__status`.
"""

import polars as pl

from logcache_assets.engine.compare.digests import ComparedColumns

YESTERDAY_CELL, TODAY_CELL, LOG_CELL = "yesterday:", "today:", "log:"
"""Prefixes of the cells of yesterday's table, of today's, and of what the log says."""

IN_YESTERDAY, IN_TODAY, IN_LOG = "in:yesterday:", "in:today:", "in:log:"
"""Whether each of the three has the row."""

DIFFERS = "differs:"
"""Prefix: whether the cell differs between the days."""

WRONG = "wrong:"
"""Prefix: whether today's cell is not what the log says."""

STALE = "stale:"
"""Prefix: whether today's cell is wrong and shows what the log has replaced."""

CAUSELESS = "causeless:"
"""Prefix: whether the cell differs although no cause of its row can change it."""

WHY = {
    "present": pl.Boolean(),
    "why": pl.UInt8(),
    "why_t": pl.Int64(),
    "entity": pl.Int64(),
    "held": pl.Boolean(),
}
"""Columns of a recorded row beside its cells: whether the log shows the row, the bits of its causes (causes.BITS), the
last t at which the log touched its entity, that entity, and whether the log showed it with this key yesterday. A key
that an entity no longer has is not shown; `present` is null if the entity got and lost it since yesterday, which says
nothing of another entity's row with that key."""

EARLIER = "earlier:"
"""Prefix: hashes of the values that the cell showed since yesterday, before its present one."""

VALUE_SEED = 3
"""The seed of these hashes."""

MOVED = "moved:"
"""Prefix: whether the value changed since yesterday, where no more can be verified; null if the log cannot tell."""


def no_recorded(columns: ComparedColumns) -> pl.DataFrame:
    """No row of the log, with its columns."""
    empty = columns.to_common(pl.DataFrame({"": []})).clear()
    return empty.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in WHY.items())
