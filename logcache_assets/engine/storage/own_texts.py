"""Copies the texts of few rows, because polars shares the texts of a batch with every selection of its rows."""

from io import BytesIO

import polars as pl

FEW = 8
"""Of so many rows of a batch one is few: to copy its texts costs less than to hold those of all."""
COPIED_ROWS = 16_384
"""Rows that are copied at once, into one chunk: the copy is made by way of bytes, which take room too."""


def with_own_texts(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, which hold nothing of the batch that they come from."""
    return pl.concat([rows.clear(), *map(_copy, rows.iter_slices(COPIED_ROWS))], rechunk=False)


def few_with_own_texts(rows: pl.DataFrame, *, of: int) -> pl.DataFrame:
    """The rows, which hold nothing of their batch if they are few of its `of` rows."""
    return with_own_texts(rows) if FEW * len(rows) < of else rows


def _copy(rows: pl.DataFrame) -> pl.DataFrame:
    # In the newer format, texts in lists would still be shared.
    content = BytesIO()
    rows.write_ipc(content, compat_level=pl.CompatLevel.oldest())
    content.seek(0)
    return pl.read_ipc(content)
