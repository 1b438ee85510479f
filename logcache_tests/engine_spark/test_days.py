"""Two days are compared and explained through Spark, in several buckets, as on the local driver."""

from dataclasses import replace

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.engine.compare.compare_days import compare_days
from logcache_assets.engine.compare.day_pair import DayPair, Logs
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.drivers.spark import SparkDriver
from logcache_assets.engine.log.log_op import CachePolicy
from logcache_tests.engine.days import Day, day_at, refuse_other_warnings
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.world import driver_in

TRANSACTIONS, SNAPSHOT = "contract-feed/transactions", "contract-feed/transactions-snapshot"


@pytest.fixture(scope="module")
def days(store: FolderObjectStore) -> tuple[Day, Day]:
    """Two datasets of feed, yesterday and today, with one wrong amount and one lost row today."""
    yesterday, today = (day_at("feed", cut, store).only(TRANSACTIONS, SNAPSHOT) for cut in ("yesterday", "today"))
    rows = today.frame(TRANSACTIONS)
    first, second = rows["transaction__id"].sort().head(2)
    wrong = pl.when(pl.col("transaction__id") == first).then(None).otherwise("transaction__amount")
    garbled = rows.with_columns(wrong.alias("transaction__amount")).filter(pl.col("transaction__id") != second)
    return yesterday, today.showing({TRANSACTIONS: garbled}, store)


def figures_of(
    days: tuple[Day, Day], store: FolderObjectStore, driver: Driver, *, bucket_rows: int
) -> dict[str, ContractFigures]:
    """What the comparison counts."""
    yesterday, today = days
    pair = DayPair(
        definition=today.definition,
        yesterday=yesterday.tables,
        today=today.tables,
        logs=Logs(sources=today.sources, after=yesterday.last_t, pii_key=PII_KEY, policy=CachePolicy.STRICT),
        token_key=b"tokens",
        bucket_rows=bucket_rows,
    )
    return compare_days(pair, Runtime(store=store, driver=driver, warn=refuse_other_warnings))


def test_spark_and_buckets_count_the_same(days: tuple[Day, Day], store: FolderObjectStore, spark: SparkDriver) -> None:
    """Whatever driver and number of buckets: the same figures, patterns and tokens."""
    whole = figures_of(days, store, driver_in(store), bucket_rows=8_000_000)

    assert whole[TRANSACTIONS].reasons["unexplained"] == 2
    assert figures_of(days, store, driver_in(store), bucket_rows=700) == whole
    assert figures_of(days, store, spark, bucket_rows=2_000) == whole


def test_a_bucket_of_its_own_for_every_few_rows_loses_none(days: tuple[Day, Day], store: FolderObjectStore) -> None:
    """Duplicate keys are found across files and buckets too."""
    yesterday, today = days
    rows = yesterday.frame(TRANSACTIONS)
    doubled = today.showing({TRANSACTIONS: pl.concat([rows, rows.head(3)])}, store)

    found = figures_of((yesterday, replace(doubled)), store, driver_in(store), bucket_rows=100)[TRANSACTIONS]

    assert (found.today.duplicate_keys, found.prototypes) == (3, None)
