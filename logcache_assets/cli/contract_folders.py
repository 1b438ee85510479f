"""Finds the contracts in folders on disk, `<dataset name>/*.parquet`."""

from collections.abc import Mapping
from pathlib import Path

from logcache_assets.adapters.local_files import LocalFiles
from logcache_assets.domain.contract_definitions import DatabaseDefinition, contract_tables
from logcache_assets.errors import BadInput
from logcache_assets.refresh.judge_database import Absent, Place


def open_folders(folders: Mapping[str, Path]) -> LocalFiles:
    """Return a store that reads these folders, given by argument name; raises BadInput for one without Parquet."""
    for argument, folder in folders.items():
        if next(folder.rglob("*.parquet"), None) is None:
            raise BadInput(f"{argument} {folder} holds no Parquet file; name a folder <dataset name>/*.parquet")
    return LocalFiles()


def place_of(dataset: str, folder: Path) -> Place:
    """The place of a contract in a folder, or why it is absent."""
    place = folder / dataset
    if next(place.glob("*.parquet"), None):
        return str(place)
    return Absent(reason=f"no Parquet file lies in {place}")


def places_of(definition: DatabaseDefinition, folder: Path) -> dict[str, Place]:
    """Dataset → place of each contract of a database in a folder."""
    return {table.dataset: place_of(table.dataset, folder) for table in contract_tables(definition)}
