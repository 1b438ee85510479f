"""Caches of a map that was written by hand, proven by Spark: with what threads find is compared here."""

from logcache_assets.adapters.scratch import local_driver
from logcache_assets.cli import local
from logcache_assets.domain.log_cache_map import unproven_of
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.drivers.spark import SparkDriver
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.refresh.prove_entries import EntryProver, ProvenCache
from logcache_tests.conftest import silent


def proven_by(driver: Driver, world: World) -> list[str]:
    """The manifests of a world's caches."""
    prover = EntryProver(
        store=world.store,
        segment_index=world.segment_index,
        clock=world.clock,
        settings=world.settings,
        driver=driver,
        tell=silent,
    )
    found = prover.prove(unproven_of(read_base_map(world.repository).entries)).values()
    return [cache.text for cache in found if isinstance(cache, ProvenCache)]


def test_spark_writes_the_same_manifests(feed_world: World, spark: SparkDriver) -> None:
    """Byte for byte, so that whoever goes on with an adoption may use the other driver."""
    local.break_(feed_world.settings, "hand-written-map")
    with local_driver() as driver:
        by_threads = proven_by(driver, feed_world)

    assert len(by_threads) == 2
    assert proven_by(spark, feed_world) == by_threads
