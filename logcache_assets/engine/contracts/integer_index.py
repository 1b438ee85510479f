"""Looks up values by integer, by position in an array if the keys are dense: Datomic's ids and ts come from a counter.

A lookup by position needs no hashing; every history row needs two, of its entity and its t.
"""

import polars as pl

SPARSE = 16
"""An array may have this many times as many slots as values; sparser keys are looked up by a hash join."""


class IntegerIndex:
    """Maps integers to values.

    Args:
        keys: distinct integers without nulls.
        values: one per key, without nulls.
    """

    def __init__(self, keys: pl.Series, values: pl.Series) -> None:
        self._table = pl.DataFrame([keys.alias("key"), values.alias("value")]).sort("key")
        first, last = self._table["key"].min(), self._table["key"].max()
        self._first, self._last = (int(first), int(last)) if len(keys) else (0, -1)  # type: ignore[arg-type]
        self._by_position: pl.Series | None = None
        if self._last - self._first < SPARSE * len(keys):
            slots = pl.DataFrame({"key": pl.int_range(self._first, self._last + 1, dtype=pl.Int64, eager=True)})
            self._by_position = slots.join(self._table, on="key", how="left", maintain_order="left")["value"]

    def of(self, keys: pl.Series) -> pl.Series:
        """The value of each key; null for unknown keys."""
        if self._by_position is None:
            found = keys.to_frame("key").join(self._table, on="key", how="left", maintain_order="left")
            return found["value"]
        inside = pl.when(pl.col("key").is_between(self._first, self._last)).then(pl.col("key") - self._first)
        return self._by_position.gather(keys.to_frame("key").select(inside).to_series())
