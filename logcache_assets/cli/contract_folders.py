"""Finds the contracts in folders, `<dataset name>/*.parquet`, on this computer or on S3."""

from collections.abc import Mapping
from pathlib import Path

from logcache_assets.adapters.local_files import LocalFiles
from logcache_assets.domain.contract_definitions import DatabaseDefinition, contract_tables
from logcache_assets.errors import BadInput, WrongUsage
from logcache_assets.ports import ObjectStore
from logcache_assets.refresh.judge_database import Absent, Place
from logcache_assets.settings import load_settings


def open_folders(folders: Mapping[str, Path | str]) -> ObjectStore:
    """Return a store that reads these folders, given by argument name.

    Raises:
        WrongUsage: some are here, others on S3.
        BadInput: one holds no Parquet.
    """
    on_s3 = [isinstance(folder, str) for folder in folders.values()]
    if any(on_s3) and not all(on_s3):
        raise WrongUsage(f"{' and '.join(folders)} are not all on S3; copy the one that is elsewhere")
    store = _store_on_s3() if any(on_s3) else LocalFiles()
    for argument, folder in folders.items():
        if not _has_parquet(folder, store):
            raise BadInput(f"{argument} {folder} holds no Parquet file; name a folder <dataset name>/*.parquet")
    return store


def _store_on_s3() -> ObjectStore:
    from logcache_assets.connect import s3_store  # noqa: PLC0415 - all adapters, 0.1 s, and a folder needs none

    return s3_store(load_settings())


def _has_parquet(folder: Path | str, store: ObjectStore) -> bool:
    return any(uri.endswith(".parquet") for uri in store.list_uris(f"{str(folder).rstrip('/')}/"))


def place_of(dataset: str, folder: Path | str, store: ObjectStore) -> Place:
    """The place of a contract in a folder, or why it is absent."""
    place = f"{str(folder).rstrip('/')}/{dataset}"
    if _has_parquet(place, store):
        return place
    return Absent(reason=f"no Parquet file lies in {place}")


def places_of(definition: DatabaseDefinition, folder: Path | str, store: ObjectStore) -> dict[str, Place]:
    """Dataset → place of each contract of a database in a folder."""
    return {table.dataset: place_of(table.dataset, folder, store) for table in contract_tables(definition)}
