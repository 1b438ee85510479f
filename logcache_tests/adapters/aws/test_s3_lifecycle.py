"""Lifecycle configurations as S3's documentation shows them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_lifecycle import parse_lifecycle
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.domain.lifecycle import ExpiryRule, Lifecycle
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.server import Server

ON = {"Status": "Enabled"}
DATE = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param({**ON, "Filter": {}, "Expiration": {"Days": 7}}, [ExpiryRule(days=7)], id="the whole bucket"),
        pytest.param(
            {**ON, "Filter": {"Prefix": "raw/"}, "Expiration": {"Days": 7}},
            [ExpiryRule(days=7, prefix="raw/")],
            id="a prefix",
        ),
        pytest.param(
            {**ON, "Prefix": "raw/", "Expiration": {"Days": 7}}, [ExpiryRule(days=7, prefix="raw/")], id="old"
        ),
        pytest.param({**ON, "Filter": {}, "Expiration": {"Date": DATE}}, [ExpiryRule(date=DATE)], id="a date"),
        pytest.param(
            {
                **ON,
                "Filter": {
                    "And": {"Prefix": "a", "Tags": [{}], "ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 9},
                },
                "Expiration": {"Days": 1},
            },
            [ExpiryRule(days=1, prefix="a", above_bytes=5, below_bytes=9)],
            id="several limits",
        ),
        pytest.param({"Status": "Disabled", "Filter": {}, "Expiration": {"Days": 7}}, [], id="switched off"),
        pytest.param({**ON, "Filter": {}, "Transitions": [{"Days": 30}]}, [], id="only moved"),
        pytest.param({**ON, "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 3}}, [], id="old versions"),
        pytest.param({**ON, "Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}}, [], id="delete markers"),
        pytest.param(
            {**ON, "Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}},
            [],
            id="unfinished uploads",
        ),
    ],
)
def test_only_what_deletes_current_objects_counts(rule: dict[str, Any], expected: list[ExpiryRule]) -> None:
    """One rule of each kind."""
    assert parse_lifecycle({"Rules": [rule]}) == Lifecycle(tuple(expected))


def test_the_live_rules_are_read(moto_server: Server) -> None:
    """Read anew each time; a bucket without rules keeps everything."""
    empty_buckets(moto_server, "source")
    store = S3ObjectStore(AwsAccess(endpoint_url=moto_server.endpoint_url))
    assert store.lifecycle("source") == Lifecycle()

    rules = [{**ON, "ID": "week", "Filter": {"Prefix": ""}, "Expiration": {"Days": 7}}]
    moto_server.client("s3").put_bucket_lifecycle_configuration(
        Bucket="source", LifecycleConfiguration={"Rules": rules}
    )

    assert store.lifecycle("source") == Lifecycle((ExpiryRule(days=7),))
