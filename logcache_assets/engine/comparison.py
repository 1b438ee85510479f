"""Two days of one contract, compared by key into figures; no value leaves this module.

Duplicate or null keys are an error of the table and never joined: the comparison then stops at the tables themselves.
"""

from collections.abc import Sequence

import polars as pl

from logcache_assets.domain.validation import ColumnFigures, ComparisonFigures, TableFigures
from logcache_assets.engine.layout import column_types

YESTERDAY = "__yesterday"


def describe_table(frame: pl.DataFrame, key: Sequence[str]) -> TableFigures:
    """Rows, faults of the key, and the schema; a missing key column counts as null in every row."""
    if missing := [name for name in key if name not in frame.columns]:
        frame = frame.with_columns(pl.lit(None).alias(name) for name in missing)
    types = {name: kind for name, kind in column_types(frame.schema).items() if name not in missing}
    return TableFigures(
        rows=len(frame),
        null_keys=frame.select(pl.any_horizontal(pl.col(key).is_null()).sum()).item(),
        duplicate_keys=len(frame) - frame.select(key).n_unique(),
        columns=types,
        null_columns=tuple(name for name in types if frame[name].null_count() == len(frame)),
    )


def compare_tables(*, today: pl.DataFrame, yesterday: pl.DataFrame, key: Sequence[str]) -> ComparisonFigures:
    """Keys found again and, over these, equal values per column; null equals null, NaN equals NaN.

    Args:
        today: the new contract.
        yesterday: the one it must resemble.
        key: the columns that identify a row in both.
    """
    tables = describe_table(today, key), describe_table(yesterday, key)
    if any(table.null_keys or table.duplicate_keys for table in tables) or not _joinable(today, yesterday, key):
        return ComparisonFigures(today=tables[0], yesterday=tables[1], keys_found=None, keys_added=None, columns={})
    both = today.join(yesterday, on=list(key), how="inner", suffix=YESTERDAY)
    return ComparisonFigures(
        today=tables[0],
        yesterday=tables[1],
        keys_found=len(both),
        keys_added=len(today) - len(both),
        columns=_equal_cells(both, key),
    )


def _joinable(today: pl.DataFrame, yesterday: pl.DataFrame, key: Sequence[str]) -> bool:
    return all(today.schema.get(name) == yesterday.schema.get(name) for name in key)


def _equal_cells(both: pl.DataFrame, key: Sequence[str]) -> dict[str, ColumnFigures]:
    """Columns of one type on both days; a retyped column is a matter of the schema, not of values."""
    names = [
        name for name in both.columns if name not in key and both.schema.get(name) == both.schema.get(name + YESTERDAY)
    ]
    equal = both.select(pl.col(name).eq_missing(pl.col(name + YESTERDAY)).sum() for name in names)
    return {name: ColumnFigures(compared=len(both), equal=equal[name].item()) for name in names}
