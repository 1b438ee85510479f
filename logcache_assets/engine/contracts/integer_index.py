"""Looks integers up in a table, by position where they lie close together: Datomic's ids and ts come from a counter.

A position is found without hashing, which makes the two lookups of every row, its entity and its t, almost free.
"""

import polars as pl

SPARSE = 16
"""A table by position may have so many times as many places as values; else a hash join finds them."""


class IntegerIndex:
    """From an integer to a value.

    Args:
        keys: distinct integers, none null.
        values: one per key, none null.
    """

    def __init__(self, keys: pl.Series, values: pl.Series) -> None:
        self._table = pl.DataFrame([keys.alias("key"), values.alias("value")]).sort("key")
        first, last = self._table["key"].min(), self._table["key"].max()
        self._first, self._last = (int(first), int(last)) if len(keys) else (0, -1)  # type: ignore[arg-type]
        self._by_position: pl.Series | None = None
        if self._last - self._first < SPARSE * len(keys):
            places = pl.DataFrame({"key": pl.int_range(self._first, self._last + 1, dtype=pl.Int64, eager=True)})
            self._by_position = places.join(self._table, on="key", how="left", maintain_order="left")["value"]

    def of(self, keys: pl.Series) -> pl.Series:
        """The value of each key, null for one that the table lacks."""
        if self._by_position is None:
            found = keys.to_frame("key").join(self._table, on="key", how="left", maintain_order="left")
            return found["value"]
        inside = pl.when(pl.col("key").is_between(self._first, self._last)).then(pl.col("key") - self._first)
        return self._by_position.gather(keys.to_frame("key").select(inside).to_series())
