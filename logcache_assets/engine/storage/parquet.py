"""Parquet files below an `s3://` folder: written in one style, read one by one so that an error names the file."""

from collections.abc import Iterator, Sequence
from io import BytesIO

import polars as pl

from logcache_assets.engine.errors import EngineError
from logcache_assets.engine.storage.schemas import column_types
from logcache_assets.ports import ObjectStore, StoredObject

ROW_GROUP_ROWS = 262_144


class ParquetError(EngineError):
    """A Parquet file cannot be read, or does not have the columns of its neighbours."""


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """One file: zstd, with statistics; an empty frame keeps its schema."""
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1, statistics=True, row_group_size=ROW_GROUP_ROWS)
    return buffer.getvalue()


def write_part(frame: pl.DataFrame, folder_uri: str, store: ObjectStore, *, number: int = 0) -> StoredObject:
    """Put a frame into a folder as one of its parts."""
    return store.write(f"{folder_uri.rstrip('/')}/part-{number:05}.parquet", parquet_bytes(frame))


def empty_others(
    written: Sequence[StoredObject], empty: pl.DataFrame, folder_uri: str, store: ObjectStore
) -> tuple[StoredObject, ...]:
    """Replace every other file of a folder, which an earlier attempt left there, by one without rows."""
    kept = {item.uri for item in written}
    others = [uri for uri in parquet_uris(list_folder(folder_uri, store)) if uri not in kept]
    return tuple(store.write(uri, parquet_bytes(empty)) for uri in others)


def scan_parquet(uris: Sequence[str], store: ObjectStore, *, row_index: str | None = None) -> pl.LazyFrame:
    """The rows of several files of the same columns, to be read with `collect_parquet`.

    Args:
        uris: of the files.
        store: where they lie.
        row_index: the name of a column that counts the rows.
    """
    sources = [store.polars_source(uri) for uri in uris]
    options = dict(sources[0][1])
    return pl.scan_parquet(
        [source for source, _ in sources], storage_options=options or None, glob=False, row_index_name=row_index
    )


def collect_parquet(frame: pl.LazyFrame, place: str, *, streaming: bool = False) -> pl.DataFrame:
    """The rows of a scan; streaming where far fewer columns or rows come out than are read.

    Raises:
        ParquetError: it names the place, because polars need not name the file.
    """
    try:
        return frame.collect(engine="streaming" if streaming else "auto")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _unreadable(place, error) from error


def collect_schema(uri: str, store: ObjectStore) -> pl.Schema:
    """The columns of one file, from its footer; raises ParquetError."""
    try:
        return scan_parquet([uri], store).collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _unreadable(uri, error) from error


def list_folder(folder_uri: str, store: ObjectStore) -> tuple[StoredObject, ...]:
    """Every object below a folder; none when there is no such folder."""
    return store.list_objects(folder_uri.rstrip("/") + "/")


def list_parquet(folder_uri: str, store: ObjectStore) -> tuple[str, ...]:
    """The Parquet files below a folder, without those that a writer has not finished, as in `_temporary/`."""
    folder = folder_uri.rstrip("/") + "/"
    listed = [uri for uri in store.list_uris(folder) if uri.endswith(".parquet")]
    return tuple(uri for uri in listed if not any(p[:1] in "_." for p in uri.removeprefix(folder).split("/")))


def parquet_uris(objects: Sequence[StoredObject]) -> tuple[str, ...]:
    """The Parquet files among listed objects; writers leave others beside them (`_SUCCESS`)."""
    return tuple(item.uri for item in objects if item.uri.endswith(".parquet"))


def read_parquet_files(uris: Sequence[str], store: ObjectStore) -> pl.DataFrame:
    """All rows of files that have the same columns, in the order of the files; raises what read_each raises."""
    frames = list(read_each(uris, store))
    return pl.concat(frames, rechunk=False) if frames else pl.DataFrame()


def read_each(uris: Sequence[str], store: ObjectStore) -> Iterator[pl.DataFrame]:
    """The rows of each file.

    Raises:
        ParquetError: naming the file that is unreadable or has other columns than the first.
    """
    schema = None
    for uri in uris:
        frame = collect_parquet(scan_parquet([uri], store), uri)
        schema = schema or frame.schema
        if frame.schema != schema:
            raise ParquetError(
                f"{uri} has columns {column_types(frame.schema)}, but {uris[0]} beside it has "
                f"{column_types(schema)}: the folder holds two datasets; write it again from its source"
            )
        yield frame


def count_rows(folder_uri: str, store: ObjectStore) -> int:
    """Rows of a folder's Parquet files, from their footers; raises ParquetError for a file without a sound one."""
    return sum(count_file(uri, store) for uri in parquet_uris(list_folder(folder_uri, store)))


def count_file(uri: str, store: ObjectStore) -> int:
    """Rows of one file, from its footer; raises ParquetError."""
    return int(collect_parquet(scan_parquet([uri], store).select(pl.len()), uri).item())


def _unreadable(place: str, error: BaseException) -> ParquetError:
    return ParquetError(
        f"{place} is not a readable Parquet file ({one_line(error)}): it is truncated or corrupt; "
        "copy or compute it again from its source"
    )


def one_line(error: BaseException) -> str:
    """The first line of a library's message, short enough for a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
