"""Spark's workers read and write S3, with credentials that they find themselves."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.drivers.spark import SparkDriver
from logcache_tests.engine.builds import build
from logcache_tests.engine.expected import PII_KEY, find_differences, united
from logcache_tests.engine.world import LOGS_BUCKET, OWN_BUCKET, cut_off, definition_of, source_at, write_cache
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.server import Server

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.servers
def test_contracts_are_computed_on_s3_by_spark(
    session: "SparkSession", store: FolderObjectStore, versitygw_server: Server
) -> None:
    """From a cache on S3 and segments, in several buckets: Datomic's answer at `yesterday`."""
    empty_buckets(versitygw_server, LOGS_BUCKET, OWN_BUCKET)
    on_s3 = S3ObjectStore(AwsAccess(endpoint_url=versitygw_server.endpoint_url))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda uri: on_s3.put(uri, store.read(uri)), store.list_uris(f"s3://{LOGS_BUCKET}/")))
    definition = definition_of("feed")
    sources = [source_at(instance, "yesterday") for instance in definition.instances]
    read = [
        replace(source, cache=write_cache(source, on_s3, folder="spark", last_t=cut_off(source.instance, "old")))
        for source in sources
    ]
    contracts = ContractBuild(definition=definition, sources=tuple(read), pii_key=PII_KEY, bucket_datoms=4_000)
    spark = SparkDriver(session, Folder(on_s3, f"s3://{OWN_BUCKET}/scratch/{uuid.uuid4()}"))
    told: list[str] = []

    found = build(contracts, on_s3, driver=spark, warn=told.append)

    assert [d for c in found.values() for d in find_differences(c.built.table, united(c.files), "yesterday")] == []
    assert told == []
