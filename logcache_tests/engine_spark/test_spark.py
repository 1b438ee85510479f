"""What is computed through Spark is Datomic's answer: the local driver's tasks, run elsewhere."""

from dataclasses import replace

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.drivers.spark import SparkDriver
from logcache_assets.engine.log.cache_error import CacheError
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.engine.raw.build_raw import RawBuild, build_raw
from logcache_tests.engine import deep_log
from logcache_tests.engine.builds import build
from logcache_tests.engine.damage import zero_column
from logcache_tests.engine.expected import PII_KEY, find_differences, united
from logcache_tests.engine.world import (
    FEED_S0,
    OWN_BUCKET,
    cut_off,
    definition_of,
    driver_in,
    refuse_warning,
    source_at,
    write_cache,
)

ONE_BUCKET = 4_000_000


def wanted(database: str, *sources: LogSource, bucket_datoms: int = ONE_BUCKET) -> ContractBuild:
    """All contracts of a database."""
    return ContractBuild(
        definition=definition_of(database), sources=sources, pii_key=PII_KEY, bucket_datoms=bucket_datoms
    )


def cached_at_old(source: LogSource, store: FolderObjectStore, *, folder: str = "sound") -> LogSource:
    """The source with a cache at the cut-off `old`."""
    entry = write_cache(source, store, folder=folder, last_t=cut_off(source.instance, "old"))
    return replace(source, cache=entry)


def differences(contracts: ContractBuild, store: FolderObjectStore, spark: SparkDriver, told: list[str]) -> list[str]:
    """Every way in which what Spark gives is not Datomic's answer at `yesterday`."""
    found = build(contracts, store, driver=spark, warn=told.append)
    assert [dataset.built.table for dataset in found.values()] == list(contract_tables(contracts.definition))
    return [d for c in found.values() for d in find_differences(c.built.table, united(c.files), "yesterday")]


@pytest.mark.parametrize(
    ("database", "cached", "bucket_datoms"),
    [
        pytest.param("customers", False, 8_000, id="customers: segments alone, several buckets"),
        pytest.param("customers", True, ONE_BUCKET, id="customers: a cache"),
        pytest.param("double-entry", False, ONE_BUCKET, id="double-entry: segments alone"),
        pytest.param("double-entry", True, 6_000, id="double-entry: a cache, several buckets"),
        pytest.param("feed", False, 5_000, id="feed: segments alone, several buckets"),
        pytest.param("feed", True, 4_000, id="feed: a cache, several buckets"),
    ],
)
def test_every_contract_equals_datomics_answer(
    database: str,
    cached: bool,  # noqa: FBT001
    bucket_datoms: int,
    spark: SparkDriver,
    store: FolderObjectStore,
) -> None:
    """Every row, cell and type of all kinds at `yesterday`, personal data hashed; nothing is warned of."""
    sources = [source_at(instance, "yesterday") for instance in definition_of(database).instances]
    read = [cached_at_old(source, store) for source in sources] if cached else sources
    told: list[str] = []

    assert differences(wanted(database, *read, bucket_datoms=bucket_datoms), store, spark, told) == []

    assert told == []


def test_buckets_of_a_cache_are_read_together(spark: SparkDriver, store: FolderObjectStore) -> None:
    """One task for eight buckets with few open facts: refs across them, lists, and a delta that touches most."""
    contracts = ContractBuild(
        definition=deep_log.DEFINITION, sources=(deep_log.cached_source(store),), pii_key=PII_KEY, kinds=("entity",)
    )

    users = build(contracts, store, driver=spark)["contract-app/users"]

    assert users.frame.sort("user__id").to_dicts() == deep_log.shown_users()
    assert len(users.files) == 1


def raw_files(name: str, driver: Driver, store: FolderObjectStore) -> dict[str, pl.DataFrame]:
    """The raw datasets of feed-s0 that a driver writes from a cache and the segments after it."""
    folder = Folder(store, f"s3://{OWN_BUCKET}/raw-by-{name}")
    source = cached_at_old(source_at(FEED_S0, "night"), store)
    raw = RawBuild(
        source=source, log=folder.at("log"), entities=folder.at("entities"), bucket_datoms=1_000, part_datoms=5_000
    )
    build_raw(raw, store=store, driver=driver, warn=refuse_warning)
    files = store.list_objects(f"{folder.uri}/")
    return {file.uri.removeprefix(folder.uri): pl.read_parquet(store.path_of(file.uri)) for file in files}


def test_raw_datasets_are_those_of_the_local_driver(spark: SparkDriver, store: FolderObjectStore) -> None:
    """The log in its order, and the facts of every bucket, file by file."""
    by_spark = raw_files("spark", spark, store)
    by_threads = raw_files("threads", driver_in(store), store)

    assert by_spark.keys() == by_threads.keys()
    assert len([name for name in by_spark if name.startswith("/log/")]) > 1
    assert len([name for name in by_spark if name.startswith("/entities/open-")]) > 1
    assert [name for name, frame in by_spark.items() if not frame.equals(by_threads[name])] == []


def test_damage_that_a_worker_finds_is_passed_over_loudly(spark: SparkDriver, store: FolderObjectStore) -> None:
    """The ladder works through Spark: the same contracts from segments alone, and a line about the cache."""
    sources = [source_at(instance, "yesterday") for instance in definition_of("feed").instances]
    damaged = cached_at_old(sources[0], store, folder="damaged")
    assert damaged.cache is not None
    zero_column(f"{damaged.cache.materialized_entities}/closed-00000-of-00001.parquet", "v", store)
    contracts = wanted("feed", damaged, *sources[1:])
    told: list[str] = []

    assert differences(replace(contracts, policy=CachePolicy.FALLBACK), store, spark, told) == []

    assert len(told) == 1
    assert told[0].startswith(f"WARNING: {damaged.instance.name}: the cache of t in (0, {damaged.cache.last_t}] ")
    assert "closed-00000-of-00001.parquet" in told[0]
    assert "Going on without the cache" in told[0]
    with pytest.raises(CacheError, match=r"closed-00000-of-00001\.parquet") as refusal:
        build(contracts, store, driver=spark)
    assert refusal.value.instance == damaged.instance
