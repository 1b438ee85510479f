"""Parquet files below an `s3://` folder: written in one style, read one by one so that an error names the file."""

from collections.abc import Sequence
from io import BytesIO

import polars as pl

from logcache_assets.engine.layout import EngineError, column_types
from logcache_assets.ports import ObjectStore, StoredObject

FIRST_PART = "part-00000.parquet"
ROW_GROUP_ROWS = 262_144


class ParquetError(EngineError):
    """A Parquet file cannot be read, or does not have the columns of its neighbours."""


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """One file: zstd, with statistics; an empty frame keeps its schema."""
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True, row_group_size=ROW_GROUP_ROWS)
    return buffer.getvalue()


def write_parquet(frame: pl.DataFrame, folder_uri: str, store: ObjectStore) -> StoredObject:
    """Put a frame into a folder as its only part."""
    return store.write(f"{folder_uri.rstrip('/')}/{FIRST_PART}", parquet_bytes(frame))


def list_folder(folder_uri: str, store: ObjectStore) -> tuple[StoredObject, ...]:
    """Every object below a folder; none when there is no such folder."""
    return store.list_objects(folder_uri.rstrip("/") + "/")


def parquet_uris(objects: Sequence[StoredObject]) -> tuple[str, ...]:
    """The Parquet files among listed objects; writers leave others beside them (`_SUCCESS`)."""
    return tuple(item.uri for item in objects if item.uri.endswith(".parquet"))


def read_parquet_files(uris: Sequence[str], store: ObjectStore) -> pl.DataFrame:
    """All rows of files that have the same columns, in the order of the files.

    Raises:
        ParquetError: naming the file that is unreadable or has other columns than the first.
    """
    frames = [_read_parquet(uri, store) for uri in uris]
    for uri, frame in zip(uris, frames, strict=True):
        if frame.schema != frames[0].schema:
            raise ParquetError(
                f"{uri} has columns {column_types(frame.schema)}, but {uris[0]} beside it has "
                f"{column_types(frames[0].schema)}: the folder holds two datasets; write it again from its source"
            )
    return pl.concat(frames, rechunk=False) if frames else pl.DataFrame()


def count_rows(folder_uri: str, store: ObjectStore) -> int:
    """Rows of a folder's Parquet files, from their footers; raises ParquetError for a file without a sound one."""
    return sum(_count(uri, store) for uri in parquet_uris(list_folder(folder_uri, store)))


def _count(uri: str, store: ObjectStore) -> int:
    source, options = store.polars_source(uri)
    try:
        scan = pl.scan_parquet(source, storage_options=dict(options) or None, glob=False)
        return int(scan.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise ParquetError(
            f"{uri} is not a readable Parquet file ({one_line(error)}): it is truncated or corrupt; "
            "copy or compute it again from its source"
        ) from error


def _read_parquet(uri: str, store: ObjectStore) -> pl.DataFrame:
    source, options = store.polars_source(uri)
    try:
        return pl.scan_parquet(source, storage_options=dict(options) or None, glob=False).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise ParquetError(
            f"{uri} is not a readable Parquet file ({one_line(error)}): it is truncated or corrupt; "
            "copy or compute it again from its source"
        ) from error


def one_line(error: BaseException) -> str:
    """The first line of a library's message, short enough for a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
