"""Of two days that consist of the same files only the keys of one are read, and every figure stays what it is."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.engine.compare.alike import have_same_files
from logcache_assets.engine.compare.compare_tables import compare_tables
from logcache_assets.engine.compare.comparison import Comparison
from logcache_assets.engine.compare.contract_files import Table, empty_table, open_table
from logcache_assets.engine.explain.causes import EXCISED, Scope
from logcache_assets.engine.storage.parquet import parquet_bytes
from logcache_assets.ports import PolarsSource, StoredObject
from logcache_tests.engine.compare.test_comparison import KEY, CountingDriver, cut_small, rows
from logcache_tests.engine.days import put_table
from logcache_tests.engine.world import OWN_BUCKET, driver_in

SOUND = rows(["s0", "s0", "s1", "s1"], id=["a", "b", "a", "c"], amount=[1, 2, 3, 4])
REPEATED = rows(id=["a", "b", "a", "a"], amount=[1, 2, 3, 4])
KEYLESS = rows(id=["a", None, None, "b"], amount=[1, 2, 3, 4])


class WatchedStore(FolderObjectStore):
    """Remembers what polars read, and may keep no checksums."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SystemClock())
        self.create_bucket(OWN_BUCKET)
        self.has_checksums = True
        self.opened: list[str] = []

    @override
    def head(self, uri: str) -> StoredObject:
        found = super().head(uri)
        return found if self.has_checksums else replace(found, checksum=None)

    @override
    def polars_source(self, uri: str) -> PolarsSource:
        self.opened.append(uri)
        return super().polars_source(uri)


@pytest.fixture
def watched(tmp_path: Path) -> WatchedStore:
    """An empty store."""
    return WatchedStore(tmp_path)


def other_files_of(frame: pl.DataFrame, store: FolderObjectStore) -> Table:
    """A table of the same rows whose files have other bytes."""
    folder = f"s3://{OWN_BUCKET}/tables/other"
    store.write(f"{folder}/part-0.parquet", parquet_bytes(frame, group_rows=2))
    return open_table(folder, store)


def figures_of(one: Table, other: Table, store: FolderObjectStore, *, bucket_rows: int, bits: int) -> ContractFigures:
    """The comparison of two tables, of which the log may say that every row must be looked at."""
    comparison = Comparison(
        yesterday=cut_small(one, 3),
        today=cut_small(other, 3),
        key=KEY,
        row_columns=frozenset({"id"}),
        token_key=b"k",
        scopes={"s0": Scope(after_t=5, complete=bits)},
        bucket_rows=bucket_rows,
    )
    driver = driver_in(store)
    return compare_tables(comparison, driver, driver.scratch.at("comparison")).figures


@pytest.mark.parametrize("frame", [SOUND, REPEATED, KEYLESS, SOUND.clear()], ids=["sound", "repeated", "null", "empty"])
@pytest.mark.parametrize("bucket_rows", [1, 100], ids=["several buckets", "one bucket"])
@pytest.mark.parametrize("bits", [0, EXCISED], ids=["no cause", "all rows looked at"])
def test_the_figures_are_those_of_days_that_are_read(
    frame: pl.DataFrame, bucket_rows: int, bits: int, store: FolderObjectStore
) -> None:
    """Rows by prototype, repeated keys, null keys and equal cells do not depend on how the files were written."""
    table, again, other = put_table(store, frame), put_table(store, frame), other_files_of(frame, store)

    found = figures_of(table, again, store, bucket_rows=bucket_rows, bits=bits)

    assert have_same_files(table, again) == (len(frame) > 0)
    assert not have_same_files(table, other)
    assert found == figures_of(table, other, store, bucket_rows=bucket_rows, bits=bits)
    assert found.today.rows == len(frame)


def test_the_other_day_is_not_read(watched: WatchedStore) -> None:
    """Equal checksums tell that yesterday's file has today's bytes."""
    yesterday, today = (put_table(watched, SOUND) for _ in range(2))
    watched.opened.clear()

    figures_of(yesterday, today, watched, bucket_rows=100, bits=0)

    assert {uri.rpartition("/")[0] for uri in watched.opened} == {today.folder_uri}


OTHER_FRAMES = [
    pytest.param((SOUND, SOUND.with_columns(amount=pl.Series([1, 2, 3, 5]))), id="another value"),
    pytest.param((SOUND.cast({"amount": pl.Int32}),) * 2, id="another type"),
    pytest.param((SOUND, SOUND.head(3)), id="a row less"),
    pytest.param((SOUND,), id="a file less"),
]


@pytest.mark.parametrize("frames", OTHER_FRAMES)
def test_days_with_other_files_are_both_read(frames: tuple[pl.DataFrame, ...], store: FolderObjectStore) -> None:
    """One value in one file is enough."""
    one, other = put_table(store, SOUND, SOUND), put_table(store, *frames)

    assert not have_same_files(one, other)


def test_files_of_a_store_without_checksums_are_never_the_same(watched: WatchedStore) -> None:
    """Equal sizes prove nothing."""
    one, other = (put_table(watched, SOUND) for _ in range(2))
    watched.has_checksums = False

    assert not have_same_files(one, other)


def test_files_in_another_order_are_not_the_same(store: FolderObjectStore) -> None:
    """Rows are found again by their number in the table."""
    one, other = put_table(store, SOUND, REPEATED), put_table(store, REPEATED, SOUND)

    assert not have_same_files(one, other)


def test_tables_without_files_are_not_the_same(store: FolderObjectStore) -> None:
    """There is nothing to save."""
    none = empty_table(put_table(store, SOUND))

    assert not have_same_files(none, none)


def test_the_keys_of_days_that_are_alike_are_read_by_their_own_tasks(store: FolderObjectStore) -> None:
    """No task compares their rows."""
    one, other = put_table(store, SOUND), put_table(store, SOUND)
    driver = CountingDriver(driver_in(store).scratch)
    comparison = Comparison(yesterday=one, today=other, key=KEY, row_columns=frozenset({"id"}), token_key=b"k")

    compare_tables(comparison, driver, driver.scratch.at("comparison"))

    assert (driver.ran["AlikeTask"], driver.ran["ReadTask"], driver.ran["ExtractTask"]) == (1, 0, 0)
