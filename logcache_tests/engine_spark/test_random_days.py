"""Random logs computed by Spark's tasks show what the oracle says, too."""

from dataclasses import replace
from random import Random

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.spark import SparkDriver
from logcache_tests.engine.app import sources_of
from logcache_tests.engine.builds import build
from logcache_tests.engine.oracle.random_logs import DEFINITION, RandomLog
from logcache_tests.engine.oracle.test_random_logs import KEY, differences, right_rows, rows_of
from logcache_tests.engine.world import write_cache


@pytest.mark.parametrize("seed", [1, 2])
def test_spark_shows_what_the_oracle_says(seed: int, spark: SparkDriver, store: FolderObjectStore) -> None:
    """With a cache in several buckets, and newer datoms spilled."""
    log = RandomLog(Random(seed), txes=12, double_keys=True).log  # noqa: S311 - repeatable on purpose
    ts = sorted({t for _, _, _, t, _ in log})
    (source,) = sources_of(DEFINITION, store, [log])
    cache = write_cache(source, store, folder=f"random-{seed}", last_t=ts[len(ts) // 2], bucket_datoms=50)
    wanted = ContractBuild(
        definition=DEFINITION, sources=(replace(source, cache=cache),), pii_key=KEY, bucket_datoms=50
    )

    found = build(wanted, store, driver=spark, warn=lambda _: None)

    assert differences({name: rows_of(dataset) for name, dataset in found.items()}, right_rows(log)) == {}
