"""Parquet files on an object store: what cannot be read now, and what never can."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.storage.parquet import (
    ParquetError,
    collect_parquet,
    collect_schema,
    count_file,
    count_rows,
    read_each,
    scan_parquet,
    write_part,
)
from logcache_assets.ports import ObjectStore, ObjectStoreDenied, ObjectStoreUnavailable
from logcache_tests.engine.world import OWN_BUCKET
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.identities import judged, make_user, write_profile
from logcache_tests.servers.server import Server
from logcache_tests.unreachable_store import UnreachableStore

FOLDER = f"s3://{OWN_BUCKET}/table"
URI = f"{FOLDER}/part-00000.parquet"
Read = Callable[[ObjectStore], object]


@pytest.fixture
def table(store: FolderObjectStore) -> FolderObjectStore:
    """A store with a table of three rows in one file."""
    write_part(pl.DataFrame({"n": [1, 2, 3]}), FOLDER, store)
    return store


READS = [
    pytest.param(lambda store: collect_parquet(scan_parquet([URI], store), URI), id="rows"),
    pytest.param(lambda store: collect_schema(URI, store), id="columns"),
    pytest.param(lambda store: count_file(URI, store), id="number of rows"),
    pytest.param(lambda store: list(read_each([URI], store)), id="file by file"),
    pytest.param(lambda store: count_rows(FOLDER, store), id="number of rows in a folder"),
]


@pytest.mark.parametrize("read", READS)
def test_a_store_that_refuses_connections_is_unavailable(table: FolderObjectStore, read: Read) -> None:
    """It says nothing of the file, so nobody is told to copy or compute it again."""
    with pytest.raises(ObjectStoreUnavailable, match=f"{URI} could not be read .*; see whether the object store"):
        read(UnreachableStore(table, lists=True))


def cut(path: Path) -> None:
    """Cut off the end of the file."""
    path.write_bytes(path.read_bytes()[:-30])


def empty(path: Path) -> None:
    """Remove all bytes."""
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, empty])
@pytest.mark.parametrize("read", READS[:-1])
def test_a_damaged_file_is_wrong_data(table: FolderObjectStore, damage: Callable[[Path], None], read: Read) -> None:
    """The next read would give the same."""
    damage(table.path_of(URI))

    with pytest.raises(ParquetError, match=f"{URI} is not a readable Parquet file"):
        read(table)


@pytest.mark.parametrize("read", READS[:-1])
def test_a_file_that_is_gone_is_not_called_damaged(table: FolderObjectStore, read: Read) -> None:
    """Nobody is told to look for damage in what expired."""
    table.path_of(URI).unlink()

    with pytest.raises(ParquetError, match=f"{URI} is not there.*use a newer run, or compute it again"):
        read(table)


def test_a_file_that_may_not_be_read_is_a_denial(
    moto_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The missing action is named, and nobody is told that the file is damaged."""
    empty_buckets(moto_server, OWN_BUCKET)
    server_access = AwsAccess(endpoint_url=moto_server.endpoint_url)
    write_part(pl.DataFrame({"n": [1, 2, 3]}), FOLDER, S3ObjectStore(server_access))
    lister = [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]
    write_profile(
        tmp_path / "credentials",
        "lister",
        make_user(moto_server, "lister", {"Version": "2012-10-17", "Statement": lister}),
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    denied = S3ObjectStore(replace(server_access, profile="lister"))

    with judged(moto_server), pytest.raises(ObjectStoreDenied, match=f"{URI} may not be read .* s3:GetObject"):
        collect_schema(URI, denied)


def test_a_folder_is_listed_page_by_page(store: FolderObjectStore) -> None:
    """What is written after the first page was read is on a later page: no listing is held whole."""
    for key in [f"a/{n:04}" for n in range(1000)] + ["b/1"]:
        store.write(f"{FOLDER}/{key}", b"x")
    listed = store.list_data(FOLDER)

    first = next(listed)
    store.write(f"{FOLDER}/b/2", b"x")

    assert [first.uri, *(item.uri for item in listed)][1000:] == [f"{FOLDER}/b/1", f"{FOLDER}/b/2"]
