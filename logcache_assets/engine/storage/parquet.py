"""Reads and writes Parquet files below an `s3://` folder, one file at a time so that an error can name the file."""

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Protocol

import polars as pl

from logcache_assets.domain.data_files import PARQUET, is_hidden
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.storage.schemas import may_be_int96
from logcache_assets.ports import ObjectStore, ObjectStoreDenied, ObjectStoreUnavailable, PolarsSource, StoredObject

ROW_GROUP_ROWS = 262_144

_FAILURES = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What polars raises when a scan fails: a store that cannot answer is an OSError, a damaged file never is."""
_LASTING = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)
"""OSErrors that the next read would meet again."""


class ParquetSource(Protocol):
    """Where files are opened: an object store, or what holds copies of its objects."""

    def polars_source(self, uri: str) -> PolarsSource:
        """With what polars opens a file."""

    def read(self, uri: str) -> bytes:
        """A file's bytes."""


class ParquetError(EngineError):
    """A Parquet file cannot be read, or its columns differ from those of the other files in its folder."""


def parquet_bytes(frame: pl.DataFrame, *, group_rows: int = ROW_GROUP_ROWS) -> bytes:
    """The frame as one Parquet file: zstd, with statistics; an empty frame keeps its schema."""
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1, statistics=True, row_group_size=group_rows)
    return buffer.getvalue()


def write_part(frame: pl.DataFrame, folder_uri: str, store: ObjectStore, *, number: int = 0) -> StoredObject:
    """Write a frame to `<folder>/part-<number>.parquet`."""
    return store.write(f"{folder_uri.rstrip('/')}/part-{number:05}.parquet", parquet_bytes(frame))


def empty_others(
    written: Sequence[StoredObject], empty: pl.DataFrame, folder_uri: str, store: ObjectStore
) -> tuple[StoredObject, ...]:
    """Overwrite every Parquet file that an earlier attempt left in a folder with `empty`, except those just written."""
    kept = {item.uri for item in written}
    others = [uri for uri in list_parquet(folder_uri, store) if uri not in kept]
    return tuple(store.write(uri, parquet_bytes(empty)) for uri in others)


def scan_parquet(uris: Sequence[str], store: ParquetSource, *, row_index: str | None = None) -> pl.LazyFrame:
    """A lazy scan of files that have the same columns; read it with `collect_parquet`.

    Args:
        uris: the files, in order.
        store: the store that holds them.
        row_index: name of a column to add with the row numbers.

    Raises:
        ParquetError: a file is missing or damaged.
        ObjectStoreUnavailable: the store could not answer, or the file may not be read.
    """
    scan = _scan_by_polars(uris, store, row_index)
    if not may_be_int96(_schema_of(scan, uris[0])):
        return scan
    found = [_scan_int96(uri, store) for uri in uris]
    if all(frame is None for frame in found):
        return scan
    whole = pl.concat(
        _scan_by_polars([uri], store) if frame is None else frame for uri, frame in zip(uris, found, strict=True)
    )
    return whole if row_index is None else whole.with_row_index(row_index)


def _scan_by_polars(uris: Sequence[str], store: ParquetSource, row_index: str | None = None) -> pl.LazyFrame:
    sources = [store.polars_source(uri) for uri in uris]
    options, credentials = dict(sources[0].options), sources[0].credentials
    return pl.scan_parquet(
        [source.location for source in sources],
        storage_options=options or None,
        credential_provider=credentials or "auto",
        glob=False,
        row_index_name=row_index,
    )


def _scan_int96(uri: str, store: ParquetSource) -> pl.LazyFrame | None:
    from logcache_assets.engine.storage.int96 import scan_int96  # noqa: PLC0415 - pyarrow starts threads when imported

    content = store.read(uri)
    try:
        return scan_int96(content, uri)
    except _FAILURES as error:
        raise _unreadable(uri, error) from error


def _schema_of(scan: pl.LazyFrame, uri: str) -> pl.Schema:
    try:
        return scan.collect_schema()
    except _FAILURES as error:
        raise _unreadable(uri, error) from error


def collect_parquet(frame: pl.LazyFrame, source: str, *, streaming: bool = False) -> pl.DataFrame:
    """Collect a lazy scan.

    Args:
        frame: the scan.
        source: what is being read, for the error message: polars does not always name the file.
        streaming: use it when the result is much smaller than what is read.

    Raises:
        ParquetError: a file is missing or damaged.
        ObjectStoreUnavailable: the store could not answer, or the file may not be read.
    """
    try:
        return frame.collect(engine="streaming" if streaming else "auto")
    except _FAILURES as error:
        raise _unreadable(source, error) from error


def collect_batches(frame: pl.LazyFrame, source: str, *, rows: int | None) -> Iterator[pl.DataFrame]:
    """Collect a lazy scan in batches, in order; the next one is decoded while one is used.

    Args:
        frame: the scan.
        source: as for collect_parquet, which says what is raised.
        rows: rows of a batch; by default those that polars reads at once, which are one chunk.
    """
    try:
        yield from frame.collect_batches(chunk_size=rows, maintain_order=True, engine="streaming")
    except _FAILURES as error:
        raise _unreadable(source, error) from error


def collect_schema(uri: str, store: ParquetSource) -> pl.Schema:
    """The schema of one file, from its footer; raises what `collect_parquet` raises."""
    return _schema_of(scan_parquet([uri], store), uri)


def list_parquet(folder_uri: str, store: ObjectStore) -> tuple[str, ...]:
    """URIs of the Parquet files below a folder that are data, by domain/data_files.py."""
    folder = folder_uri.rstrip("/") + "/"
    listed = (uri for uri in store.list_uris(folder) if uri.endswith(PARQUET))
    return tuple(uri for uri in listed if not is_hidden(uri.removeprefix(folder)))


def parquet_uris(objects: Iterable[StoredObject]) -> Iterator[str]:
    """URIs of the Parquet files among listed data files."""
    return (item.uri for item in objects if item.uri.endswith(PARQUET))


def read_parquet_files(uris: Sequence[str], store: ParquetSource) -> pl.DataFrame:
    """All rows of the files, in order; raises what `read_each` raises."""
    frames = list(read_each(uris, store))
    return pl.concat(frames, rechunk=False) if frames else pl.DataFrame()


def read_each(uris: Sequence[str], store: ParquetSource) -> Iterator[pl.DataFrame]:
    """Yield the rows of each file.

    Raises:
        ParquetError: a file is unreadable, or its columns differ from those of the first.
        ObjectStoreUnavailable: the store could not answer.
    """
    schema = None
    for uri in uris:
        frame = collect_parquet(scan_parquet([uri], store), uri)
        schema = schema or frame.schema
        if frame.schema != schema:
            raise ParquetError(
                f"{uri} has columns other than {uris[0]} beside it: the folder holds two datasets; write it again from "
                "its source"
            )
        yield frame


def count_rows(folder_uri: str, store: ObjectStore) -> int:
    """Number of rows in a folder's Parquet files, from their footers; raises what `collect_parquet` raises."""
    return sum(count_file(uri, store) for uri in list_parquet(folder_uri, store))


def count_file(uri: str, store: ObjectStore) -> int:
    """Number of rows in one file, from its footer; raises what `collect_parquet` raises."""
    return int(collect_parquet(_scan_by_polars([uri], store).select(pl.len()), uri).item())


def _unreadable(source: str, error: BaseException) -> ParquetError | ObjectStoreUnavailable:
    if isinstance(error, OSError) and not isinstance(error, _LASTING):
        return ObjectStoreUnavailable(
            f"{source} could not be read ({kind_of(error)}); see whether the object store answers, then run again"
        )
    if isinstance(error, PermissionError):
        return ObjectStoreDenied(
            f"{source} may not be read ({kind_of(error)}); allow it, on S3 by s3:GetObject and kms:Decrypt of its key "
            "(docs/operations.md), or renew the credentials"
        )
    if isinstance(error, OSError):
        return ParquetError(
            f"{source} is not there, or is no file ({kind_of(error)}); it expired or was removed: use a newer run, or "
            "compute it again"
        )
    return ParquetError(
        f"{source} is not a readable Parquet file ({kind_of(error)}): it is truncated or corrupt; "
        "copy or compute it again from its source"
    )


def kind_of(error: BaseException) -> str:
    """What is told of a library's error about a data file: its type or the system's words; its own may quote values."""
    return str(getattr(error, "strerror", None) or type(error).__name__)
