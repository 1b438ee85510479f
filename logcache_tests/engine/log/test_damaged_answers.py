"""Logs on S3 behind a network that damages answers: what is decoded is what lies there, or nothing is."""

from dataclasses import replace

import polars as pl
import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.ports import ObjectStoreUnavailable
from logcache_tests.engine.builds import facts_of
from logcache_tests.engine.generated import small_log, source_of, write_segments
from logcache_tests.engine.world import OWN_BUCKET, strict_log, write_cache
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.fault_proxy.faults import Faults
from logcache_tests.servers.fault_proxy.proxy import FaultProxy

pytestmark = pytest.mark.servers

SEEDS = range(40)
SHARE = 0.2
"""Of the answers that are damaged."""


@pytest.fixture
def store(s3_proxy: FaultProxy) -> S3ObjectStore:
    """An empty bucket."""
    empty_buckets(s3_proxy.upstream, OWN_BUCKET)
    access = AwsAccess(endpoint_url=s3_proxy.server.endpoint_url)
    return S3ObjectStore(access, reads=RepeatedReads(attempts=5, first_pause_seconds=0.001))


@pytest.fixture
def alone(store: S3ObjectStore) -> LogSource:
    """A small log in three segments, without a cache."""
    return source_of(*write_segments(small_log().datoms, (10, 20, 30), store))


@pytest.fixture
def cached(alone: LogSource, store: S3ObjectStore) -> LogSource:
    """The same log with a cache up to t 20."""
    return replace(alone, cache=write_cache(alone, store, folder="cache", last_t=20))


@pytest.mark.parametrize("fault", ["corrupted", "truncated"])
@pytest.mark.parametrize("kind", ["segments", "cached log", "cached facts"])
def test_no_other_value_is_ever_decoded(
    s3_proxy: FaultProxy, store: S3ObjectStore, cached: LogSource, kind: str, fault: str
) -> None:
    """A damaged answer is asked for again; what is damaged too often is told as no answer, never as a wrong log."""
    source = replace(cached, cache=None) if kind == "segments" else cached

    def read() -> pl.DataFrame:
        return facts_of(source, store) if kind == "cached facts" else strict_log(source, store)

    expected, found, injected = read(), [], 0
    for seed in SEEDS:
        faults = Faults(seed=seed, corrupted=SHARE) if fault == "corrupted" else Faults(seed=seed, truncated=SHARE)
        with s3_proxy.injecting(faults):
            try:
                found.append(read())
            except ObjectStoreUnavailable:
                continue
            finally:
                injected += s3_proxy.injected.total()

    assert injected > len(SEEDS) / 2
    assert len(found) > len(SEEDS) / 2
    assert all(frame.equals(expected) for frame in found)
