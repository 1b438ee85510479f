"""Counts facts that lie where no reader looks for them: readers trust the layout that docs/formats.md describes."""

import polars as pl

from logcache_assets.engine.facts.facts_files import FactsFile
from logcache_assets.engine.storage.buckets import bucket_of


def count_misplaced(facts: pl.DataFrame, file: FactsFile) -> int:
    """Count the facts of a file that belong into the other half, into another bucket, or before the fact above them.

    Args:
        facts: columns of FACTS_SCHEMA, in the order of the file.
        file: whose name says what is in it.
    """
    is_open = pl.col("t_to").is_null()
    other_half = ~is_open if file.half == "open" else is_open
    other_bucket = bucket_of(file.bucket.of) != file.bucket.number
    above_a, above_e = pl.col("a").shift(1), pl.col("e").shift(1)
    too_late = (pl.col("a") < above_a) | ((pl.col("a") == above_a) & (pl.col("e") < above_e))
    found = other_half | other_bucket | too_late.fill_null(value=False)
    return int(facts.select(found.sum()).item() or 0)
