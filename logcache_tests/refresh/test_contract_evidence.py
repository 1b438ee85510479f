"""The greatest t that a table shows, from which the end of what a test run read is found."""

from pathlib import Path

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.storage.parquet import write_part
from logcache_assets.ports import ObjectStoreUnavailable
from logcache_assets.refresh.contract_evidence import find_greatest_t
from logcache_tests.engine.world import OWN_BUCKET, open_store
from logcache_tests.unreachable_store import UnreachableStore

TABLE = f"s3://{OWN_BUCKET}/contract-feed/transaction-status-history"


@pytest.fixture
def store(tmp_path: Path) -> FolderObjectStore:
    """A bucket with one table of two prototypes."""
    store = open_store(tmp_path)
    write_part(pl.DataFrame({"prototype": ["s0", "s0", "s1"], "db__t": [1001, 1007, 1010]}), TABLE, store)
    return store


def test_it_is_the_greatest_t_of_one_prototype(store: FolderObjectStore) -> None:
    """A prototype without rows, and a table without files, have none."""
    found = [find_greatest_t(TABLE, prototype, store) for prototype in ("s0", "s1", "s2")]

    assert [*found, find_greatest_t(f"{TABLE}-gone", "s0", store)] == [1007, 1010, 0, 0]


def test_a_damaged_table_shows_no_t(store: FolderObjectStore) -> None:
    """The table's own check reports the damage."""
    store.write(f"{TABLE}/part-00000.parquet", b"PAR1")

    assert find_greatest_t(TABLE, "s0", store) == 0


@pytest.mark.parametrize("lists", [pytest.param(False, id="not listed"), pytest.param(True, id="not read")])
def test_an_outage_is_not_taken_for_a_table_without_rows(store: FolderObjectStore, *, lists: bool) -> None:
    """A t of 0 would change up to which t the differences are explained."""
    with pytest.raises(ObjectStoreUnavailable, match=TABLE):
        find_greatest_t(TABLE, "s0", UnreachableStore(store, TABLE, lists=lists))
