"""Ways to damage the files of a cache."""

from collections.abc import Collection
from io import BytesIO

import pyarrow.parquet as pq

from logcache_assets.adapters.folder_store import FolderObjectStore


def zero_column(uri: str, column: str, store: FolderObjectStore, *, groups: Collection[int] | None = None) -> None:
    """Overwrite the pages of a column with zeros: the footer stays sound, so only reading that column finds it.

    Args:
        uri: the file.
        column: the column's name.
        store: the store that holds the file.
        groups: the row groups to damage; all by default.
    """
    content = bytearray(store.read(uri))
    footer = pq.ParquetFile(BytesIO(content)).metadata
    for group in range(footer.num_row_groups) if groups is None else groups:
        chunk = footer.row_group(group).column(footer.schema.names.index(column))
        begin = chunk.dictionary_page_offset or chunk.data_page_offset
        content[begin : begin + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    store.write(uri, bytes(content))


def truncate(uri: str, store: FolderObjectStore) -> None:
    """Truncate a file."""
    store.write(uri, store.read(uri)[:-30])


def rename(uri: str, name: str, store: FolderObjectStore) -> None:
    """Rename a file of a folder."""
    path = store.path_of(uri)
    path.rename(path.with_name(name))
