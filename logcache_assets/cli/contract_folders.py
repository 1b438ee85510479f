"""Folders of contracts on disk, `<dataset name>/*.parquet`, as the engine sees them."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.domain.definitions import DatabaseDefinition, contract_tables
from logcache_assets.errors import BadInput
from logcache_assets.refresh.judge import Absent, Place


@contextmanager
def open_folders(folders: Mapping[str, Path]) -> Iterator[FolderObjectStore]:
    """Folders as buckets of these names, to be read only; raises BadInput for an empty one."""
    for name, folder in folders.items():
        if next(folder.rglob("*.parquet"), None) is None:
            raise BadInput(f"{name.upper()} {folder} holds no Parquet file; name a folder <dataset name>/*.parquet")
    with tempfile.TemporaryDirectory(prefix="logcache-tables-") as buckets:
        for name, folder in folders.items():
            (Path(buckets) / name).symlink_to(folder.absolute(), target_is_directory=True)
        yield FolderObjectStore(Path(buckets), SystemClock())


def places_of(definition: DatabaseDefinition, folder: Path, *, bucket: str) -> dict[str, Place]:
    """Where each contract of a database lies in a folder that is opened as a bucket."""
    return {
        table.dataset: f"s3://{bucket}/{table.dataset}"
        if next((folder / table.dataset).glob("*.parquet"), None)
        else Absent(reason=f"no Parquet file lies in {folder / table.dataset}")
        for table in contract_tables(definition)
    }
