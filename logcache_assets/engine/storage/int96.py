"""Reads Parquet files whose timestamps are INT96, as Spark writes them unless it is told otherwise.

Polars reads INT96 as nanoseconds, and every instant outside 1677 to 2262 as one and the same bound. pyarrow reads it as
microseconds, which hold every year that Spark knows.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.io.plugins import register_io_source

from logcache_assets.engine.engine_error import EngineError

_NANOSECONDS_IN_ONE = 1000


class TimestampCutError(EngineError):
    """A timestamp has digits that microseconds cannot hold."""


def scan_int96(content: bytes, uri: str) -> pl.LazyFrame | None:
    """A lazy scan of a file that has INT96 columns, which are microseconds in it; None for a file without.

    Args:
        content: the whole file.
        uri: what it is, for the error message.

    Raises:
        ComputeError: it is no readable Parquet file, as polars says it; also when the scan is read.
        TimestampCutError: when the scan is read: a timestamp has nanoseconds.
    """
    with _as_polars_says():
        microseconds, nanoseconds = (
            pq.ParquetFile(pa.BufferReader(content), coerce_int96_timestamp_unit=unit) for unit in ("us", "ns")
        )
    schema = microseconds.schema
    names = {schema.column(n).path.split(".")[0] for n in range(len(schema)) if _is_int96(schema, n)}
    if not names:
        return None

    def read(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        del batch_size  # a row group is a batch
        columns, left = with_columns or microseconds.schema_arrow.names, n_rows
        for group in range(microseconds.num_row_groups):
            frame = _read_group(microseconds, group, columns)
            checked = [name for name in columns if name in names]
            _require_whole(frame.select(checked), _read_group(nanoseconds, group, checked), uri)
            frame = frame if left is None else frame.head(left)
            left = None if left is None else left - len(frame)
            yield frame if predicate is None else frame.filter(predicate)
            if left == 0:
                return

    empty = pl.DataFrame(microseconds.schema_arrow.empty_table())
    return register_io_source(read, schema=empty.schema, validate_schema=True)


@contextmanager
def _as_polars_says() -> Iterator[None]:
    """Raise pyarrow's errors about a damaged file as polars does; an OSError would seem to be the store's."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise pl.exceptions.ComputeError(str(error)) from error


def _is_int96(schema: pq.ParquetSchema, number: int) -> bool:
    return bool(schema.column(number).physical_type == "INT96")


def _read_group(file: pq.ParquetFile, group: int, columns: list[str]) -> pl.DataFrame:
    with _as_polars_says():
        table = file.read_row_group(group, columns=columns)
    return pl.DataFrame(table).select(columns)


def _require_whole(microseconds: pl.DataFrame, nanoseconds: pl.DataFrame, uri: str) -> None:
    """Refuse timestamps with nanoseconds, which would be cut.

    Both 64-bit numbers wrap around outside their years, so their difference is the nanoseconds in every year.
    """
    for name in microseconds.columns:
        one, other = _flat(microseconds[name]), _flat(nanoseconds[name])
        if (one * _NANOSECONDS_IN_ONE != other).any():
            raise TimestampCutError(
                f"{uri}: the column {name} has INT96 timestamps with nanoseconds, which would be cut; "
                "write them in microseconds"
            )


def _flat(column: pl.Series) -> pl.Series:
    while isinstance(column.dtype, pl.List):
        column = column.explode()
    return column.to_physical()
