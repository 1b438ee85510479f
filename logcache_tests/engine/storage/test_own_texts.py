"""Few rows of a batch do not hold the texts of all."""

import polars as pl
import pytest

from logcache_assets.engine.storage.own_texts import COPIED_ROWS, FEW, few_with_own_texts, with_own_texts

TEXT = "a text that is longer than a view holds, "


def batch_of(rows: int) -> pl.DataFrame:
    """Rows of different long texts, alone and in lists."""
    texts = [f"{TEXT}{n}" for n in range(rows)]
    types = {"n": pl.Int64(), "text": pl.String(), "list": pl.List(pl.String())}
    return pl.DataFrame({"n": range(rows), "text": texts, "list": [[text, text] for text in texts]}, schema=types)


def held_bytes(rows: pl.DataFrame) -> int:
    """The bytes of all buffers that hold rows, whether or not a row is in them."""
    arrow = rows.to_arrow(compat_level=pl.CompatLevel.newest())
    columns = [chunk for column in arrow.columns for chunk in column.chunks]
    return sum(buffer.size for chunk in columns for buffer in chunk.buffers() if buffer)


@pytest.mark.parametrize("count", [0, 1, COPIED_ROWS + 1], ids=["none", "one", "more than are copied at once"])
def test_rows_are_copied_with_their_own_texts(count: int) -> None:
    """They then hold no more than rows that were made alone."""
    few = batch_of(100 + 2 * count).filter(pl.col("n") < count)

    own = with_own_texts(few)

    assert own.equals(few)
    assert own.schema == few.schema
    assert held_bytes(own) <= 1.2 * held_bytes(batch_of(count))


def test_copied_rows_are_one_chunk() -> None:
    """Rows in several chunks would be copied again wherever they are joined."""
    assert with_own_texts(batch_of(COPIED_ROWS)).n_chunks() == 1


def test_many_rows_of_a_batch_are_not_copied() -> None:
    """They hold little that is not theirs."""
    batch = batch_of(FEW * 10)
    few, many = batch.head(9), batch.head(11)

    assert held_bytes(few_with_own_texts(few, of=len(batch))) < held_bytes(few)
    assert held_bytes(few_with_own_texts(many, of=len(batch))) == held_bytes(many)
