"""What `logcache datasets` says of one dataset."""

from pathlib import Path

import polars as pl
import pytest

from logcache_assets.cli.datasets import describe_dataset
from logcache_assets.domain.transactions import Dataset, DatasetState
from logcache_assets.engine.storage.parquet import write_part
from logcache_assets.ports import ObjectStoreUnavailable
from logcache_tests.engine.world import OWN_BUCKET, open_store
from logcache_tests.unreachable_store import UnreachableStore

TABLE = f"s3://{OWN_BUCKET}/contract-feed/transactions"
DATASET = Dataset(
    name="contract-feed/transactions", state=DatasetState.COMMITTED, path=TABLE, committed_at=None, aborted_at=None
)


def test_a_damaged_table_is_a_problem_of_its_dataset(tmp_path: Path) -> None:
    """The row says why there is no number."""
    store = open_store(tmp_path)
    store.write(f"{TABLE}/part-00000.parquet", b"PAR1")

    row = describe_dataset(DATASET, store)

    assert row.rows is None
    assert "is not a readable Parquet file" in str(row.problem)


def test_an_outage_is_no_problem_of_a_dataset(tmp_path: Path) -> None:
    """The command ends with the outage, instead of showing a sound table as unreadable."""
    store = open_store(tmp_path)
    write_part(pl.DataFrame({"n": [1]}), TABLE, store)

    assert describe_dataset(DATASET, store).rows == 1
    for lists in (False, True):
        with pytest.raises(ObjectStoreUnavailable, match=TABLE):
            describe_dataset(DATASET, UnreachableStore(store, lists=lists))
